"""Every mistake in a configuration is found at once, each with its place.

The sections (``config``), the kinds of values in them (``config_values``), what they mean to each
other (``config_reader``), and where they stand.

With it: ``options``.
"""

from __future__ import annotations

import unittest
from typing import ClassVar

from director.agents.opencode.options import options_of
from director.agents.registry import BACKENDS
from director.model.commit_policy import CommitPolicy
from director.model.config import (
    Config,
    GateEnvironment,
    Limits,
    ReviewPolicy,
    SandboxPolicy,
    WorktreePolicy,
)
from director.model.config_reader import read_config
from director.model.errors import RequestError
from director.model.pricing import Price
from director.model.roles import Role

TIERS = "[tiers]\n" + "".join(f'{role} = "p/m"\n' for role in Role)


class TestGateEnvironment(unittest.TestCase):
    env: ClassVar = {"PATH": "/bin", "ACME_KEY": "1", "ACME_URL": "2", "acme_token": "3"}

    def shown(self, **globs: tuple[str, ...]) -> set[str]:
        return set(GateEnvironment(**globs).of(self.env))

    def test_keys_are_withheld_unless_named(self) -> None:
        self.assertEqual(self.shown(), {"PATH", "ACME_URL"})
        self.assertEqual(self.shown(passed=("ACME_*",)), {"PATH", "ACME_URL", "ACME_KEY"})
        self.assertEqual(self.shown(passed=("*",)), set(self.env))

    def test_what_is_dropped_is_dropped(self) -> None:
        self.assertEqual(self.shown(dropped=("ACME_*",)), {"PATH"})
        self.assertEqual(
            self.shown(passed=("*",), dropped=("ACME_K?Y", "P*")), {"ACME_URL", "acme_token"}
        )


