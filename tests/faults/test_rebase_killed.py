"""kill −9 while a job is rebased: the old job or the new one, whole.

Of ``running.rebasing`` and ``job.switching``.
"""

from __future__ import annotations

import random
import time

from tests.faults.test_crashes import POINTS, KilledCase
from tests.support.fake_opencode import hang, mark, write
from tests.support.jobs import node


class TestKilledRebase(KilledCase):
    def test_killed_at_random_points_the_job_is_the_old_or_the_new_one(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]), node("c"))
        for name in ("a", "c"):
            self.implement(name)
        self.ends(0, "run", "--node", "a", "--node", "c")
        before = self.stored("plan.json")["base_commit"]
        self.repo.write("more.txt", "x\n")
        self.repo.git("add", "more.txt")
        self.repo.git("commit", "--quiet", "--message", "more")
        new = self.repo.git("rev-parse", "HEAD")
        chance, seen = random.Random(11), set()
        for _ in range(POINTS):
            done = not self.killed_after(chance.uniform(0.1, 1.2), "rebase", "--yes")
            self.ends(0, "verify")
            base = self.stored("plan.json")["base_commit"]
            self.assertIn(base, (before, new))
            self.assertEqual(self.repo.git("merge-base", self.branch, "main"), base)
            self.assertEqual(self.node_state("a")["status"], "done")
            seen.add(base)
            if done or base == new:
                break
        self.ends(0, "rebase", "--yes")
        self.implement("b")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")
        self.assertEqual(list(self.home.glob("rebasing*")), [])
        self.assertEqual(self.left_behind(), [])

    def test_what_a_killed_run_left_unused_is_used_before_the_job_moves(self) -> None:
        self.plan(node("a"))
        self.implement("a", *self.good_work("a"), mark(self.tmp / "on"), hang())
        self.kill_at(self.tmp / "on", "run")
        self.repo.write("more.txt", "x\n")
        self.repo.git("add", "more.txt")
        self.repo.git("commit", "--quiet", "--message", "more")
        told = self.ends(2, "rebase", "--yes", "--json").json
        self.assertIn("a-executor-1", told["what"])
        self.assertIn("director run", told["next"])
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "rebase", "--yes")
        self.ends(0, "verify")

    def test_words_of_an_attempt_that_was_interrupted_are_told_on_the_new_base(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a", mark(self.tmp / "on"), hang())
        process = self.started("run")
        while not (self.tmp / "on").exists():
            time.sleep(0.01)
        process.terminate()
        process.wait()
        self.repo.write("more.txt", "x\n")
        self.repo.git("add", "more.txt")
        self.repo.git("commit", "--quiet", "--message", "more")
        self.ends(0, "rebase", "--yes")
        self.implement("a")
        self.ends(0, "run")
        self.assertIn("was not accepted", self.fake.calls()[-1].prompt)
        self.assertEqual(self.on_branch("more.txt"), "x")
        self.ends(0, "verify", "--rerun")
