"""Commands of next steps can be copied: they name what the command line named."""

from __future__ import annotations

import argparse
import unittest
from pathlib import Path

from director.command_line.again import Given

REPO = Given(repo="/my code")
LANES = Given(lanes="4")
BOTH = Given(repo="../other", lanes="auto")


class TestGiven(unittest.TestCase):
    def test_what_is_as_it_is_anyway_was_not_given(self) -> None:
        given = Given.of(argparse.Namespace(repo=Path(), parallel=1, words=("run",)))
        self.assertEqual(given, Given(("run",)))
        given = Given.of(argparse.Namespace(repo=Path("../other"), parallel=None))
        self.assertEqual(given, BOTH)
        self.assertEqual(Given.of(argparse.Namespace(parallel=4)), LANES)


class TestTexts(unittest.TestCase):
    def test_flags_come_after_the_command_and_are_quoted_for_a_shell(self) -> None:
        for text, wanted in (
            ("director run", "director run --repo '/my code'"),
            ("see x; `director plan --continue`", "see x; `director plan --repo '/my code' "
             "--continue`"),
            ("Next: director run", "Next: director run --repo '/my code'"),
            ("Done.\n    director logs a   its logs",
             "Done.\n    director logs --repo '/my code' a   its logs"),
            ("git diff a b, then git merge b",
             "git -C '/my code' diff a b, then git -C '/my code' merge b"),
        ):  # fmt: skip
            self.assertEqual(REPO.completed(text), wanted)

    def test_lanes_belong_to_commands_that_have_them(self) -> None:
        text = "`director status` shows all; `director run --retry-failed` tries again"
        wanted = (
            "`director status` shows all; `director run --parallel 4 --retry-failed` tries again"
        )
        self.assertEqual(LANES.completed(text), wanted)
        self.assertEqual(
            BOTH.completed("director run"), "director run --repo ../other --parallel auto"
        )

    def test_what_is_complete_or_no_command_stays(self) -> None:
        for text in (
            "`director run --retry-failed --repo x --parallel 2`",
            "usage: director run [-h]; see --help",
            "another director run works here",
            "`director run --help`",
            "`director demo`",
            "`git --git-dir x show y`",
        ):
            self.assertEqual(BOTH.completed(text), text)
        once = BOTH.completed("`director run --node a`, then git merge b")
        self.assertEqual(BOTH.completed(once), once)

    def test_arguments_are_completed_one_by_one(self) -> None:
        self.assertEqual(
            REPO.complete(("director", "run", "--node", "a b")),
            ("director", "run", "--repo", "/my code", "--node", "a b"),
        )


class TestNextCommand(unittest.TestCase):
    def command_in(self, text: str, *words: str) -> tuple[str, ...] | None:
        return Given(words).command_in(text)

    def test_the_first_command_that_is_named(self) -> None:
        self.assertEqual(self.command_in("director run"), ("director", "run"))
        said = "correct it, then `director plan --continue`"
        self.assertEqual(self.command_in(said), ("director", "plan", "--continue"))
        said = "`director status` shows all; `director run --retry-failed` tries again"
        self.assertEqual(self.command_in(said), ("director", "status"))

    def test_again_is_what_was_typed(self) -> None:
        for said in ("run the same command again to continue", "see x; then run the command again"):
            wanted = ("director", "plan", "my task", "--auto")
            self.assertEqual(self.command_in(said, "plan", "my task", "--auto"), wanted)

    def test_a_task_from_standard_input_cannot_be_given_again(self) -> None:
        self.assertIsNone(self.command_in("run the command again", "plan", "-"))

    def test_a_blank_to_be_filled_in_is_no_command(self) -> None:
        self.assertIsNone(self.command_in('begin one with `director plan "<task>"`'))

    def test_a_step_without_a_command(self) -> None:
        for said in ("", "install git", "correct [tiers]; `opencode models` lists them"):
            self.assertIsNone(self.command_in(said), said)

    def test_a_word_that_is_mistyped_is_replaced_in_what_was_typed(self) -> None:
        said = self.command_in("did you mean `director plan`?", "plna", "x", "--auto")
        self.assertEqual(said, ("director", "plan", "x", "--auto"))
