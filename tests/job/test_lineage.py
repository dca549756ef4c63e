"""Which commits are of a job, by parents and trailers.

With it: ``history``.
"""

import unittest

from director.job.trailers import why_foreign
from director.model.plan import Node, Plan
from director.repositories.branch_commits import BranchCommit

BEFORE = "b" * 40
NODE = Node("a", "A", "spec", ("a",), (), "sh t", ("t",))
PLAN = Plan("20260101-000000-aaaa", "task", "/repo", BEFORE, "now", "director/job-x", (NODE,))


def commit(job: str = PLAN.job_id, node: str = "a", kind: str = "merge", *parents: str) -> str:
    """Return why a commit with these trailers is foreign, or ""."""
    pairs = (("Director-Job", job), ("Director-Node", node), ("Director-Kind", kind))
    return why_foreign(PLAN, BranchCommit("c", "t", parents or (BEFORE,), pairs), BEFORE) or ""


class TestForeignness(unittest.TestCase):
    def test_directors_own(self) -> None:
        self.assertEqual(
            (commit(), commit(kind="tests"), commit(kind="tests", node="z")), ("",) * 3
        )

    def test_others(self) -> None:
        self.assertIn("Director-Job", commit("other"))
        self.assertIn("not in the plan", commit(node="z"))
        self.assertIn("neither a merge", commit(kind="?"))
        self.assertIn("one parent", commit(PLAN.job_id, "a", "merge", "d" * 40))
        self.assertIn("one parent", commit(PLAN.job_id, "a", "merge", BEFORE, "d" * 40))
        bare = BranchCommit("c", "t", (BEFORE,), ())
        self.assertIn("none", why_foreign(PLAN, bare, BEFORE) or "")

    def test_tests_from_which_a_bench_made_its_jobs(self) -> None:
        plan = PLAN._replace(job_id=f"{PLAN.job_id}-cheap")
        for kind, words in (("tests", ""), ("merge", "Director-Job")):
            pairs = (("Director-Job", PLAN.job_id), ("Director-Node", "a"), ("Director-Kind", kind))
            one = BranchCommit("c", "t", (BEFORE,), pairs)
            self.assertIn(words, why_foreign(plan, one, BEFORE) or "")
