"""kill −9 while a job is rebased: the old job or the new one, whole.

Of ``running.rebasing`` and ``job.switching``.
"""

from __future__ import annotations

import random

from tests.faults.test_crashes import POINTS, KilledCase
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
