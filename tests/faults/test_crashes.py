"""kill −9 at any moment: the same branch, nothing paid twice, nothing done that is not merged.

Covers ``job.opening``.

With it: ``remembered``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import (
    Step,
    answer,
    finish,
    hang,
    mark,
    say,
    shell,
    silent_shell,
    wait_for,
    write,
)
from tests.support.jobs import JobCase, node

POINTS = int(os.environ.get("DIRECTOR_KILLS", "20"))


def put_down(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and wait until it is gone."""
    process.kill()
    process.wait()


class KilledCase(JobCase):
    def kill_once_written(self, call: str) -> Step:
        """Return a step that kills director when the answer before it is on disk.

        ``call`` is a part of the name of the call's log; director's process id is in ``tmp/pid``.
        """
        written = f"grep -l step_finish {self.home}/logs/*{call}*"
        kill = f"kill -9 $(cat {self.tmp}/pid)"
        return silent_shell(f"until {written}; do sleep 0.01; done; {kill}")

    def wait_for_log(self, name: str, text: bytes) -> Path:
        """Wait until a call's events hold ``text``; their names begin with ``name``."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for log in (self.home / "logs").glob(f"{name}*.jsonl"):
                if text in log.read_bytes():
                    return log
            time.sleep(0.002)
        raise AssertionError(f"{name} never said {text!r}")

    def killed_after(self, secs: float, *argv: str) -> bool:
        """Run director and kill it after ``secs``; returns whether it was still running."""
        process = self.started(*argv)
        try:
            process.wait(timeout=secs)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        return False


class TestKilled(KilledCase):
    def script(self) -> None:
        """Script a job with a retry, an escalation with review, and a dependent node."""
        nodes = [node("a"), node("b"), node("c", depends_on=["a", "b"])]
        self.script_planning(*nodes)
        for name in "abc":
            self.fake.always("executor", *self.good_work(name), node=name)
        self.fake.always("reviewer", answer({"verdict": "pass", "summary": "fine", "findings": []}))

    def outcome(self) -> tuple[list[str], dict[str, str]]:
        """Return the subjects on the branch, and the trees' content, as a run left them."""
        log = self.repo.git("log", "--format=%s", f"main..{self.branch}").splitlines()
        names = self.repo.git("ls-tree", "-r", "--name-only", self.branch).splitlines()
        return sorted(log), {name: str(self.on_branch(name)) for name in names}

    def calls_that_ended(self) -> list[str]:
        """Return node and attempt of each call that finished, as the fake's own logs have it."""
        ended = []
        for log in sorted((self.home / "logs").glob("*.jsonl")):
            lines = log.read_text().splitlines()
            last = json.loads(lines[-1]) if lines else {}
            if last.get("part", {}).get("reason") == "stop":
                ended.append(log.name.partition(".agent")[0])
        return sorted(ended)

    def check_records(self) -> None:
        """Each finished call is billed once, and each node is told of once."""
        billed = [line["log"] for line in self.lines("costs.jsonl") if line["ok"]]
        self.assertEqual(len(billed), len(set(billed)))
        done = [
            line["node"]
            for line in self.lines("metrics.jsonl")
            if line["kind"] == "node" and line["status"] == "done"
        ]
        self.assertEqual(sorted(done), ["a", "b", "c"])
        self.assertEqual(self.left_behind(), [])

    def test_a_run_killed_at_random_points_ends_like_one_that_was_not(self) -> None:
        self.script()
        self.ends(0, "plan", "make", "--no-critique")
        planned = self.calls_that_ended()
        chance = random.Random(20)
        before = self.repo.fingerprint()
        kills = 0
        while kills < POINTS:
            if not self.killed_after(chance.uniform(0.15, 0.9), "run", "--parallel", "2"):
                break
            kills += 1
        self.ends(0, "run", "--parallel", "2")
        subjects, files = self.outcome()
        self.assertEqual(
            subjects, sorted([*(f"Make {n}" for n in "abc"), *(f"Tests of {n}" for n in "abc")])
        )
        self.assertEqual({files[f"{n}.txt"] for n in "abc"}, {"good"})
        ended = self.calls_that_ended()
        self.assertEqual(ended, sorted([*planned, *(f"{n}.1" for n in "abc")]))
        self.check_records()
        self.assertEqual(self.repo.fingerprint(), before)

    def test_planning_killed_at_random_points_pays_for_nothing_twice(self) -> None:
        self.script()
        chance = random.Random(7)
        argv = ("plan", "make", "--no-critique", "--parallel", "2")
        for _ in range(POINTS // 2):
            if not self.killed_after(chance.uniform(0.15, 0.8), *argv):
                break
        if not (self.home / "plan_stage.json").exists() or (
            self.stored("plan_stage.json")["stage"] != "ready"
        ):
            self.ends(0, *argv)
        ended = self.calls_that_ended()
        self.assertEqual(ended, sorted({*ended}))
        self.assertEqual(
            set(ended),
            {"plan.recon", "plan.spec", "plan.nodes-1", *(f"{n}.tests-1" for n in "abc")},
        )
        self.ends(0, "run")

    def test_a_call_that_ended_unseen_is_used_and_billed_once(self) -> None:
        self.plan(node("a"))
        self.implement("a", *self.good_work("a"))
        process = self.started("run")
        log = self.wait_for_log("a.1", b'"reason": "stop"')
        put_down(process)
        self.assertTrue(log.exists())
        self.ends(0, "run")
        asked = [call for call in self.fake.calls() if call.heading == "Implement"]
        self.assertEqual(len(asked), 1)
        billed = [line for line in self.lines("costs.jsonl") if line["role"] == "executor"]
        self.assertEqual(len(billed), 1)

    def test_what_a_killed_run_left_in_a_worktree_is_not_lost_to_another_node(self) -> None:
        self.plan(node("a"), node("b"), node("z", depends_on=["a"]))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.implement("b", *self.good_work("b"), finish(), hang())
        one_lane = ("run", "--parallel", "1", "--max-attempts", "1")
        process = self.started(*one_lane)
        self.wait_for_log("b.1", b'"reason": "stop"')
        put_down(process)
        for name in "az":
            self.implement(name)
        self.ends(0, *one_lane, "--retry-failed")
        asked = [call.node for call in self.fake.calls() if call.heading == "Implement"]
        self.assertEqual(asked.count("b"), 1)

    def test_who_did_it_is_who_was_asked_whatever_the_tier_names_since(self) -> None:
        self.plan(node("a"))
        self.implement("a", *self.good_work("a"))
        process = self.started("run")
        self.wait_for_log("a.1", b'"reason": "stop"')
        put_down(process)
        config = self.home / "config.toml"
        moved = config.read_text().replace('executor = "fake/cheap"', 'executor = "fake/other"')
        config.write_text(moved)
        self.ends(0, "run")
        (receipt,) = self.lines("receipts.jsonl")
        used = json.loads((self.home / "state.json").read_text())["nodes"]["a"]["model_used"]
        self.assertEqual((receipt["model"], used), ("fake/cheap", "fake/cheap"))
        self.ends(0, "verify")

    def test_an_agent_that_outlives_a_killed_run_is_ended_by_the_next(self) -> None:
        self.plan(node("a"))
        self.fake.queue("executor", shell(f"touch {self.tmp}/began; sleep 300"), node="a")
        self.implement("a")
        self.kill_at(self.tmp / "began", "run")
        self.assertNotEqual(self.left_behind(), [])
        done = self.ends(0, "run")
        self.assertIn("killed run left behind", done.err)
        self.assertEqual(self.left_behind(), [])
        cut_short = [line for line in self.lines("costs.jsonl") if not line["ok"]]
        self.assertEqual(len(cut_short), 1)

    def test_feedback_survives_a_kill(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.fake.queue("executor", shell(f"touch {self.tmp}/began; sleep 300"), node="a")
        self.kill_at(self.tmp / "began", "run")
        self.implement("a")
        self.ends(0, "run")
        last = self.fake.calls()[-1].prompt
        self.assertIn("Attempt: 2", last)
        self.assertIn("was not accepted", last)

    def test_status_asks_the_lock_whether_a_run_is_under_way(self) -> None:
        self.plan(node("a"))
        self.implement("a", mark(self.tmp / "on"), hang())
        process = self.started("run")
        while not (self.tmp / "on").exists():
            time.sleep(0.01)
        self.assertTrue(self.ends(0, "status", "--json").json["under_way"])
        put_down(process)
        lock = self.stored("lock")
        self.assertEqual(lock["pid"], process.pid)
        (self.home / "lock").write_text(json.dumps({**lock, "pid": os.getpid()}))  # used again
        self.assertFalse(self.ends(0, "status", "--json").json["under_way"])
        self.assertIn("the run was killed", self.ends(0, "status").out)
        self.implement("a")
        self.ends(0, "run")

    def test_a_review_that_ended_unseen_counts_once_and_is_not_paid_for_again(self) -> None:
        free = '[sandbox]\nmode = "off"\n'  # the agent itself kills director
        self.configure(f"[review]\nstage_two_file_threshold = 0\n{free}")
        finding = {"severity": "critical", "file": "a.txt", "problem": "hard-coded"}
        block = answer({"summary": "it cheats", "findings": [finding]})
        self.plan(node("a"))
        self.implement("a")
        self.implement("a", write("a.txt", "good and honest\n"))
        there = wait_for(self.tmp / "pid-is-there")
        self.fake.queue(
            "reviewer", block, finish(), there, self.kill_once_written("review.agent"), hang()
        )
        self.fake.queue("reviewer", answer({"summary": "fine", "findings": []}))
        process = self.started("run")
        (self.tmp / "pid").write_text(str(process.pid))
        (self.tmp / "pid-is-there").touch()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.ends(0, "run")
        asked = [call.heading for call in self.fake.calls()][-4:]
        self.assertEqual(asked, ["Implement", "Review", "Implement", "Review"])
        for said in ("a.txt: hard-coded", "is still there"):
            self.assertIn(said, self.fake.calls()[-2].prompt)
        state = self.node_state("a")
        self.assertEqual((state["review_blocks"], state["attempts"]), (1, 2))
        self.assertEqual([t["outcome"] for t in state["tries"]], ["blocked_by_review", "green"])
        self.assertEqual(self.on_branch("a.txt"), "good and honest")
        reviews = [line for line in self.lines("costs.jsonl") if line["role"] == "reviewer"]
        self.assertEqual(len(reviews), 2)

    def test_a_damaged_state_is_rebuilt_from_branch_and_journals(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        for _ in range(2):
            self.implement("b", write("b.txt", "bad\n"))
        self.ends(1, "run", "--max-attempts", "1")
        before = {name: self.node_state(name) for name in "ab"}
        (self.home / "state.json").write_text('{"job_id": "x", "nodes": {"a": {"sta')
        calls = len(self.fake.calls())
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("damaged", done.err)
        self.assertEqual(len(self.fake.calls()), calls)
        kept = ("status", "attempts", "tier_used", "escalated", "cost_usd", "tokens")
        for name in "ab":
            after: dict[str, Any] = self.node_state(name)
            self.assertEqual({k: after[k] for k in kept}, {k: before[name][k] for k in kept})
        self.assertTrue((self.home / "state.damaged").exists())

    def test_a_state_that_says_done_is_not_believed_over_the_branch(self) -> None:
        self.plan(node("a"))
        state = {"job_id": self.stored("plan.json")["job_id"], "nodes": {"a": {"status": "done"}}}
        (self.home / "state.json").write_text(json.dumps(state))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")

    def test_a_lock_file_that_git_left_behind_does_not_stop_the_next_run(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        for place in (self.home / "job.git", self.repo.root / ".git"):
            lock = place / "refs" / "heads" / f"{self.branch}.lock"
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.touch()
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")

    def test_the_answer_of_a_role_that_only_reads_is_used_after_a_kill(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("explorer", say("the recon"), shell(f"touch {self.tmp}/x"))
        process = self.started("plan", "make", "--no-critique")
        self.wait_for_log("plan.recon", b'"reason": "stop"')
        put_down(process)
        self.ends(0, "plan", "make", "--no-critique")
        self.assertEqual(sum(call.heading == "Recon" for call in self.fake.calls()), 1)


class TestForged(KilledCase):
    """An agent may write refs while director is dead: what is not on record is not believed."""

    def killed_while(self, command: str) -> None:
        """Let the agent of node a run ``command`` and hang, then kill director."""
        self.plan(node("a"), node("b"))
        hanging = shell(f"{command}; touch {self.tmp}/began; sleep 300")
        self.fake.queue("executor", hanging, node="a")
        self.kill_at(self.tmp / "began", "run", "--node", "a")
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual((self.on_branch("a.txt"), self.on_branch("b.txt")), ("good", "good"))
        self.ends(0, "verify")

    def test_a_forged_merge_on_the_branch_is_not_believed(self) -> None:
        message = "b\n\nDirector-Kind: merge\nDirector-Node: b\n"
        (self.tmp / "message").write_text(message)
        self.killed_while(
            f"echo forged > b.txt; git add -A; git commit -qF {self.tmp}/message; "
            "git for-each-ref --format='%(refname)' | while read r; do git update-ref $r HEAD; done"
        )

    def test_a_branch_that_an_agent_deleted_is_there_again(self) -> None:
        self.killed_while("git for-each-ref --format='delete %(refname)' | git update-ref --stdin")
