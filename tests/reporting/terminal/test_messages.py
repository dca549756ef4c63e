from __future__ import annotations

import shlex
import unittest

from director.reporting.terminal.cells import width_of
from director.reporting.terminal.messages import fitted

PATH = "/home/sam/projects/a-long-name-of-a-project/.director/worktrees/agents/slot-1"


class TestFitted(unittest.TestCase):
    def test_what_fits_and_what_has_colours_stays_as_it_is(self) -> None:
        coloured = "\x1b[32m" + 20 * "word " + "\x1b[0m"
        for text in ("", "a\n\n  b", coloured):
            self.assertEqual(fitted(text, 40), text)

    def test_text_breaks_between_words_below_its_beginning(self) -> None:
        self.assertEqual(fitted("one two three", 9), "one two\n    three")
        self.assertEqual(fitted("  one two three", 11), "  one two\n    three")
        self.assertEqual(
            fitted("holds     the tip of it", 17), "holds     the tip\n          of it"
        )

    def test_a_path_is_whole_however_long_it_is(self) -> None:
        said = fitted(f"worktree  {PATH}\nIt is at {PATH} now, and stays there.", 80)
        self.assertEqual(said.count(PATH), 2)
        others = [line for line in said.split("\n") if PATH not in line]
        self.assertTrue(all(width_of(line) <= 80 for line in others), said)

    def test_a_command_can_be_copied(self) -> None:
        command = f"director give node --repo '{PATH} with blanks' --json"
        label, *lines = fitted(f"Next: {command}", 60).split("\n")
        self.assertEqual(label, "Next:")
        self.assertTrue(all(line.endswith(" \\") for line in lines[:-1]), lines)
        self.assertEqual(shlex.split("\n".join(lines).replace("\\\n", "")), shlex.split(command))

    def test_a_command_in_backticks_is_not_broken(self) -> None:
        said = fitted("director: there is no such job\n  next: see `director jobs --all`", 30)
        self.assertEqual(said.split("\n")[-1].strip(), "`director jobs --all`")
