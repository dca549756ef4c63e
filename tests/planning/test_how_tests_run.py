"""How tests run, in the words of ``planning.prompts``."""

from __future__ import annotations

import unittest

from director.model.config import WorktreePolicy
from director.model.testing.preflight import Difference, Observation, Outcome, Preflight
from director.planning.prompts import how_tests_run


class TestHowTestsRun(unittest.TestCase):
    def test_what_a_worktree_holds(self) -> None:
        plain = how_tests_run(WorktreePolicy(), (), Preflight())
        self.assertIn("A worktree holds the tracked files of one commit; nothing else", plain)
        policy = WorktreePolicy(setup="npm ci", copy=(".env",), keep=("target",))
        text = how_tests_run(policy, (".env", "data", "target"), Preflight())
        self.assertIn(
            "holds the tracked files of one commit, what `npm ci` made there beforehand, "
            "copies of `.env`, `data` and the build folders `target`; nothing else",
            text,
        )

    def test_of_commands_what_was_seen(self) -> None:
        for seen, words in (
            (
                Observation("t", Outcome.GREEN, tests=1),
                "Seen to run in a worktree, before any work: `t` (green, 1 test)",
            ),
            (Observation("t", Outcome.RED, tests=2), "before any work: `t` (red, 2 tests)"),
            (Observation("t", Outcome.RED), "Shows no test in a worktree: `t` (red)"),
            (
                Observation("t", Outcome.GREEN, tests=0),
                "Shows no test in a worktree: `t` (green, 0 tests)",
            ),
            (Observation("t", Outcome.CANNOT_RUN, "no x"), "Cannot run in a worktree: `t` (no x)"),
        ):
            text = how_tests_run(WorktreePolicy(), (), Preflight((Difference(seen),)))
            self.assertIn(words, text)
        ended = Preflight((Difference(Observation("t", Outcome.ENDED)),))
        self.assertNotIn("`t`", how_tests_run(WorktreePolicy(), (), ended))

    def test_an_example_with_a_command_that_was_seen(self) -> None:
        told = Preflight(runners=("Go",), example="a_test.go")
        text = how_tests_run(WorktreePolicy(), (), told)
        self.assertIn("Interpreter and test runner: Go.", text)
        self.assertIn("- An existing test file: `a_test.go`.\n", text)
        alone = Preflight(example="a_test.go", example_run=Observation("go test .", Outcome.GREEN))
        text = how_tests_run(WorktreePolicy(), (), alone)
        self.assertIn("`a_test.go`. Seen to run it alone: `go test .` (green).", text)
