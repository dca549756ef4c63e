"""What a candidate is, and whose attempt is next.

With it: ``feedback``.
"""

from __future__ import annotations

import unittest

from director.job.attempts import Scope, judge_snapshot, needs_stage_two, next_role
from director.model.config import ReviewPolicy
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome
from director.worktrees.snapshot import Snapshot

E, X = Role.EXECUTOR, Role.ESCALATION


def snapshot(
    *changed: str, tree: str = "new", strays: tuple[str, ...] = (), links: tuple[str, ...] = ()
) -> Snapshot:
    return Snapshot(tree, frozenset(changed), strays, links)


class TestNextRole(unittest.TestCase):
    def after(
        self, *attempts: tuple[Role, AttemptOutcome], most: int = 2, veto: bool = True
    ) -> Role | None:
        done = [Attempt(role, outcome) for role, outcome in attempts]
        return next_role(done, most, veto=veto)

    def test_the_executor_has_its_attempts_then_the_escalation_tier_has_one(self) -> None:
        self.assertIs(self.after(), E)
        self.assertIs(self.after((E, AttemptOutcome.RED)), E)
        self.assertIs(self.after((E, AttemptOutcome.RED), (E, AttemptOutcome.UNCHANGED)), X)
        self.assertIsNone(
            self.after(
                (E, AttemptOutcome.RED), (E, AttemptOutcome.OUT_OF_SCOPE), (X, AttemptOutcome.RED)
            )
        )

    def test_only_the_models_own_failures_spend_an_attempt(self) -> None:
        for innocent in (AttemptOutcome.COLLIDED, AttemptOutcome.FLAKY):
            with self.subTest(innocent):
                self.assertIs(self.after((E, innocent), most=1), E)

    def test_a_veto_spends_an_attempt_of_the_escalation_tier_too(self) -> None:
        blocked = AttemptOutcome.BLOCKED
        self.assertIs(self.after((E, blocked)), E)
        self.assertIs(self.after((E, blocked), (E, blocked)), X)
        self.assertIsNone(self.after((E, blocked), (E, AttemptOutcome.RED), (X, blocked)))

    def test_without_a_veto_an_objection_spends_nothing(self) -> None:
        blocked = AttemptOutcome.BLOCKED
        self.assertIs(self.after((E, blocked), most=1, veto=False), E)
        self.assertIs(self.after((E, AttemptOutcome.RED), (X, blocked), most=1, veto=False), X)

    def test_a_node_that_stays_flaky_is_given_up_without_escalation(self) -> None:
        self.assertIsNone(self.after((E, AttemptOutcome.FLAKY), (E, AttemptOutcome.FLAKY)))

    def test_a_prompt_too_long_for_the_executor_escalates_at_once(self) -> None:
        self.assertIs(self.after((E, AttemptOutcome.CONTEXT_TOO_LONG), most=3), X)

    def test_an_escalated_node_stays_escalated_after_a_collision(self) -> None:
        self.assertIs(
            self.after(
                (E, AttemptOutcome.RED), (E, AttemptOutcome.RED), (X, AttemptOutcome.COLLIDED)
            ),
            X,
        )


class TestJudgeSnapshot(unittest.TestCase):
    def judge(self, seen: Snapshot) -> tuple[AttemptOutcome | None, str]:
        found = judge_snapshot(seen, Scope("base", ["a.py"], ["tests/t.py"]))
        return found.outcome, found.feedback

    def test_changes_within_the_allowlist_are_fit_for_the_gate(self) -> None:
        self.assertEqual(self.judge(snapshot("a.py")), (None, ""))

    def test_a_changed_test_violates_the_contract_and_is_named(self) -> None:
        outcome, feedback = self.judge(snapshot("a.py", "tests/t.py"))
        self.assertIs(outcome, AttemptOutcome.CONTRACT_VIOLATED)
        self.assertIn("tests/t.py", feedback)

    def test_a_changed_file_outside_the_allowlist_is_out_of_scope(self) -> None:
        outcome, feedback = self.judge(snapshot("a.py", "setup.cfg"))
        self.assertIs(outcome, AttemptOutcome.OUT_OF_SCOPE)
        self.assertIn("setup.cfg", feedback)

    def test_a_file_replaced_by_a_link_is_out_of_scope(self) -> None:
        self.assertIs(self.judge(snapshot("a.py", links=("a.py",)))[0], AttemptOutcome.OUT_OF_SCOPE)

    def test_nothing_changed_is_said(self) -> None:
        self.assertIs(self.judge(snapshot(tree="base"))[0], AttemptOutcome.UNCHANGED)

    def test_strays_are_dropped_and_named(self) -> None:
        outcome, feedback = self.judge(snapshot("a.py", strays=("notes.md",)))
        self.assertIsNone(outcome)
        self.assertIn("notes.md", feedback)

    def test_what_the_coding_agent_itself_writes_is_no_edit(self) -> None:
        seen = snapshot("a.py", "opencode.json", ".opencode/package.json", strays=(".opencode/",))
        self.assertEqual(self.judge(seen), (None, ""))


class TestStageTwo(unittest.TestCase):
    def test_wide_or_escalated_diffs_are_read(self) -> None:
        policy = ReviewPolicy(stage_two_file_threshold=3)
        self.assertFalse(needs_stage_two(policy, E, 3))
        self.assertTrue(needs_stage_two(policy, E, 4))
        self.assertTrue(needs_stage_two(policy, X, 1))

    def test_never_when_it_is_off(self) -> None:
        self.assertFalse(needs_stage_two(ReviewPolicy(stage_two=False), X, 99))
