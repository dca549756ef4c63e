"""What ``director status`` shows, and its JSON; ``run`` ends with the same screen.

With it: what it counts (``rates``), ``job_screen``, ``status.stats``, ``status.as_json``.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from typing import Any

from director.records.lock import job_lock, read_holder
from tests.support.fake_opencode import fail, write
from tests.support.jobs import NO_REPAIR, SOURCE, JobCase, node

COMMON = ("schema", "command", "ok", "exit_code", "reason", "what", "next", "next_command")


class TestStatus(JobCase):
    def a_failed_run(self) -> str:
        """Let a of a and b be done, b fail twice in the same way; return what the run says."""
        self.plan(node("a"), node("b"))
        self.implement("a")
        for _ in range(2):
            self.implement("b", write("b.txt", "bad\n"))
        return self.ends(1, "run", "--max-attempts", "1").out

    def test_a_failed_run_ends_with_the_screen_of_status(self) -> None:
        said = self.a_failed_run()
        self.assertEqual(said, self.ends(0, "status").out)
        self.assertIn("✗ 1 of 2 nodes done, 1 failed.", said)

    def test_a_person_who_sees_that_screen_knows_cause_file_and_next_command(self) -> None:
        said = self.a_failed_run()
        self.assertIn("no good b", said)
        self.assertRegex(said, r"\nNext, one of:\n    director amend b  +the test")
        self.assertIn("director logs b", said)
        (log,) = re.findall(r"output +(\.director/logs/\S+) +\(\d+ lines?\)\n", said)
        self.assertIn("no good b", (self.repo.root / log).read_text())
        self.assertIn("sh tests/b.sh   exit code 1 (same failure 2 times)\n", said)

    def test_other_ends_are_the_screen_of_status_too(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.configure("[limits]\nprovider_retries = 0\n")
        self.implement("a", fail("APIError", "too many requests", 429))
        stopped = self.ends(3, "run").out
        self.assertEqual(stopped, self.ends(0, "status").out)
        self.assertRegex(stopped, r"^■ Stopped: ")
        self.implement("a")
        self.assertEqual(self.ends(0, "run", "--node", "a").out, self.ends(0, "status").out)
        self.implement("b")
        done = self.ends(0, "run").out
        self.assertEqual(done, self.ends(0, "status").out)
        self.assertRegex(done, r"^✓ Everything is done \(2 nodes\)")

    def test_a_red_integration_gate_ends_with_the_screen_of_status(self) -> None:
        self.configure(NO_REPAIR + '[gates]\nwhole = "! test -e a.txt"\n')
        self.plan(node("a"))
        self.implement("a")
        said = self.ends(1, "run").out
        self.assertEqual(said, self.ends(0, "status").out)
        self.assertIn("turned red by the merge of a", said)
        (log,) = re.findall(r"output +(\S+)", said)
        self.assertTrue((self.repo.root / log).is_file())

    def test_shows_every_node_and_what_it_took(self) -> None:
        self.a_failed_run()
        shown = self.ends(0, "status", "--all").out
        self.assertRegex(shown, r"✓ +a +done +executor +1 +\$0\.0012")
        self.assertRegex(shown, r"✗ +b +failed +escalation +2")

    def test_stats_are_the_rates_and_the_costs(self) -> None:
        self.a_failed_run()
        self.assertNotIn("escalation rate", self.ends(0, "status").out)
        shown = self.ends(0, "status", "--stats").out
        self.assertIn("executor-tier completion  50.0 % (target > 70 %)", shown)
        self.assertIn("escalation rate           50.0 %", shown)
        self.assertIn("watched it fail first     1 of 2", shown)
        self.assertRegex(shown, r"by role +calls")
        self.assertRegex(shown, r"fake/cheap +2")

    def test_json_is_one_object(self) -> None:
        self.plan(node("a"))
        said = self.ends(0, "status", "--json").json
        self.assertLessEqual({*COMMON, "job_id"}, said.keys())
        self.assertEqual((said["schema"], said["ok"]), ("director.status/1", True))
        self.assertEqual(said["next_command"], ["director", "run"])
        self.assertEqual((said["stage"], said["standing"]), ("ready", "ready"))
        self.assertEqual(said["nodes"]["a"]["status"], "pending")
        self.assertEqual(set(said["by_role"]), {"explorer", "planner", "test_author"})
        self.assertEqual((said["unpriced_calls"], said["process"]), (0, None))
        self.assertAlmostEqual(said["cost_known"], said["cost_total"])

    def test_json_of_a_failed_run(self) -> None:
        self.a_failed_run()
        said = self.ends(0, "status", "--json").json
        self.assertEqual((said["standing"], said["failed"], said["killed"]), ("failed", 1, False))
        self.assertIsNone(said["nodes"]["a"]["failure"])
        self.assertEqual(said["nodes"]["b"]["failure"]["headline"], "no good b")
        self.assertEqual(said["last_end"]["reason"], "node_failed")
        self.assertRegex(said["what"], "^1 of 2 nodes done, 1 failed.$")
        self.assertRegex(said["last_end"]["at"], r"^\d{4}-.*Z$")

    def test_an_unpriced_call_is_counted_beside_what_is_known(self) -> None:
        self.configure("", pricing=False)
        self.plan(node("a"))
        said = self.ends(0, "status", "--json").json
        self.assertEqual((said["cost_total"], said["cost_known"]), (None, 0))
        self.assertGreater(said["unpriced_calls"], 2)

    def test_while_planning_it_says_where_planning_stands(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        shown = self.ends(0, "status").out
        self.assertIn("Planning waits for your approval of the spec.", shown)
        self.assertIn("director plan --continue", shown)

    def test_another_job(self) -> None:
        self.plan(node("a"))
        job = self.stored("plan.json")["job_id"]
        self.script_planning(node("b"))
        self.ends(0, "plan", "another", "--new", "--no-critique")
        shown = self.ends(0, "status", "--job", job).out
        self.assertIn(f"job {job}", shown)
        self.assertIn(f"director plan --resume {job}", shown)
        wrong = self.ends(2, "status", "--job", f"{job}x")
        self.assertIn(f"did you mean {job}?", wrong.err)

    def test_damaged_lines_are_skipped_and_said(self) -> None:
        self.plan(node("a"))
        with (self.home / "costs.jsonl").open("a") as stream:
            stream.write('{"role": "exec')
        self.assertIn("skipped 1 damaged line in costs.jsonl", self.ends(0, "status").out)

    def test_it_writes_nothing(self) -> None:
        self.plan(node("a"))
        before = {p: p.stat().st_mtime_ns for p in self.home.rglob("*")}
        self.ends(0, "status")
        self.assertEqual({p: p.stat().st_mtime_ns for p in self.home.rglob("*")}, before)

    def test_in_a_plain_checkout_git_is_not_asked(self) -> None:
        self.plan(node("a"))
        folder = self.repo.root / "deep" / "er"
        folder.mkdir(parents=True)
        shown = self.ends(0, "status", cwd=folder, env={**self.env, "PATH": ""}).out
        self.assertEqual(shown, self.ends(0, "status").out)

    def test_it_fits_the_width_it_is_told_and_ascii(self) -> None:
        self.a_failed_run()
        for width in (40, 80, 200):
            env = {**self.env, "COLUMNS": str(width), "PYTHONIOENCODING": "ascii"}
            shown = self.ends(0, "status", env=env).out
            self.assertTrue(shown.isascii())
            for line in shown.splitlines():
                self.assertTrue(len(line) <= width or len(line.split()) <= 2, line)


class TestWatch(JobCase):
    """A job that another process works on: this one, as far as anybody can see."""

    def live(self, **calls: Any) -> None:
        """Say in the live file what the calls of nodes are at."""
        holder = read_holder(self.home / "lock")
        known = {"pid": os.getpid(), "started": holder.started if holder else None}
        said = {**known, "command": "director run", "lanes": 2, "nodes": calls}
        (self.home / "live.json").write_text(json.dumps(said))

    def state(self, status: str) -> None:
        job = self.stored("plan.json")["job_id"]
        state = {"job_id": job, "nodes": {"a": {"status": status}}}
        (self.home / "state.json").write_text(json.dumps(state))

    def started_watching(self, stdout: int, *flags: str, **env: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "director", "status", "--watch", *flags],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1", **env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def test_without_a_process_it_shows_the_job_once(self) -> None:
        self.plan(node("a"))
        shown = self.ends(0, "status", "--watch").out
        self.assertEqual(shown, self.ends(0, "status").out)

    def test_says_who_works_on_the_job_and_on_what(self) -> None:
        self.plan(node("a"))
        self.state("running")
        call = {"role": "executor", "attempt": 2, "tier": "executor", "model": "fake/cheap",
                "since": "2027-01-15T08:00:00.000Z", "usd": 0.5, "tool": "edit",
                "argument": "a.txt"}  # fmt: skip
        with job_lock(self.home / "lock", "director run"):
            self.live(a=call)
            shown = self.ends(0, "status").out
            said = self.ends(0, "status", "--json").json
        self.assertIn(f"director run (process {os.getpid()}) since", shown)
        self.assertIn(", 2 lanes", re.sub(r"\s+", " ", shown))
        self.assertRegex(shown, r"● +a +running +executor +2 +\$0\.5000 +\S+ +edit a\.txt")
        self.assertEqual(said["standing"], "working")
        self.assertEqual((said["under_way"], said["process"]["pid"]), (True, os.getpid()))
        self.assertEqual(said["process"]["lanes"], 2)
        self.assertEqual(said["nodes"]["a"]["live"]["tool"], "edit")

    def test_a_live_file_of_a_killed_process_is_not_believed(self) -> None:
        self.plan(node("a"))
        self.state("running")
        self.live(a={"tool": "edit"})
        shown = self.ends(0, "status").out
        self.assertIn("the run was killed", shown)
        self.assertNotIn("edit", shown)

    def test_piped_it_tells_what_is_new_and_ends_with_the_job(self) -> None:
        self.plan(node("a"))
        self.state("pending")
        with job_lock(self.home / "lock", "director run"):
            watching = self.started_watching(subprocess.PIPE)
            out = watching.stdout
            assert out is not None and watching.stderr is not None
            self.addCleanup(out.close)
            self.addCleanup(watching.stderr.close)
            first = out.readline().decode()
            self.state("running")
            for line in out:
                if b"a running" in line:
                    break
        rest = out.read().decode()
        self.assertEqual(watching.wait(), 0)
        self.assertIn("0 of 1 node done", first)
        self.assertIn("the command has ended", rest)
        self.assertIn("the run was killed", rest)
        self.assertNotIn("\x1b", rest)

    def test_on_a_terminal_it_is_drawn_again_in_its_place(self) -> None:
        self.plan(node("a"))
        self.state("running")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with job_lock(self.home / "lock", "director run"):
            watching = self.started_watching(theirs, TERM="xterm")
            os.close(theirs)
            assert watching.stderr is not None
            self.addCleanup(watching.stderr.close)
            seen = _read_until(ours, rb"\x1b\[\d+A\r")
        seen += _read_until(ours, rb"the run was killed")
        self.assertEqual(watching.wait(), 0)
        self.assertIn(b"0 of 1 node done, 1 running", seen)
        self.assertEqual(seen.count(b"the run was killed"), 1)

    def test_ctrl_c_ends_the_watching_only(self) -> None:
        self.plan(node("a"))
        with job_lock(self.home / "lock", "director run"):
            watching = self.started_watching(subprocess.PIPE)
            assert watching.stdout is not None and watching.stderr is not None
            self.addCleanup(watching.stdout.close)
            self.addCleanup(watching.stderr.close)
            watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            self.assertEqual(watching.wait(), 130)
            self.assertEqual(watching.stderr.read(), b"")


def _read_until(descriptor: int, pattern: bytes) -> bytes:
    """Return what a terminal shows until that is seen."""
    seen = b""
    deadline = time.monotonic() + 60
    while not re.search(pattern, seen) and time.monotonic() < deadline:
        try:
            seen += os.read(descriptor, 4096)
        except OSError:  # no one is at the other end any more
            break
    return seen
