from __future__ import annotations

import unittest

from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import ASCII, UNICODE, Paint, Span, Style


class TestStyle(unittest.TestCase):
    def test_every_sign_has_one_in_ascii(self) -> None:
        for ours, plain in zip(UNICODE, ASCII, strict=True):
            self.assertTrue("".join(plain).isascii(), ours)
        self.assertEqual(Style(unicode=False).plain("a → b · 世 …"), "a -> b - ? ...")
        self.assertEqual(Style().plain("a → b · 世 …"), "a → b · 世 …")

    def test_colours_are_for_those_who_want_them(self) -> None:
        line = (Span("a", Paint.RED), Span(" b"))
        self.assertEqual(Style(colour=True).text_of(line, 9), "\x1b[31ma\x1b[0m b")
        self.assertEqual(Style(colour=False).text_of(line, 9), "a b")

    def test_a_line_is_cut_where_its_cells_end_colours_take_none(self) -> None:
        line = (Span("abc", Paint.RED), Span("世界世界"), Span("d"))
        self.assertEqual(Style().text_of(line, 6), "abc世…")
        self.assertEqual(Style(colour=True).text_of(line, 6), "\x1b[31mabc\x1b[0m世…")
        for width in range(1, 14):
            self.assertLessEqual(width_of(Style(unicode=False).text_of(line, width)), width)
