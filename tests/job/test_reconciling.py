"""What a run believes when it begins, in memory."""

from __future__ import annotations

import unittest
from typing import Any

from director.job.reconciling import merges_by_node, rebuilt, reconciled
from director.model.plan import Node, Plan
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome, NodeState, NodeStatus, RunState
from director.repositories.branch_commits import BranchCommit

RED = Attempt(Role.EXECUTOR, AttemptOutcome.RED)


def merge(node: str, tier: str = "executor", attempts: str = "2") -> BranchCommit:
    pairs = {
        "Director-Kind": "merge",
        "Director-Node": node,
        "Director-Tier": tier,
        "Director-Attempts": attempts,
    }
    return BranchCommit(f"commit-{node}", "tree", ("parent",), tuple(pairs.items()))


def state(**nodes: NodeState) -> RunState:
    return RunState("job", nodes)


class TestReconciled(unittest.TestCase):
    def begin(self, node: NodeState, *merged: BranchCommit, retry: bool = False) -> NodeState:
        found = reconciled(state(a=node), merges_by_node(merged), retry_failed=retry)
        return found.nodes["a"]

    def test_what_is_merged_is_done_whatever_the_state_says(self) -> None:
        for status in NodeStatus:
            node = self.begin(NodeState(status=status, error="?"), merge("a", "escalation", "3"))
            self.assertIs(node.status, NodeStatus.DONE)
            self.assertEqual((node.commit, node.error), ("commit-a", None))
            self.assertEqual((node.tier_used, node.attempts), (Role.ESCALATION, 3))
            self.assertTrue(node.escalated)

    def test_what_is_not_merged_is_not_done(self) -> None:
        for status in (NodeStatus.DONE, NodeStatus.RUNNING):
            node = self.begin(NodeState(status=status, past_attempts=(RED,)), merge("b"))
            self.assertIs(node.status, NodeStatus.PENDING)
            self.assertEqual(node.past_attempts, (RED,))

    def test_failed_nodes_stay_failed_until_they_get_a_fresh_set(self) -> None:
        for status in (NodeStatus.FAILED, NodeStatus.BLOCKED):
            failed = NodeState(status=status, past_attempts=(RED,), flake_failed=True, attempts=1)
            self.assertEqual(self.begin(failed), failed)
            again = self.begin(failed, retry=True)
            self.assertIs(again.status, NodeStatus.PENDING)
            self.assertEqual(
                (again.past_attempts, again.flake_failed, again.attempts), ((), False, 1)
            )

    def test_a_node_that_was_satisfied_has_no_tier(self) -> None:
        self.assertIsNone(self.begin(NodeState(), merge("a", "none", "0")).tier_used)

    def test_commits_of_other_kinds_are_no_merges(self) -> None:
        tests = BranchCommit("x", "t", (), (("Director-Kind", "tests"), ("Director-Node", "a")))
        self.assertEqual(merges_by_node([tests]), {})


class TestRebuilt(unittest.TestCase):
    def line(self, **changes: Any) -> dict[str, Any]:
        known: dict[str, Any] = {"kind": "node", "job_id": "job", "node": "a", "status": "failed"}
        return {**known, "attempts": 4, "tier_used": "escalation", "cost_usd": 0.5, **changes}

    def rebuild(self, *lines: dict[str, Any]) -> NodeState:
        node = Node("a", "a", "a", ("a",), (), "a", ("t",))
        plan = Plan("job", "task", "repo", "base", "now", "director/job-job", (node,))
        return rebuilt(plan, lines).nodes["a"]

    def test_a_failed_node_keeps_what_its_last_line_says(self) -> None:
        node = self.rebuild(self.line(attempts=1), self.line())
        self.assertIs(node.status, NodeStatus.FAILED)
        self.assertEqual((node.attempts, node.cost_usd), (4, 0.5))

    def test_lines_of_other_jobs_nodes_and_kinds_say_nothing(self) -> None:
        others = (self.line(job_id="x"), self.line(node="b"), self.line(kind="run"))
        self.assertEqual(self.rebuild(*others), NodeState())
