"""The useful end of a failing run: place and error, in at most twelve lines, without noise."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from director.model.testing.useful_end import LONGEST_LINE, MOST_LINES, useful_end
from tests.model.testing.test_headline import EXPECTED, output_of

HOME = "/home/me/levels"
FOLDERS = {"unittest": "py", "pytest": "py", "jest": "js", "node": "js", "vitest": "js", "go": "go"}
SHOWN = Path(__file__).with_name("useful_ends.txt").read_text(encoding="utf-8")
ENDS = dict(re.findall(r"^## (\S+)\n(.*?)\n(?=## |\Z)", SHOWN, re.MULTILINE | re.DOTALL))


def end_of(name: str) -> str:
    return useful_end(output_of(name), f"{HOME}/{FOLDERS.get(name.partition('-')[0], '.')}")


class TestUsefulEnd(unittest.TestCase):
    maxDiff = None

    def test_of_each_runner_it_is_place_and_error(self) -> None:
        self.assertEqual(ENDS.keys(), EXPECTED.keys())
        for name, expected in ENDS.items():
            with self.subTest(name):
                self.assertEqual(end_of(name), expected)

    def test_it_is_short_whatever_failed(self) -> None:
        for name in EXPECTED:
            with self.subTest(name):
                lines = end_of(name).splitlines()
                self.assertLessEqual(len(lines), MOST_LINES)
                self.assertLessEqual(max(map(len, lines)), LONGEST_LINE)

    def test_what_went_before_and_comes_after_is_left_out(self) -> None:
        for name in EXPECTED:
            with self.subTest(name):
                output = "noise\n" * 50_000 + output_of(name) + "\n" * 20 + "bye\n"
                self.assertNotIn("noise", useful_end(output))

    def test_of_a_long_failure_the_error_is_shown(self) -> None:
        output = output_of("pytest-unittest").replace(
            'self.assertEqual(levels("# a"), 3)', "\n".join(f"    line {n}" for n in range(40)), 1
        )
        shown = useful_end(output)
        self.assertIn("E   AssertionError: 2 != 3", shown)
        self.assertEqual(len(shown.splitlines()), MOST_LINES)

    def test_where_no_runner_is_recognised_it_is_the_last_lines_that_say_something(self) -> None:
        output = "".join(f"{n}\n\n" for n in range(40)) + "no good a\nexit status 1\n"
        shown = useful_end(output).splitlines()
        self.assertEqual((shown[-1], len(shown)), ("no good a", MOST_LINES))

    def test_of_nothing_there_is_nothing(self) -> None:
        self.assertEqual(useful_end(""), "")
        self.assertEqual(useful_end("\n---\n"), "")

    def test_frames_of_other_code_are_left_out_and_colours_too(self) -> None:
        output = (
            "Traceback (most recent call last):\n"
            '  File "/x/site-packages/tool.py", line 9, in run\n    go()\n'
            '  File "/w/a.py", line 1, in <module>\n    \x1b[31mx\x1b[0m\n'
            "NameError: name '\x1b[31mx\x1b[0m' is not defined\n"
        )
        self.assertEqual(useful_end(output, "/w"), "a.py:1\nNameError: name 'x' is not defined")

    def test_output_made_to_keep_it_busy_does_not(self) -> None:
        for line in (" ", "^", "|", " |", "  a.py:1: in x\n", "- ", "at ", "    \n", "E   \n"):
            with self.subTest(line):
                useful_end("FAIL: a (b)\n" + line * 100_000)  # minutes, were it cubic
