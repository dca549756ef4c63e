"""The value of a key is nowhere in what director writes or prints, and gates do not see it.

Covers ``job.forbidden``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import answer, fail, hang, mark, say, shell, stderr, write
from tests.support.jobs import SOURCE, JobCase, node, script_of_test

VALUE = 'sk-4f1"q\\qe/acme+90'
PLAIN = "plain-and-simple-4711"
FORMS = [value.encode() for value in (VALUE, json.dumps(VALUE)[1:-1], PLAIN)]
FORMS.append(json.dumps(json.dumps(VALUE))[3:-3].encode())


class SecretsCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.env = {**self.env, "ACME_API_KEY": VALUE, "ACME_TOKEN": PLAIN, "ACME_URL": "http://a"}
        self.said: list[bytes] = []

    def ends(self, code: int, *argv: str, **how: Any) -> Any:
        done = super().ends(code, *argv, **how)
        self.said += [done.out.encode(), done.err.encode()]
        return done

    def assert_nowhere(self) -> None:
        """Demand that no file under ``.director`` and no output holds a value."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        written = {str(path.relative_to(self.home)): path.read_bytes() for path in files}
        printed = {f"output {n}": said for n, said in enumerate(self.said)}
        for name, data in {**written, **printed}.items():
            if name != "config.toml":
                self.assertEqual([form for form in FORMS if form in data], [], name)

    def logs(self, pattern: str) -> str:
        """Return the text of all logs that fit."""
        return "".join(path.read_text() for path in sorted((self.home / "logs").glob(pattern)))


