"""What the landing commit says, whatever the task and the titles hold.

With it: ``merging``.
"""

from __future__ import annotations

import unittest
from typing import Any

from director.landing.merging import Conflict, named, nodes_of
from director.landing.message import landing_message, lands, type_of
from director.model.commit_policy import CommitPolicy
from director.model.plan import Plan
from director.model.plan_reader import read_plan
from director.repositories.branch_commits import read_commit
from tests.support.jobs import node

TIP = "c" * 40


def plan_of(*nodes: dict[str, Any], task: str = "make things") -> Plan:
    return read_plan(
        {
            "job_id": "20260101-000000-abcd",
            "task": task,
            "repo": "/repo",
            "base_commit": "b" * 40,
            "created_at": "2026-01-01T00:00:00.000Z",
            "job_branch": "director/job-20260101-000000-abcd",
            "nodes": [{**one, "test_hashes": {}} for one in nodes],
        }
    )


def message_of(plan: Plan, policy: CommitPolicy, *, merge: bool = False, by: str = "") -> str:
    return landing_message(policy, plan, plan.nodes, TIP, merge=merge, by=by)


def commit_of(message: str) -> Any:
    return read_commit("a" * 40, f"tree {'d' * 40}\n\n{message}".encode())


class TestMessage(unittest.TestCase):
    def test_a_long_task_is_quoted_below_its_first_line(self) -> None:
        plan = plan_of(node("a"), task="\nDo it\n\nand well\n# ---- >8 ----\nDirector-Tip: no\n")
        message = message_of(plan, CommitPolicy())
        self.assertTrue(message.startswith("Do it\n\n> Do it\n>\n> and well\n"), message)
        self.assertNotIn(">8", message)
        self.assertTrue(lands(commit_of(message), plan, TIP))
        self.assertFalse(lands(commit_of(message), plan, "e" * 40))

    def test_the_template_and_the_sign_off_hold(self) -> None:
        plan = plan_of(node("a", type="docs"), node("b", type="feat"))
        policy = CommitPolicy("{type}: {title} ({node})")
        message = message_of(plan, policy, merge=True, by="Sam <s@example.org>")
        first = "feat: Merge director/job-20260101-000000-abcd: make things (a, b)"
        self.assertEqual(message.splitlines()[0], first)
        self.assertTrue(message.endswith("\nSigned-off-by: Sam <s@example.org>\n"))

    def test_the_weightiest_type_counts(self) -> None:
        self.assertEqual(
            type_of(plan_of(node("a", type="docs"), node("b", type="fix")).nodes), "fix"
        )
        self.assertEqual(type_of(plan_of(node("a", type="docs")).nodes), "docs")
        self.assertEqual(type_of(plan_of(node("a")).nodes), "chore")


class TestConflicts(unittest.TestCase):
    def test_files_are_named_with_their_nodes(self) -> None:
        plan = plan_of(node("a"), node("b", files=["b.txt", "x"]))
        self.assertEqual(nodes_of(plan, "tests/a.sh"), ("a",))
        self.assertEqual(nodes_of(plan, "other"), ())
        found = [Conflict("x", ("b",)), Conflict("other", ())]
        self.assertEqual(named(found), "x (node b), other")
