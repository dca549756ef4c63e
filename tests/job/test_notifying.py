"""The user's own command is told of pauses and ends. With it: ``processes.messenger``."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests.support.fake_opencode import fail
from tests.support.jobs import CONFIG, PRICING, JobCase, node
from tests.support.typist import Typist


class NotifyCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.told_in = self.place / "told"
        self.notify(f"cat >> {self.told_in}")

    def notify(self, command: str | list[str], more: str = "") -> None:
        self.configure(f"{more}\n[notify]\ncommand = {json.dumps(command)}\n")

    def told(self) -> list[dict[str, Any]]:
        """Return what the command was told since the last time."""
        if not self.told_in.exists():
            return []
        lines = self.told_in.read_text().splitlines()
        self.told_in.unlink()
        return [json.loads(line) for line in lines]


class TestNotifying(NotifyCase):
    def test_a_pause_is_told_once_with_what_to_do(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        (one,) = self.told()
        self.assertEqual((one["kind"], one["stage"]), ("approval_needed", "gate_spec"))
        self.assertEqual(one["schema"], "director.notify/1")
        self.assertEqual(one["job_id"], self.stored("plan_stage.json")["job_id"])
        self.assertEqual(one["repository"], str(self.repo.root))
        self.assertEqual((one["next"], one["exit_code"]), ("director plan --continue", 0))
        self.assertTrue(one["what"])
        self.ends(0, "plan", "--continue")
        (one,) = self.told()
        self.assertEqual((one["kind"], one["stage"]), ("approval_needed", "gate_plan"))
        self.ends(0, "plan", "--continue")
        (one,) = self.told()
        self.assertEqual((one["kind"], one["command"], one["exit_code"]), ("stopped", "plan", 0))

    def test_the_end_of_a_run_is_what_the_journal_says(self) -> None:
        self.plan(node("a"))
        self.told()
        self.implement("a", fail("APIError", "no such key", 401))
        self.ends(3, "run")
        (one,) = self.told()
        journal = [line for line in self.lines("events.jsonl") if line["kind"] == "stopped"][-1]
        self.assertEqual({**one, **journal}, one)
        self.assertEqual((one["reason"], one["exit_code"]), ("auth", 3))
        self.implement("a")
        self.ends(0, "run")
        (one,) = self.told()
        self.assertIn("Everything is done", one["what"])
        self.assertEqual(one["job_id"], self.stored("plan.json")["job_id"])

    def test_auto_and_bench_have_one_end(self) -> None:
        self.script_planning(node("a"))
        self.implement("a")
        self.ends(0, "auto", "make a")
        (one,) = self.told()
        self.assertEqual(one["command"], "auto")
        (self.home / "profiles").mkdir()
        for name in ("cheap", "dear"):
            profile = f'{CONFIG}{PRICING}\n[opencode]\nserver = "{self.server}"\n'
            (self.home / "profiles" / f"{name}.toml").write_text(profile)
        self.director("bench", "make b", "--profiles", "cheap,dear")
        (one,) = self.told()
        self.assertEqual((one["kind"], one["command"]), ("stopped", "bench"))

    def test_other_commands_are_none_of_its_business(self) -> None:
        self.plan(node("a"))
        self.told()
        for argv in (("status",), ("verify", "--rerun"), ("jobs",), ("take", "a")):
            self.director(*argv)
        self.assertEqual(self.told(), [])

    def test_at_a_terminal_a_pause_is_told_when_it_begins(self) -> None:
        self.script_planning(node("a"))
        with Typist(self.repo.root, self.env, "plan", "make a") as person:
            person.sees("[q]uit")
            deadline = time.monotonic() + 60
            while not (told := self.told()) and time.monotonic() < deadline:
                time.sleep(0.02)
            person.types("q")
            code, _ = person.leaves()
        self.assertEqual((code, [one["kind"] for one in told]), (0, ["approval_needed"]))
        self.assertEqual(told[0]["what"], "The spec waits for your approval")
        self.assertEqual(self.told(), [])

    def test_no_secret_is_told_that_the_journal_does_not_have(self) -> None:
        self.env["FAKE_API_KEY"] = "sk-12345-abcdefgh-very-secret"
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a with sk-12345-abcdefgh-very-secret", "--no-critique")
        self.implement("a", fail("APIError", "bad key sk-12345-abcdefgh-very-secret", 401))
        self.ends(3, "run")
        self.assertNotIn("very-secret", json.dumps(self.told()))

    def test_a_command_is_words_or_a_line_for_the_shell_at_the_root(self) -> None:
        self.script_planning(node("a"))
        program = "import os, sys; open(sys.argv[1], 'a').write(os.getcwd())"
        self.notify([sys.executable, "-c", program, str(self.told_in)])
        (self.repo.root / "deep").mkdir()
        self.ends(0, "plan", "make a", cwd=self.repo.root / "deep")
        self.assertEqual(self.told_in.read_text(), str(self.repo.root))


class TestTrouble(NotifyCase):
    def planned(self) -> tuple[str, str]:
        self.script_planning(node("a"))
        done = self.ends(0, "plan", "make a", "--json")
        self.assertTrue(done.json["ok"])
        return done.out, done.err

    def test_what_fails_is_a_notice(self) -> None:
        for command, why in (
            ("echo nobody there >&2; exit 7", "exit code 7: nobody there"),
            (["/nowhere/to/be/found"], "it cannot be started: No such file or directory"),
            ("kill -9 $$", "signal 9"),
        ):
            self.notify(command)
            self.script_planning(node("a"))
            done = self.ends(0, "plan", "make a", "--new", "--json")
            self.assertTrue(done.json["ok"])
            self.assertIn(f"[notify] command failed: {why}", done.err)

    def test_one_that_does_not_end_is_ended_with_all_it_started(self) -> None:
        self.notify(f"sleep 600 & sleep 600; touch {self.told_in}")
        _, err = self.planned()
        self.assertIn("[notify] command failed: it was ended after 10.0 s", err)
        self.assertFalse(self.told_in.exists())
        self.assertEqual(self.left_behind(), [])

    def test_one_that_reads_nothing_and_leaves_something_is_fine(self) -> None:
        self.notify(f"(exec 0<&-; touch {self.told_in}) & wait")
        _, err = self.planned()
        self.assertNotIn("[notify]", err)
        self.assertTrue(self.told_in.exists())

    def test_what_is_no_command_is_refused(self) -> None:
        for wrong in ("7", '["a", 1]', "{ x = 1 }"):
            self.configure(f"[notify]\ncommand = {wrong}\n")
            self.assertIn("notify.command", self.ends(2, "plan", "make a").err)
        self.configure('[notify]\ncomand = "x"\n')
        self.assertIn("notify.comand", self.ends(2, "plan", "make a").err)
