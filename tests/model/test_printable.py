from __future__ import annotations

import unittest

from director.model.printable import one_line, printable


class TestPrintable(unittest.TestCase):
    def test_plain_text_stays_as_it_is(self) -> None:
        for text in ("", "a b", "a\n\tb", "Grüße 世界 👩‍💻"):
            self.assertEqual(printable(text), text)

    def test_escape_sequences_are_left_out(self) -> None:
        said = "\x1b[31mred\x1b[0m \x1b]0;a title\x07and \x1b[2J\x1b[1;1Hthe rest"
        self.assertEqual(printable(said), "red and the rest")

    def test_what_else_steers_a_terminal_is_spelled_out(self) -> None:
        self.assertEqual(printable("a\x07b\x9b31mc\x7f"), r"a\x07b\x9b31mc\x7f")
        self.assertEqual(printable("ab\u202ecd\udcff"), r"ab\u202ecd\udcff")
        self.assertEqual(printable("a\rb\r\nc"), "a\\rb\nc")
        self.assertEqual(printable("an open \x1b["), r"an open \x1b[")

    def test_one_line_has_single_blanks(self) -> None:
        self.assertEqual(one_line("  a\n\tb \x1b[1m c "), "a b c")