class TestReadConfig(unittest.TestCase):
    def read(self, text: str, tiers: str = TIERS) -> Config:
        return read_config(tiers + text, "config.toml", BACKENDS)

    def said(self, text: str, tiers: str = TIERS) -> str:
        with self.assertRaises(RequestError) as caught:
            self.read(text, tiers)
        return caught.exception.what

    def test_tiers_are_enough(self) -> None:
        config = self.read("")
        self.assertEqual(dict(config.tiers), dict.fromkeys(Role, "p/m"))
        self.assertEqual((config.limits, config.review), (Limits(), ReviewPolicy()))
        self.assertEqual((dict(config.gates), dict(config.pricing), config.local), ({}, {}, None))

    def test_how_commits_are_made(self) -> None:
        self.assertEqual(self.read("").git, CommitPolicy("{title}", False, False))
        text = '[git]\nmessage = "{type}: {title}"\nsignoff = true\nsign = true\n'
        self.assertEqual(self.read(text).git, CommitPolicy("{type}: {title}", True, True))

    def test_mistakes_of_commits_are_named_with_their_line(self) -> None:
        first = TIERS.count("\n") + 1
        said = self.said('[git]\nmessage = "{titel}"\nsignof = true\nsign = "yes"\n')
        self.assertIn(f"git.signof (line {first + 2}) is not a known key", said)
        self.assertIn("did you mean 'signoff'?", said)
        self.assertIn(f"git.sign (line {first + 3}) must be true or false", said)
        self.assertIn(
            f"git.message (line {first + 1}) names {{titel}}, which is not one of {{title}}, ",
            self.said('[git]\nmessage = "{titel}"\n'),
        )
        self.assertIn("must not be empty", self.said('[git]\nmessage = " "\n'))

    def test_how_opencode_is_run(self) -> None:
        self.assertEqual(options_of(self.read("")).server, "auto")
        for server, url in (("off", None), ("auto", None), ("http://h:1/p", "http://h:1/p")):
            config = self.read(f'[opencode]\nserver = "{server}"\n')
            options = options_of(config)
            self.assertEqual((options.server, options.server_url), (server, url))
        for wrong in ("on", "h:1", "http://", "ftp://h", "http://a b"):
            self.assertIn("opencode.server", self.said(f'[opencode]\nserver = "{wrong}"\n'))
        self.assertIn("did you mean 'server'", self.said("[opencode]\nservr = 'off'\n"))
        box = '[sandbox]\ncommand = "env"\n[opencode]\nserver = "http://h:1"\n'
        self.assertIn("[sandbox]", self.said(box))
        self.read(box.replace("http://h:1", "auto"))

    def test_everything(self) -> None:
        config = self.read(
            """
            [gates]
            lint = "ruff check"
            tests = "python3 -m unittest"
            [pricing."p/m"]
            input = 1
            output = 2.5
            cache_read = 0
            [limits]
            cost_ceiling_usd = 2
            max_attempts = 1
            provider_retries = 0
            [sampling.executor]
            temperature = 0
            reasoning_effort = "low"
            options = { thinking = { type = "off" } }
            [sampling.planner]
            [review]
            stage_two = false
            veto = false
            [providers.local]
            base_url = "http://localhost:8080/v1"
            """
        )
        self.assertEqual(next(iter(config.gates.items())), ("lint", "ruff check"))
        self.assertEqual(list(config.gates), ["lint", "tests"])
        self.assertEqual(config.pricing["p/m"], Price(1, 2.5, cache_read=0))
        self.assertEqual(
            config.limits, Limits(cost_ceiling_usd=2, max_attempts=1, provider_retries=0)
        )
        self.assertEqual(config.sampling[Role.EXECUTOR].temperature, 0)
        self.assertEqual(config.sampling[Role.EXECUTOR].options, {"thinking": {"type": "off"}})
        self.assertFalse(config.review.stage_two or config.review.veto)
        assert config.local is not None
        self.assertEqual(
            (config.local.base_url, config.local.api_key), ("http://localhost:8080/v1", "none")
        )

    def test_what_is_no_toml(self) -> None:
        self.assertIn("config.toml is not valid TOML", self.said("[broken"))
        self.assertIn("line 9", self.said("[limits]\nx = = 1"))
        for value in ("[" * 5000, "9" * 5000):
            self.assertIn("config.toml cannot be read", self.said(f"[limits]\nx = {value}"))

    def test_all_problems_come_at_once_with_their_lines(self) -> None:
        said = self.said('[limits]\nmax_attempts = "3"\nmax_attemps = 3\n[gatez]\nx = 1\n')
        first = TIERS.count("\n")
        self.assertIn(f"limits.max_attempts (line {first + 2}) must be a whole number", said)
        self.assertIn(f"limits.max_attemps (line {first + 3}) is not a known key", said)
        self.assertIn("did you mean 'max_attempts'?", said)
        self.assertIn(f"gatez (line {first + 4}) is not a known key (did you mean 'gates'?)", said)

    def test_tiers(self) -> None:
        said = self.said("", tiers='[tiers]\nplaner = "p/m"\nexecutor = 5\nreviewer = "model"\n')
        for part in (
            "tiers.planner is missing",
            "tiers.planer (line 2) is not a known key (did you mean 'planner'?)",
            "tiers.executor (line 3) must be a string",
            "tiers.reviewer (line 4) must be \"provider/model\", not 'model'",
        ):
            self.assertIn(part, said)
        for bad in ("/m", "p/", "p /m", "p/m n"):
            tiers = TIERS.replace('executor = "p/m"', f'executor = "{bad}"')
            self.assertIn("tiers.executor", self.said("", tiers), bad)
        tiers = TIERS.replace('executor = "p/m"', 'executor = "p/org/model:free"')
        self.assertEqual(self.read("", tiers).tiers[Role.EXECUTOR], "p/org/model:free")

    def test_a_local_model_needs_its_provider(self) -> None:
        tiers = TIERS.replace('executor = "p/m"', 'executor = "local/qwen"')
        self.assertIn("there is no [providers.local]", self.said("", tiers))
        local = '[providers.local]\nbase_url = "http://x"\n'
        self.assertEqual(self.read(local, tiers).tiers[Role.EXECUTOR], "local/qwen")
        self.assertIn("base_url is missing", self.said("[providers.local]\n"))
        self.assertIn("providers.other", self.said("[providers.other]\n"))

    def test_limits_have_bounds(self) -> None:
        for line in (
            "node_timeout_secs = 0", "stall_timeout_secs = 0", "max_attempts = 0",
            "flake_runs = 0", "cost_ceiling_usd = -0.1", "cost_ceiling_usd = nan",
            "provider_retries = -1", "cost_ceiling_usd = inf", "cost_ceiling_usd = 1e300",
            "node_timeout_secs = 99999999999", "max_attempts = 99999999999",
            f"stall_timeout_secs = 1{'0' * 400}",
        ):  # fmt: skip
            self.assertIn(line.split(" ")[0], self.said(f"[limits]\n{line}\n"), line)

    def test_kinds(self) -> None:
        for text, expected in (
            ("[limits]\nmax_attempts = true\n", "a whole number"),
            ("[limits]\nmax_attempts = 1.0\n", "a whole number"),
            ('[limits]\ncost_ceiling_usd = "1"\n', "a number"),
            ("[review]\nstage_two = 1\n", "true or false"),
            ("[sampling.executor]\nreasoning_effort = 1\n", "a string"),
            ("[sampling.executor]\noptions = 1\n", "a table"),
            ("[gates]\ntests = 1\n", "a shell command"),
            ('[pricing]\n"p/m" = 1\n', "a table"),
            ("[sampling]\nexecutor = 1\n", "a table"),
        ):
            self.assertIn(f"must be {expected}", self.said(text), text)
        self.assertIn("must be a table", self.said("", "limits = 1\n" + TIERS))

    def test_a_gate_without_a_command_is_a_mistake(self) -> None:
        for command in ("", "  "):
            said = self.said(f'[gates]\ntests = "{command}"\n')
            self.assertRegex(said, r"gates.tests \(line \d+\) is empty: give a command")

    def test_a_price_needs_both_directions(self) -> None:
        self.assertIn(
            'pricing."p/m" (line 8) output is missing', self.said('[pricing."p/m"]\ninput=1\n')
        )

    def test_a_price_is_an_amount_that_can_be_asked(self) -> None:
        for value in ("-1", "nan", "inf", "-inf", "1e300", "1000001", f"1{'0' * 400}"):
            for key in ("output", "cache_read"):
                prices = {"input": "1", "output": "1", key: value}
                lines = "".join(f"{name} = {price}\n" for name, price in prices.items())
                self.assertIn(f'pricing."p/m".{key}', self.said(f'[pricing."p/m"]\n{lines}'))
        self.read('[pricing."p/m"]\ninput = 0\noutput = 1000000\n')

    def test_sampling_is_made_of_numbers_that_can_be_sent(self) -> None:
        for line in (
            "temperature = nan", "top_p = inf", "min_p = -inf", f"top_k = 1{'0' * 400}",
            "options = { a = nan }", "options = { a = [1, { b = inf }] }",
            "options = { a = 2026-01-01 }",
        ):  # fmt: skip
            said = self.said(f"[sampling.executor]\n{line}\n")
            self.assertIn(f"sampling.executor.{line.split(' ')[0]} (line 9) must be", said)
        line = f"seed = {2**63}\noptions = {{ a = [1.5, 'x', true, {{ b = -1 }}] }}\n"
        sampling = self.read(f"[sampling.executor]\n{line}").sampling[Role.EXECUTOR]
        self.assertEqual(sampling.seed, 2**63)

    def test_a_role_that_there_is_not(self) -> None:
        said = self.said("[sampling.executer]\ntemperature = 1\n")
        self.assertIn(
            "sampling.executer (line 8) is not a known key (did you mean 'executor'?)", said
        )

    def test_env(self) -> None:
        env = self.read('[env]\npass = ["ACME_*"]\ndrop = ["CI", "X_*"]\n').env
        self.assertEqual(env, GateEnvironment(("ACME_*",), ("CI", "X_*")))
        self.assertEqual(self.read("").env, GateEnvironment())
        self.assertIn("env.pass (line 9) must be a list of strings", self.said("[env]\npass = 1\n"))
        self.assertIn("env.drop", self.said('[env]\ndrop = ["A", 1]\n'))
        self.assertIn("(did you mean 'pass'?)", self.said("[env]\npas = []\n"))

    def test_sandbox(self) -> None:
        listed = self.read('[sandbox]\ncommand = ["box", "--in", "{worktree}", "a b"]\n')
        self.assertEqual(listed.sandbox.command, ("box", "--in", "{worktree}", "a b"))
        whole = self.read("""[sandbox]\ncommand = "box --in {worktree} 'a b'"\n""")
        self.assertEqual(whole.sandbox, listed.sandbox)
        self.assertEqual(self.read("").sandbox, SandboxPolicy())
        self.assertEqual(self.read('[sandbox]\ncommand = ""\n').sandbox, SandboxPolicy())
        self.assertEqual(self.read('[sandbox]\nread = ["~/a"]\n').sandbox.read, ("~/a",))
        for text, expected in (
            ("command = 1", "must be a list of strings, or one string"),
            ("command = ['a', 1]", "must be a list of strings, or one string"),
            ('command = "a \'b"', "cannot be split into words"),
            ('comand = "a"', "did you mean 'command'?"),
            ('command = "a {work_tree}"', "did you mean 'worktree'?"),
            ("command = 'a'\nhide = ['/k']", "has no effect with a command"),
            ("mode = 'off'\nhide = ['/k']", 'has no effect with mode = "off"'),
        ):
            self.assertIn(expected, self.said(f"[sandbox]\n{text}\n"), text)

    def test_no_command_can_be_given_a_nul(self) -> None:
        for text in (
            '[gates]\nlint = "a\\u0000b"',
            '[worktree]\nsetup = "a\\u0000b"',
            '[notify]\ncommand = "a\\u0000b"',
            '[notify]\ncommand = ["a", "b\\u0000"]',
            '[sandbox]\ncommand = ["a", "b\\u0000"]',
        ):
            self.assertIn("must not contain a NUL character", self.said(f"{text}\n"), text)

    def test_setup_inputs_that_are_not_given_are_others_than_none(self) -> None:
        for inputs, read in (
            ("", None),
            ("setup_inputs = []", ()),
            ('setup_inputs = ["a"]', ("a",)),
        ):
            text = f'[worktree]\nsetup = "make"\n{inputs}\n'
            self.assertEqual(self.read(text).worktree.setup_inputs, read)

    def test_worktree(self) -> None:
        text = """[worktree]\nsetup = " make "\nsetup_inputs = ["*.lock"]\ncopy = [".env"]
            link = ["a/b"]\nkeep = ["target/", "a/c"]\n"""
        expected = WorktreePolicy("make", ("*.lock",), (".env",), ("a/b",), ("target", "a/c"))
        self.assertEqual(self.read(text).worktree, expected)
        self.assertEqual(self.read("").worktree, WorktreePolicy())
        for text, said in (
            ("setup = 1", "worktree.setup (line 9) must be a shell command"),
            ('setup_inputs = ["a"]', "decides when to run a setup, and there is none"),
            ('copy = ".env"', "worktree.copy (line 9) must be a list of strings"),
            ('copy = ["a//b"]', "must be paths inside the repository"),
            ('copy = [""]', "must be paths inside the repository"),
            ('link = ["/a"]', "must be paths inside the repository"),
            ('keep = ["a/../.."]', "must be paths inside the repository"),
            ('keep = ["a/.git/b"]', "must be paths outside .git and .director"),
            ('copy = [".director/x"]', "must be paths outside .git and .director"),
            ('copy = ["a"]\nkeep = ["a"]', "names 'a' twice, or a folder that holds it"),
            ('copy = ["a"]\nlink = ["a/b"]', "names 'a/b' twice, or a folder that holds it"),
            ('copies = ["a"]', "did you mean 'copy'?"),
        ):
            self.assertIn(said, self.said(f"[worktree]\n{text}\n"), text)

    def test_a_literal_key_is_not_in_what_is_printed(self) -> None:
        local = '[providers.local]\nbase_url = "http://x"\napi_key = "%s"\n'
        config = self.read(local % "very-private-key")
        self.assertEqual(config.secrets, {"providers.local.api_key": "very-private-key"})
        self.assertNotIn("very-private-key", repr(config))
        config = self.read(local % "{env:MINE}")
        self.assertEqual((config.secrets, config.secret_variables), ({}, ["MINE"]))
        self.assertEqual(self.read("").secret_variables, [])

    def test_the_empty_file_names_every_role(self) -> None:
        said = self.said("", tiers="")
        for role in Role:
            self.assertIn(f"tiers.{role} is missing", said)
