from __future__ import annotations

import unittest
from typing import Any

from director.records.events import Event, Kind
from director.reporting.live.progress import Progress
from director.reporting.live.story import story
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style
from tests.support.told import a_run, answers, attempt, call, ends, event, opened, take


class TestStory(unittest.TestCase):
    def setUp(self) -> None:
        self.run_ = take(a_run(a=()), attempt("a", 1), call("a", 1), answers("a", 2, 0.0009))

    def told(self, one: Event, style: Style | None = None, width: int = 79) -> list[str]:
        return story(one, take(self.run_, one), style or Style(), width)

    def test_a_node_that_is_done_is_one_line(self) -> None:
        said = "✓ a                executor, 2 attempts, 1:48, $0.0009"
        self.assertEqual(self.told(ends("a", 9, attempts=2, wall_secs=108.0)), [said])

    def test_so_is_one_that_needed_no_call(self) -> None:
        said = "✓ a                done already: its tests pass without a call"
        self.assertEqual(self.told(ends("a", 9, tier=None, attempts=0)), [said])

    def test_and_one_that_failed(self) -> None:
        failed = {"error": "Long\nstory", "failure": {"headline": "2 != 3"}, "attempts": 3}
        (said,) = self.told(ends("a", 9, "failed", **failed), Style(colour=True, unicode=False))
        self.assertEqual(said, "\x1b[31mx\x1b[0m a                failed after 3 attempts: 2 != 3")

    def test_lines_fit(self) -> None:
        failed = ends("a" * 90, 9, "failed", error="目次 " * 80)
        for width in (20, 39, 79):
            (said,) = self.told(failed, width=width)
            self.assertLessEqual(width_of(said), width)

    def test_notices_are_broken_between_words(self) -> None:
        notice = event(Kind.NOTICE, message="one two\nthree \x1b[31mfour")
        self.assertEqual(self.told(notice, width=16), ["· one two three", "  four"])

    def test_gates_are_told_but_those_that_nothing_waits_for(self) -> None:
        gate: dict[str, Any] = {
            "name": "lint",
            "verdict": "green",
            "reason": "exit code 0",
            "command": "lint",
        }
        self.assertTrue(self.told(event(Kind.INTEGRATION_GATE, **gate))[0].startswith("✓ integr"))
        gate["verdict"] = "red"
        self.assertTrue(self.told(event(Kind.INTEGRATION_GATE, **gate))[0].startswith("✗ integr"))
        setup: dict[str, Any] = {**gate, "slot": 1, "worktrees": 2, "wall_secs": 1.0}
        self.assertEqual(len(self.told(event(Kind.SETUP, **setup))), 1)
        self.assertEqual(self.told(event(Kind.SETUP, **{**setup, "verdict": "green"})), [])

    def test_what_goes_on_is_not_told_here(self) -> None:
        for one in (attempt("a", 3), call("a", 4), answers("a", 5), event(Kind.CLOSED)):
            self.assertEqual(self.told(one), [])

    def test_planning_is_told_by_its_stages(self) -> None:
        plan = take(
            Progress("plan"), opened(planned=False), event(Kind.STAGE_ENTERED, stage="spec")
        )
        found = answers(None, 4, 0.02, agent="explorer", wall_secs=34.0)
        said = story(found, take(plan, found), Style(), 79)
        self.assertEqual(said, ["✓ explore          0:34, $0.0200"])
        failed = answers(None, 4, agent="explorer", outcome="provider fault")
        self.assertEqual(story(failed, take(plan, failed), Style(), 79), [])
        admitted = event(Kind.TESTS_ADMITTED, "a", tests=["t1", "t2"])
        (said_of_tests,) = story(admitted, take(plan, admitted), Style(), 79)
        self.assertEqual(said_of_tests, "✓ a                2 test files, red as they should be")
