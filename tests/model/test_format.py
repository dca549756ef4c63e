from __future__ import annotations

import unittest

from director.model.format import clock, counted, duration, money, table, yes_no


class TestWords(unittest.TestCase):
    def test_money_keeps_the_digits_that_matter_and_unknown_is_no_number(self) -> None:
        self.assertEqual([money(0), money(0.00123), money(12.345)], ["$0.00", "$0.0012", "$12.35"])
        self.assertEqual(money(None), "unknown")

    def test_durations_read_as_people_say_them(self) -> None:
        self.assertEqual(duration(3.21), "3.2 s")
        self.assertEqual(duration(125), "2 min 05 s")
        self.assertEqual(duration(7260), "2 h 01 min")

    def test_a_stop_watch(self) -> None:
        said = [clock(one) for one in (-1, 9, 71, 3700)]
        self.assertEqual(said, ["0:00", "0:09", "1:11", "1:01:40"])

    def test_counts_and_answers(self) -> None:
        self.assertEqual([counted(1, "node"), counted(0, "node")], ["1 node", "0 nodes"])
        self.assertEqual(
            [yes_no(True), yes_no(False), yes_no(None, "not run")], ["yes", "no", "not run"]
        )

    def test_columns_are_as_wide_as_their_widest_cell(self) -> None:
        self.assertEqual(table(("a", "b"), [("long", "x")]), "a     b\nlong  x")