class TestValues(SecretsCase):
    def test_a_key_in_a_variable_that_only_the_section_of_an_agent_cli_names(self) -> None:
        self.configure('[codex]\nenv_key = "ACME_BILLING"\n')
        self.env["ACME_BILLING"] = self.env.pop("ACME_TOKEN")
        self.plan(node("a"), tests={"a": f'echo "billing $ACME_BILLING"\n{script_of_test("a")}'})
        self.implement("a", shell("echo $ACME_BILLING"), *self.good_work("a"))
        self.ends(0, "run", "--json")
        self.assertIn("billing [redacted ACME_BILLING]", self.logs("*"))  # the agent's
        gates = self.logs("a.*.gate*.log")
        self.assertIn("billing", gates)
        self.assertNotIn("redacted", gates)  # they do not have it
        self.assert_nowhere()

    def test_an_agent_that_prints_its_keys(self) -> None:
        show = shell('echo "$ACME_API_KEY $ACME_TOKEN"; env')
        self.plan(node("a"))
        self.implement("a", show, stderr(f"error: key {VALUE}"), say(f"I used {VALUE} and {PLAIN}"))
        self.implement("a", show, *self.good_work("a"))
        self.ends(0, "run", "--json")
        self.ends(0, "status", "--json")
        self.assertIn("[redacted ACME_API_KEY] [redacted ACME_TOKEN]", self.logs("*.jsonl"))
        errors = self.logs("*.err") + self.logs("server-*.log")  # of a call, or of the server
        self.assertIn("error: key [redacted ACME_API_KEY]", errors)
        self.assert_nowhere()

    def test_every_planning_role(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("explorer", say(f"the key is {VALUE}"))
        self.fake.always("brainstorm", say(f"use {PLAIN}"))
        told = answer({"nodes": [node("a", spec=f"send {VALUE}", title=f"Use {PLAIN}")]})
        self.fake.always("planner", told, heading="Plan")
        self.ends(0, "plan", f"call it with {VALUE}", "--no-critique")
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "status")
        self.assertEqual(self.stored("plan.json")["task"], "call it with [redacted ACME_API_KEY]")
        self.assertNotIn(PLAIN, "".join(call.prompt for call in self.fake.calls()))
        self.assertNotIn(VALUE, "".join(call.prompt for call in self.fake.calls()))
        self.assert_nowhere()

    def test_a_gate_that_prints_a_key_it_may_see(self) -> None:
        self.configure('[env]\npass = ["ACME_*"]\n')
        test_cmd = 'echo "with $ACME_API_KEY and $ACME_TOKEN"; sh tests/a.sh'
        self.plan(node("a", test_cmd=test_cmd))
        self.implement("a")
        self.ends(0, "run")
        mark = "with [redacted ACME_API_KEY] and [redacted ACME_TOKEN]"
        self.assertIn(mark, self.logs("a.*.log"))
        self.assertIn(mark, self.fake.calls()[-1].prompt)
        self.assert_nowhere()

    def test_a_key_in_a_file_never_reaches_the_branch(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", f"good {PLAIN}\n"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(self.node_state("a")["tries"][0]["outcome"], "out_of_scope")
        self.assertIn("A key from the environment is in a.txt", self.fake.calls()[-1].prompt)
        self.assertEqual(self.node_state("a")["tries"][0]["failure"]["candidate"], "")
        listed = self.repo.git("--git-dir", str(self.home / "job.git"), "for-each-ref")
        self.assertNotIn("attempts", listed)  # or a ref would keep it for ever
        self.assert_nowhere()

    def test_a_key_in_a_test_is_sent_back_to_its_author(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("test-author", write("tests/a.sh", f"echo {PLAIN}; exit 1\n"), node="a")
        self.ends(0, "plan", "make", "--no-critique")
        self.assertEqual(self.on_branch("tests/a.sh"), script_of_test("a").strip())
        self.assert_nowhere()

    def test_a_value_that_the_repository_holds_already_is_no_leak(self) -> None:
        self.repo.write("a.txt", f"example: {PLAIN}\n")
        self.repo.commit("an example")
        self.plan(node("a"))
        self.implement("a", write("a.txt", f"good example: {PLAIN}\n"))
        self.ends(0, "run")

    def test_a_provider_that_repeats_the_key(self) -> None:
        self.plan(node("a"))
        self.implement("a", fail("APIError", f"invalid key {VALUE}", 401))
        done = self.ends(3, "run", "--json")
        self.assertIn("invalid key [redacted ACME_API_KEY]", done.json["what"])
        self.assert_nowhere()

    def test_a_literal_key_of_a_local_provider(self) -> None:
        local = '[providers.local]\nbase_url = "http://127.0.0.1:9/v1"\napi_key = "%s"\n'
        env = {k: v for k, v in self.env.items() if not k.startswith("ACME_")}
        self.configure(local % PLAIN)
        self.script_planning(node("a"))
        self.ends(0, "plan", "make things", "--no-critique", env=env)
        self.implement("a", shell(f"echo {PLAIN}"), say(f"the key {PLAIN}"))
        self.implement("a", fail("APIError", f"bad key {PLAIN}", 401))
        self.ends(3, "run", env=env)
        self.assertIn("[redacted providers.local.api_key]", self.logs("*.jsonl"))
        self.assert_nowhere()

    def test_a_bug_report(self) -> None:
        broken = self.tmp / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import os, tomllib\ntomllib.loads = lambda _: {}[os.environ['ACME_TOKEN']]\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "director", "plan", "x", "--json"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"},
            capture_output=True,
        )
        self.assertEqual(done.returncode, 70)
        self.said += [done.stdout, done.stderr]
        (log,) = (self.home / "logs").glob("bug-*.log")
        self.assertIn("KeyError: '[redacted ACME_TOKEN]'", log.read_text())
        self.assertEqual(log.stat().st_mode & 0o777, 0o600)
        self.assert_nowhere()

    def test_logs_that_a_killed_run_left_are_cleaned_by_the_next(self) -> None:
        self.plan(node("a"))
        there = self.tmp / "there"
        self.implement("a", say(f"it is {PLAIN}"), stderr(VALUE), mark(there), hang())
        self.kill_at(there, "run")
        self.implement("a")
        self.ends(0, "run")
        self.assert_nowhere()


class TestGateEnvironment(SecretsCase):
    def shown(self, config: str) -> set[str]:
        """Return the ACME variables that a gate sees with ``config``."""
        self.configure(config + '[gates]\nshow = "env"\n')
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        lines = self.logs("integration.show.log").splitlines()
        return {line.partition("=")[0] for line in lines if line.startswith("ACME_")}

    def test_keys_are_withheld(self) -> None:
        self.assertEqual(self.shown(""), {"ACME_URL"})
        self.assertIn("DIRECTOR_PROCESS=", self.logs("integration.show.log"))

    def test_named_ones_pass(self) -> None:
        self.assertEqual(self.shown('[env]\npass = ["*_TOKEN"]\n'), {"ACME_URL", "ACME_TOKEN"})

    def test_everything_passes(self) -> None:
        everything = {"ACME_URL", "ACME_TOKEN", "ACME_API_KEY"}
        self.assertEqual(self.shown('[env]\npass = ["*"]\n'), everything)

    def test_more_is_dropped(self) -> None:
        self.assertEqual(self.shown('[env]\ndrop = ["ACME_U*"]\n'), set())

    def test_agents_keep_their_keys(self) -> None:
        self.plan(node("a"))
        seen = self.tmp / "seen"
        self.implement("a", shell(f"env > {seen}"), *self.good_work("a"))
        self.ends(0, "run")
        self.assertIn(f"ACME_TOKEN={PLAIN}", seen.read_text())


class TestForTheOwnerOnly(SecretsCase):
    def test_records_logs_and_the_job_repository(self) -> None:
        self.home.chmod(0o755)
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        open_ones = [
            str(path.relative_to(self.home))
            for path in self.home.rglob("*")
            if path.stat().st_mode & 0o077 and "job.git" not in path.parts
        ]
        self.assertEqual(open_ones, ["config.toml"])
        self.assertEqual((self.home / "job.git").stat().st_mode & 0o777, 0o700)
        cache = Path(self.env["XDG_STATE_HOME"]) / "director"
        self.assertEqual(cache.stat().st_mode & 0o777, 0o700)
