"""Text fits the columns of a window, wide characters too."""

from __future__ import annotations

import unittest

from director.reporting.terminal.cells import width_of
from director.reporting.terminal.columns import folded, wrapped

TEXTS = (
    "",
    "short",
    "a line of words that does not fit into a narrow window at all, with 日本語 in it",
    "日本語" * 40,
    "x" * 300,
    "  indented text that goes on and on\n\n\tand a tab\n- a list item that is rather long, too",
    "e\u0301" * 100,
)


class TestColumns(unittest.TestCase):
    def test_no_line_is_wider_than_the_window(self) -> None:
        for text in TEXTS:
            for width in (4, 7, 40, 80, 200):
                for line in (*folded(text, width), *wrapped(text, width)):
                    self.assertLessEqual(width_of(line), width, (text, width))

    def test_nothing_is_lost_by_folding(self) -> None:
        for text in TEXTS:
            self.assertEqual("".join(folded(text, 9)), text.expandtabs(4).replace("\n", ""))

    def test_words_stay_whole_where_they_fit(self) -> None:
        lines = list(wrapped("one two three four five", 10))
        self.assertEqual(lines, ["one two", "three four", "five"])

    def test_words_are_not_lost_by_wrapping(self) -> None:
        for text in TEXTS:
            joined = "".join("".join(wrapped(text, 11)).split())
            self.assertEqual(joined, "".join(text.split()))

    def test_lines_keep_their_indentation(self) -> None:
        self.assertEqual(list(wrapped("  aa bb\n\ncc", 5)), ["  aa", "  bb", "", "cc"])
