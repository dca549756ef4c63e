"""What shows a job hears when it is opened and when it is closed.

With it: ``live_file``, ``job_agents``.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

from tests.support.fake_opencode import hang, shell
from tests.support.jobs import JobCase, node


class TestTold(JobCase):
    def kinds(self, code: int, *argv: str) -> list[str]:
        """Run director, and return the kinds of the events that it tells programs."""
        told = self.ends(code, *argv, "--events").out.splitlines()
        return [str(json.loads(line).get("kind")) for line in told]

    def test_a_job_is_opened_and_closed_however_it_ends(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        done = self.kinds(0, "run")
        self.assertEqual((done[0], done.count("opened"), done.count("closed")), ("opened", 1, 1))
        self.assertLess(done.index("run_ended"), done.index("closed"))

    def test_so_is_one_that_an_error_ends(self) -> None:
        self.plan(node("a"))
        self.configure('[worktree]\nsetup = "exit 3"\n')
        told = self.director("run", "--events").out
        self.assertEqual((told.count('"kind": "opened"'), told.count('"kind": "closed"')), (1, 1))

    def test_neither_is_on_record(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        kinds = {line["kind"] for line in self.lines("events.jsonl")}
        self.assertFalse(kinds & {"opened", "closed", "call_progress"})


class TestLiveFile(JobCase):
    def live(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Return the first live file that tells of a tool."""
        path = self.home / "live.json"
        while True:
            self.assertIsNone(process.poll(), "it ended")
            found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
            if any(one["tool"] for one in found.get("nodes", {}).values()):
                return found
            time.sleep(0.02)

    def test_another_process_can_see_what_goes_on(self) -> None:
        self.env["A_TOKEN"] = "do-not-show-me-17"
        self.plan(node("a"))
        self.implement("a", shell("echo do-not-show-me-17"), hang())
        process = self.started("run")
        try:
            found = self.live(process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
        self.assertEqual((found["pid"], found["command"]), (process.pid, "director run"))
        said = found["nodes"]["a"]
        self.assertEqual((said["role"], said["attempt"], said["tool"]), ("executor", 1, "bash"))
        self.assertEqual(said["argument"], "echo [redacted A_TOKEN]")
        self.assertFalse((self.home / "live.json").exists())

    def test_what_a_killed_run_left_goes_with_the_next_one(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell("true"), hang())
        process = self.started("run")
        try:
            self.live(process)
        finally:
            process.kill()
            process.wait()
        self.assertTrue((self.home / "live.json").exists())
        self.implement("a")
        self.ends(0, "run")
        self.assertFalse((self.home / "live.json").exists())
