"""``director init``.

With it: ``questions``, ``choosing``, ``init_words``, ``diagnosing.offered``,
``diagnosing.commands_found``, ``model.first_config``.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import tomllib
from typing import Any

from director.agents.registry import BACKENDS
from director.model.config import Config
from director.model.config_reader import read_config
from director.model.roles import Role
from tests.agents.opencode.test_catalogue import listed
from tests.support.jobs import SOURCE, JobCase

CTRL_C = b"\x03"
TINY = {"input": 0.1, "output": 0.4, "cache": {"read": 0, "write": 0}}
CHEAP = {"input": 1, "output": 5, "cache": {"read": 0.1, "write": 1.25}}
MEDIUM = {"input": 3, "output": 15, "cache": {"read": 0.3, "write": 3.75}}
STRONG = {"input": 5, "output": 25, "cache": {"read": 0.5, "write": 6.25}}


class InitCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        (self.home / "config.toml").unlink()
        models = {"a/strong": STRONG, "a/medium": MEDIUM, "a/cheap": CHEAP, "b/tiny": TINY}
        text = "".join(listed(tier, cost=cost) for tier, cost in models.items())
        (self.fake.folder / "models").write_text(text)

    @property
    def text(self) -> str:
        return (self.home / "config.toml").read_text()

    @property
    def config(self) -> Config:
        return read_config(self.text, "config.toml", BACKENDS)

    def init(self, *argv: str, code: int = 0) -> dict[str, Any]:
        return self.ends(code, "init", "--json", *argv).json


class TestModels(InitCase):
    def test_the_recommended_binding_with_its_prices(self) -> None:
        said = self.init("--yes")
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/strong")
        self.assertEqual(self.config.tiers[Role.EXECUTOR], "a/cheap")
        price = self.config.pricing["a/strong"]
        self.assertEqual((price.input, price.output, price.cache_read), (5, 25, 0.5))
        self.assertEqual(sorted(self.config.pricing), ["a/cheap", "a/strong"])
        self.assertEqual(said["next_command"], ["director", "doctor"])
        self.assertIn("writes spec and plan", self.text)  # the comments of the example stay
        self.assertEqual(self.fake.calls(), [])

    def test_what_was_written_fits_the_window(self) -> None:
        said = self.ends(0, "init", "--yes", env={**self.env, "COLUMNS": "40"}).out
        self.assertLessEqual(max(map(len, said.splitlines())), 40)

    def test_named_models_win(self) -> None:
        self.init("--yes", "--set", "tiers.executor=b/tiny", "--set", "limits.max_attempts=2")
        self.assertEqual(self.config.tiers[Role.EXECUTOR], "b/tiny")
        self.assertEqual(self.config.tiers[Role.EXPLORER], "a/cheap")
        self.assertEqual(self.config.limits.max_attempts, 2)
        self.assertIn("b/tiny", self.config.pricing)

    def test_one_that_is_not_offered_is_refused(self) -> None:
        said = self.init("--yes", "--set", "tiers.executor=b/tinny", code=2)
        self.assertEqual(said["reason"], "model_unknown")
        self.assertIn("did you mean b/tiny?", said["next"])
        self.assertFalse((self.home / "config.toml").exists())

    def test_a_tier_that_there_is_not(self) -> None:
        said = self.init("--yes", "--set", "tiers.plannr=b/tiny", code=2)
        self.assertIn("did you mean tiers.planner?", said["next"])

    def test_a_value_that_cannot_be(self) -> None:
        self.init("--yes", "--set", "limits.max_attempts=many", code=2)
        self.init("--yes", "--set", "nonsense", code=2)
        self.assertFalse((self.home / "config.toml").exists())

    def test_without_a_terminal_nothing_is_chosen_silently(self) -> None:
        said = self.init(code=2)
        self.assertIn("--yes", said["next"])
        self.assertFalse((self.home / "config.toml").exists())

    def test_without_any_model(self) -> None:
        (self.fake.folder / "models").write_text("")
        said = self.init("--yes", code=2)
        self.assertIn("opencode auth login", said["next"])

    def test_all_tiers_named_need_no_offer(self) -> None:
        (self.fake.folder / "models").write_text("")
        self.init(*(f"--set=tiers.{role}=x/y" for role in Role))
        self.assertEqual(set(self.config.tiers.values()), {"x/y"})

    def test_another_cli_is_offered_too(self) -> None:
        (self.fake.folder / "models").write_text("")
        claude = self.fake.program.with_name("claude")
        claude.write_text("#!/bin/sh\necho 2.1.197\n")
        claude.chmod(0o755)
        self.init("--yes")
        self.assertEqual(self.config.tiers[Role.PLANNER], "claude-code/opus")
        self.assertEqual(self.config.tiers[Role.EXECUTOR], "claude-code/sonnet")


class TestFiles(InitCase):
    def test_commands_are_found_and_said(self) -> None:
        self.repo.write("tests/__init__.py", "")
        self.repo.write("tests/test_a.py", "import unittest\n")
        self.repo.write("setup.cfg", "[mypy]\nfiles = a.py\n")
        self.repo.write("Makefile", "lint:\n\ttrue\n")
        self.repo.commit("tools")
        program = self.fake.program.with_name("make")
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        said = self.init("--yes")
        self.assertEqual(self.config.gates["lint"], "make lint")
        self.assertIn("-m unittest", self.config.gates["test"])
        named = {one["name"] for one in [*said["gates"], *said["left_out"]]}
        self.assertEqual(named, {"test", "lint", "typecheck"})

    def test_a_tool_counts_only_where_setup_installs_it(self) -> None:
        self.repo.write("tests/test_a.py", "import pytest\n")
        self.repo.write(
            "pyproject.toml",
            '[project]\nname = "x"\n[project.optional-dependencies]\n'
            'tests = ["pytest", "mypy"]\ndocs = ["ruff"]\n[tool.ruff]\nfix = true\n[tool.mypy]\n',
        )
        self.repo.commit("tools")
        self.init("--yes")
        self.assertEqual(self.config.gates["typecheck"], ".venv/bin/mypy .")
        self.assertNotEqual(self.config.gates.get("lint"), ".venv/bin/ruff check .")

    def test_what_worktrees_need_is_written(self) -> None:
        self.repo.write("package.json", '{"scripts": {"test": "node --test", "lint": "x"}}')
        self.repo.write("package-lock.json", "{}")
        self.repo.commit("node")
        self.init("--yes")
        self.assertEqual(self.config.worktree.setup, "npm ci")

    def test_nothing_else_is_changed(self) -> None:
        before = self.repo.fingerprint()
        self.init("--yes")
        after = self.repo.fingerprint()
        self.assertEqual({k: v for k, v in after.items() if ".director" not in k},
                         {k: v for k, v in before.items() if ".director" not in k})  # fmt: skip
        self.assertEqual(self.left_behind(), [])


class TestWhatIsThere(InitCase):
    def test_an_edited_one_stays_and_the_difference_is_shown(self) -> None:
        self.init("--yes")
        mine = self.text.replace('"a/cheap"', '"b/tiny"').replace(
            "max_attempts       = 3", "max_attempts = 5"
        )
        (self.home / "config.toml").write_text(mine)
        done = self.ends(2, "init", "--yes")
        self.assertEqual(self.text, mine)
        self.assertIn("-max_attempts = 5", done.err)
        self.assertIn("--set", done.err)

    def test_single_keys_are_set_and_comments_stay(self) -> None:
        self.init("--yes")
        mine = self.text + "# mine\n"
        (self.home / "config.toml").write_text(mine)
        self.ends(0, "init", "--set", "tiers.executor=b/tiny", "--set", "gates.test=make check")
        self.assertEqual(self.config.tiers[Role.EXECUTOR], "b/tiny")
        self.assertEqual(self.config.gates["test"], "make check")
        lines = set(self.text.splitlines())
        gone = [line for line in mine.splitlines() if line not in lines]
        self.assertEqual(len(gone), 1, gone)
        self.assertIn("# implements the nodes: the cheap one", self.text)

    def test_a_mistake_is_not_written(self) -> None:
        self.init("--yes")
        before = self.text
        self.ends(2, "init", "--set", "tiers.executor=nonsense")
        self.ends(2, "init", "--set", "limts.max_attempts=2")
        self.assertEqual(self.text, before)

    def test_one_that_was_not_edited_is_made_again(self) -> None:
        self.init("--yes")
        self.init("--yes")
        self.ends(0, "sync-agents")
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/strong")  # sync-agents left it alone

    def test_the_starter_of_sync_agents_is_filled_in(self) -> None:
        self.ends(0, "sync-agents")
        self.init("--yes")
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/strong")

    def test_with_force_the_old_one_is_kept_beside(self) -> None:
        (self.home / "config.toml").write_text("# mine\n")
        self.init("--yes", "--force")
        self.assertEqual((self.home / "config.toml.old").read_text(), "# mine\n")
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/strong")


class TestQuestions(InitCase):
    """A person on a terminal."""

    def asked(self, code: int, *answers: bytes) -> str:
        """Answer the questions one by one; returns all that was on the terminal."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "init"],
            cwd=self.repo.root, env={**self.env, "PYTHONPATH": str(SOURCE), "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, ours)
        said, left = "", list(answers)
        while True:
            try:
                read = os.read(ours, 4096)
            except OSError:
                break
            said += read.decode(errors="replace")
            if left and re.search(r"(\]:|\?|reviews:|implements:|\[Y/n\]) $", said):
                if (answer := left.pop(0)) == CTRL_C:  # it is not the terminal's own session
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, answer)
                said += "\n"
        self.assertEqual(process.wait(), code, said)
        return said

    def test_a_binding_is_chosen(self) -> None:
        said = self.asked(0, b"9\n", b"2\n")
        self.assertIn("strong + cheap   (recommended)", said)
        self.assertIn("a/strong ($5 / $25) plans", said)
        self.assertIn("Answer with a number from 1 to 3", said)
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/medium")
        self.assertIn("Next: director doctor", said)

    def test_gates_are_confirmed_by_a_yes_or_a_no(self) -> None:
        self.repo.write("tests/__init__.py", "")
        self.repo.write("tests/test_a.py", "import unittest\n")
        self.repo.write("setup.cfg", "[mypy]\nfiles = a.py\n")
        self.repo.commit("tests")
        said = self.asked(0, b"1\n", b"what?\n", b"n\n")
        self.assertIn("Answer with y or n.", said)
        self.assertIn("  none: put your test command into [gates]", said)
        self.assertEqual(self.config.gates, {})

    def test_return_takes_the_first(self) -> None:
        self.asked(0, b"\n")
        self.assertEqual(self.config.tiers[Role.PLANNER], "a/strong")

    def test_models_are_named(self) -> None:
        said = self.asked(0, b"m\n", b"a/mediun\n", b"a/medium\n", b"b/tiny\n")
        self.assertIn("a/mediun is not offered", said)
        self.assertEqual(self.config.tiers[Role.EXECUTOR], "b/tiny")

    def test_the_end_of_the_input_writes_nothing(self) -> None:
        self.asked(2, b"\x04")
        self.assertFalse((self.home / "config.toml").exists())

    def test_ctrl_c_writes_nothing(self) -> None:
        self.asked(130, CTRL_C)
        self.assertFalse((self.home / "config.toml").exists())


class TestSpelling(InitCase):
    def test_toml_is_toml(self) -> None:
        self.init("--yes", "--set", 'pricing."a/cheap".output=7.5')
        self.assertEqual(tomllib.loads(self.text)["pricing"]["a/cheap"]["output"], 7.5)
