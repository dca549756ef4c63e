"""With it: ``model.diagnosis``."""

from __future__ import annotations

import unittest

from director.model.diagnosis import Level, Row, ok, problem, warning
from director.reporting.diagnosis import render_row, total
from director.reporting.terminal.style import Style

LONG = "the repository keeps files in Git LFS, which git is not set up for: they stay pointers"


class TestRows(unittest.TestCase):
    def test_a_fix_stands_below(self) -> None:
        row = warning("prices", "no price for p/m", "add one", "config.toml:3")
        expected = "! prices        config.toml:3: no price for p/m\n                → add one"
        self.assertEqual(render_row(row, Style()), expected)

    def test_lines_are_as_wide_as_they_may_be(self) -> None:
        for width in (40, 80, 200):
            lines = render_row(problem("Git LFS", LONG, LONG), Style(width)).splitlines()
            self.assertLessEqual(max(map(len, lines)), width)

    def test_in_ascii(self) -> None:
        self.assertTrue(render_row(problem("git", "no", "yes"), Style(unicode=False)).isascii())

    def test_the_mark_alone_has_a_colour_where_there_are_any(self) -> None:
        said = render_row(problem("git", "no", "yes"), Style(colour=True))
        self.assertTrue(said.startswith("\x1b[31m✗\x1b[0m git  "), said)
        self.assertEqual(said.count("\x1b"), 2)

    def test_nothing_that_a_program_said_controls_the_terminal(self) -> None:
        said = render_row(problem("gate", "\x1b[2J\x07red\nline", "x"), Style())
        self.assertNotIn("\x1b", said)
        self.assertIn("red line", said)


class TestTotal(unittest.TestCase):
    def test_it_counts(self) -> None:
        rows = [ok("a", ""), problem("b", "", ""), warning("c", "", ""), warning("d", "", "")]
        self.assertEqual(total(rows), "1 problem, 2 warnings, 1 ok")
        self.assertEqual(total(rows[:1]), "no problems, 1 ok")

    def test_it_says_what_calls_cost(self) -> None:
        paid = Row(Level.OK, "live", "", usd=0.01)
        unknown = paid._replace(usd=None)
        self.assertIn("the calls cost $0.0100", total([paid]))
        self.assertIn("the calls cost $0.0100 + 1 unpriced call", total([paid, unknown]))
        self.assertIn("the calls cost 2 unpriced calls", total([unknown, unknown]))
