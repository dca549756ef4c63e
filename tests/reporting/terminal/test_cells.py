from __future__ import annotations

import unittest

from director.reporting.terminal.cells import cut, filled, width_of, wrapped, wrapped_prose


class TestWidth(unittest.TestCase):
    def test_letters_take_one_cell_wide_ones_two_and_what_combines_none(self) -> None:
        cells = {
            "": 0,
            "abc": 3,
            "grün": 4,
            "世界": 4,
            "ｆｕｌｌ": 8,
            "e\u0301": 1,
            "a\u200db": 2,
            "🎉": 2,
        }
        for text, width in cells.items():
            self.assertEqual(width_of(text), width, text)


class TestCut(unittest.TestCase):
    def test_what_fits_stays(self) -> None:
        self.assertEqual(cut("abc", 3), "abc")
        self.assertEqual(cut("世界", 4), "世界")

    def test_what_does_not_fit_ends_in_a_sign(self) -> None:
        self.assertEqual(cut("abcdef", 4), "abc…")
        self.assertEqual(cut("abcdef", 4, "..."), "a...")
        self.assertEqual(cut("a bcdef", 3), "a…")

    def test_no_letter_is_cut_in_half(self) -> None:
        for width in range(12):
            self.assertLessEqual(width_of(cut("世界 e\u0301a世界", width)), width)

    def test_there_may_be_no_room_for_the_sign(self) -> None:
        self.assertEqual((cut("abc", 0), cut("abc", 1), cut("abcdef", 2, "...")), ("", "a", "ab"))


class TestFilled(unittest.TestCase):
    def test_blanks_come_after_or_before(self) -> None:
        self.assertEqual(filled("世", 4), "世  ")
        self.assertEqual(filled("a", 3, right=True), "  a")
        self.assertEqual(filled("abc", 2), "abc")


class TestWrapped(unittest.TestCase):
    def test_lines_are_broken_between_words(self) -> None:
        self.assertEqual(list(wrapped("aa bb cc dd", 5, " ")), ["aa bb", " cc", " dd"])

    def test_a_word_that_is_too_long_stays_whole(self) -> None:
        self.assertEqual(list(wrapped("a bbbbbbbb c", 4, "  ")), ["a", "  bbbbbbbb", "  c"])

    def test_a_command_stays_whole_where_a_line_has_room_for_it(self) -> None:
        text = "say it with (`ab cd ef`), please"
        self.assertEqual(
            [*wrapped_prose(text, 16, "  ")], ["say it with", "  (`ab cd ef`),", "  please"]
        )
        self.assertEqual([*wrapped_prose("`aaa bbb ccc` d", 9, " ")], ["`aaa bbb", " ccc` d"])
        self.assertEqual([*wrapped_prose("one ` alone", 5)], ["one `", "alone"])

    def test_blanks_at_the_beginning_stay(self) -> None:
        self.assertEqual(list(wrapped("12:00  a b", 8, "  ")), ["12:00  a", "  b"])
        self.assertEqual(list(wrapped("", 8)), [""])
