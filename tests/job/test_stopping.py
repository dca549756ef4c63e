"""A run is ended from another terminal. With it: ``commands.stop``."""

from __future__ import annotations

import json
import os
import subprocess

from director.job.stopping import at_work, end
from director.model.errors import RequestError
from director.records.job_directory import Home
from director.records.lock import Holder, job_lock, read_holder, started_at
from tests.faults.cases import FaultCase, Running
from tests.support.fake_opencode import hang, mark, say, shell, wait_for, write
from tests.support.jobs import node


class TestStop(FaultCase):
    def setUp(self) -> None:
        super().setUp()
        self.on, self.finish = self.tmp / "on", self.tmp / "finish"

    def begin(self, *argv: str) -> Running:
        """Start a run, and return when its first agent is at work."""
        running = self.start(*argv)
        self.until(self.on)
        return running

    def working_run(self, *argv: str) -> Running:
        """Start a run of three nodes; the agent of the first waits until it is let go."""
        self.plan(node("a"), node("b"), node("c", depends_on=["a"]))
        work = write("a.txt", "good\n")
        self.implement("a", shell("sh tests/a.sh"), mark(self.on), wait_for(self.finish), work,
                       say("done"))  # fmt: skip
        return self.begin("run", *argv)

    def stop_beside(self, *argv: str) -> Running:
        """Start ``director stop``, and return when it has told the run."""
        stopping = self.start("stop", *argv)
        assert stopping.process.stderr is not None
        self.assertIn("to end after", stopping.process.stderr.readline())
        return stopping

    def test_the_run_ends_as_with_ctrl_c(self) -> None:
        self.plan(node("a"))
        self.implement("a", mark(self.on), hang(stubborn=True))
        running = self.begin("run")
        said = self.ends(0, "stop", "--json").json
        self.assertEqual(running.ended().code, 130)
        self.assertEqual(said["stopped"]["pid"], running.process.pid)
        self.assertEqual(said["stopped"]["command"], "director run")
        self.assertTrue(said["stopped"]["in_order"])
        self.assertEqual(said["stopped"]["ended"]["exit_code"], 130, said)
        self.assertIn("SIGINT", said["what"])
        self.assertEqual(said["next_command"], ["director", "run"])
        self.implement("a")
        self.ends(0, "run")

    def test_a_drained_run_uses_what_is_under_way_and_begins_nothing_more(self) -> None:
        running = self.working_run()
        calls = len(self.fake.calls())
        stopping = self.stop_beside("--drain")
        self.until_drained(running)
        self.finish.touch()
        done, stopped = running.ended(), stopping.ended()
        self.assertEqual((done.code, stopped.code), (3, 0), done.err + stopped.err)
        self.assertIn("Stopped as asked, after the calls under way; 1 of 3 nodes done", done.out)
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(len(self.fake.calls()), calls)
        for name in ("b", "c"):
            self.implement(name)
        self.ends(0, "run")  # no request is left for it

    def until_drained(self, running: Running) -> None:
        """Wait until the run has said that it was asked to end."""

        def has_said_so() -> bool:
            self.assertIsNone(running.process.poll())
            return "asked to stop" in (self.home / "events.jsonl").read_text()

        self.until(has_said_so)

    def test_a_drained_run_does_not_try_again(self) -> None:
        self.plan(node("a"))
        self.implement("a", shell("sh tests/a.sh"), mark(self.on), wait_for(self.finish),
                       write("a.txt", "bad\n"), say("done"))  # fmt: skip
        running = self.begin("run", "--json")
        stopping = self.stop_beside("--drain")
        self.until_drained(running)
        self.finish.touch()
        said = json.loads(running.ended().out)
        stopping.ended()
        self.assertEqual(said["exit_code"], 3)
        self.assertEqual(self.node_state("a")["status"], "pending")
        self.assertEqual(self.node_state("a")["attempts"], 1)
        self.implement("a")
        self.ends(0, "run")

    def test_planning_is_drained_too(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("explorer", mark(self.on), wait_for(self.finish), say("the recon"))
        running = self.begin("plan", "make a", "--json")
        stopping = self.stop_beside("--drain")
        self.until_drained(running)
        self.finish.touch()
        said = json.loads(running.ended().out)
        stopping.ended()
        self.assertEqual((said["exit_code"], said["reason"]), (3, "interrupted"))
        self.assertEqual(len(self.fake.calls()), 1)
        self.ends(0, "plan", "--continue")

    def test_where_nothing_runs_it_says_so(self) -> None:
        self.assertEqual(self.ends(0, "stop").out, "Nothing is running.\n")
        self.plan(node("a"))
        job = self.stored("plan.json")["job_id"]
        said = self.ends(0, "stop", "--job", job, "--json").json
        self.assertIsNone(said["stopped"])
        self.assertIn("job not found: nope", self.ends(2, "stop", "--job", "nope").err)

    def test_a_lock_that_a_killed_run_left_is_free(self) -> None:
        self.home.mkdir(exist_ok=True)
        holder = Holder(os.getpid(), "director run", "then", 1, os.uname().nodename)
        (self.home / "lock").write_text(json.dumps(holder._asdict()))
        self.assertEqual(self.ends(0, "stop").out, "Nothing is running.\n")

    def test_a_process_that_is_not_the_holder_gets_no_signal(self) -> None:
        home = Home(self.home)
        with job_lock(home.job.lock, "director run"):
            for other in ({"started": 1}, {"host": "elsewhere"}, {"started": None}):
                holder = read_holder(home.job.lock)
                assert holder is not None
                said = {**holder._asdict(), **other}
                before = home.job.lock.read_text()
                home.job.lock.write_text(json.dumps(said))
                work = at_work(home, None)
                assert work is not None
                with self.assertRaises(RequestError) as caught:
                    end(work, drain=True, given_up=lambda: True)
                self.assertIn("cannot tell director run", caught.exception.what)
                home.job.lock.write_text(before)

    def test_a_stranger_whom_the_lock_names_gets_no_signal(self) -> None:
        home = Home(self.home)
        stranger = subprocess.Popen(["sleep", "60"])
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        with job_lock(home.job.lock, "director run"):
            holder = read_holder(home.job.lock)
            assert holder is not None
            said = holder._replace(pid=stranger.pid, started=started_at(stranger.pid))
            home.job.lock.write_text(json.dumps(said._asdict()))
            done = self.ends(2, "stop")
            self.assertIn("that process does not have the lock", done.err)
        self.assertIsNone(stranger.poll())
