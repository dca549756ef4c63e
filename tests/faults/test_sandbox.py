"""A sandbox stands in front of every agent and gate; one that does not work is said at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.bubblewrap import bubblewrap_problem, documented_command
from tests.support.fake_opencode import hang, orphan, shell
from tests.support.jobs import SOURCE, JobCase, node

RECORDER = """\
#!/bin/sh
printf '%s\\n' "$1 $3" >> "$0.calls"
shift 2
exec "$@"
"""


class SandboxCase(JobCase):
    def sandbox(self, *command: str, more: str = "") -> None:
        """Configure a sandbox."""
        self.configure(f"[sandbox]\ncommand = {json.dumps(list(command))}\n{more}")

    def script(self, text: str) -> Path:
        """Return a program made of ``text``."""
        program = self.tmp / "box"
        program.write_text(text)
        program.chmod(0o755)
        return program


class TestAnySandbox(SandboxCase):
    def test_it_is_in_front_of_agents_and_gates(self) -> None:
        box = self.script(RECORDER)
        self.sandbox(str(box), "{worktree}", "--", more='[gates]\nall = "true"\n')
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        calls = [line.split(" ") for line in Path(f"{box}.calls").read_text().splitlines()]
        programs = [Path(program).name for _, program in calls]
        # planning: the trial, four roles, the gate on the tests; then the run; each asks for models
        self.assertEqual(programs.count("opencode"), 5 + 2)
        self.assertGreaterEqual(programs.count("sh"), 6)
        self.assertTrue(all(Path(worktree).is_absolute() for worktree, _ in calls))
        self.assertEqual(self.left_behind(), [])

    def test_one_string_is_split_like_a_shells(self) -> None:
        box = self.script(RECORDER)
        self.configure(f"[sandbox]\ncommand = \"{box} '{{git}}' --\"\n")
        self.plan(node("a"))
        git = Path(f"{box}.calls").read_text().split(" ")[0]
        self.assertEqual(git, str(self.home / "job.git"))

    def test_a_program_that_is_not_there(self) -> None:
        self.script_planning(node("a"))
        self.sandbox("no-such-box", "{worktree}")
        done = self.ends(2, "plan", "make things", "--no-critique")
        self.assertIn("the sandbox program 'no-such-box' was not found on PATH", done.err)
        self.assertIn("next: correct [sandbox]", done.err)
        self.assertEqual(self.fake.calls(), [])

    def test_one_that_does_not_work(self) -> None:
        self.script_planning(node("a"))
        for text, reason in (
            ("echo no namespaces here >&2; exit 1", "no namespaces here (exit code 1)"),
            ('unset DIRECTOR_PROCESS; exec "$@"', "DIRECTOR_PROCESS does not get through"),
            ('cd /; exec "$@"', "it does not start in the worktree"),
            ("kill -9 $$", "exit code -9"),
        ):
            self.sandbox(str(self.script(f"#!/bin/sh\n{text}\n")))
            done = self.ends(2, "plan", "make things", "--no-critique")
            self.assertIn("the sandbox does not work: ", done.err)
            self.assertIn(reason, done.err)
        self.assertEqual(self.fake.calls(), [])
        self.assertEqual(self.left_behind(), [])

    def test_one_that_goes_away_is_an_outside_reason(self) -> None:
        box = self.script(RECORDER)
        self.sandbox(str(box), "x", "--")
        self.plan(node("a"))
        self.implement("a", shell(f"rm {box}"), *self.good_work("a"))
        self.fake.always("executor", *self.good_work("a"))
        done = self.ends(3, "run")
        self.assertIn("No such file or directory", done.in_one_line)
        self.assertEqual(self.node_state("a")["status"], "pending")


class TestBubblewrap(SandboxCase):
    def setUp(self) -> None:
        super().setUp()
        if problem := bubblewrap_problem():
            print(f"\nskipped, bubblewrap does not work here: {problem}")
            self.skipTest(problem)
        self.sandbox(*self.bubblewrap())

    def bubblewrap(self) -> list[str]:
        """Return the documented command, with what this test needs below its private /tmp."""
        source, fake, program = str(SOURCE), str(self.fake.folder), str(self.fake.program.parent)
        needed = ["--ro-bind", source, source, "--ro-bind", program, program]
        return [*documented_command(), *needed, "--bind", fake, fake]

    def test_a_whole_job_in_the_documented_sandbox(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a", shell("git status --short && git log -1"), *self.good_work("a"))
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("b.txt"), "good")
        (used,) = [use for use in self.tools() if "git status" in use["input"].get("command", "")]
        self.assertEqual(used["metadata"]["exit"], 0, used)
        self.assertEqual(self.left_behind(), [])

    def test_nothing_outside_the_worktree_can_be_written(self) -> None:
        outside = self.repo.root / "outside"
        home = Path(self.env["HOME"]) / "outside"
        test_cmd = f"touch {home}; sh tests/a.sh"
        self.plan(node("a", test_cmd=test_cmd))
        self.implement("a", shell(f"touch {outside} {home}"), *self.good_work("a"))
        self.ends(0, "run")
        self.assertFalse(outside.exists())
        self.assertFalse(home.exists())
        (used,) = [use for use in self.tools() if "touch" in use["input"].get("command", "")]
        self.assertIn("Read-only file system", used["output"])

    def test_a_time_out_ends_everything_in_it(self) -> None:
        limits = "[limits]\nnode_timeout_secs = 3\nmax_attempts = 1\n"
        self.sandbox(*self.bubblewrap(), more=limits)
        self.plan(node("a"))
        self.implement("a", orphan("exec sleep 301"), hang(stubborn=True))
        self.implement("a")
        self.fake.always("reviewer", {"do": "say", "text": '{"verdict": "pass"}'})
        self.ends(0, "run")
        outcomes = [e["outcome"] for e in self.lines("events.jsonl") if e["kind"] == "call_ended"]
        self.assertIn("timed out", outcomes)
        self.assertEqual(self.left_behind(), [])

    def tools(self) -> list[dict[str, Any]]:
        """Return the state of every tool call in the logs."""
        logs = sorted((self.home / "logs").glob("*.jsonl"))
        events = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
        return [event["part"]["state"] for event in events if event["type"] == "tool_use"]
