"""What the table shows of samples, of what was not measured, and of what was never asked."""

from __future__ import annotations

import unittest

from benchmarks.measuring import Cell, NotMeasured, Result, Samples
from benchmarks.table import as_json, markdown, number


def result(what: str, column: str, cell: Cell) -> Result:
    return Result("scenario", what, "s", column, cell)


class TestMarkdown(unittest.TestCase):
    def row(self, *results: Result) -> str:
        return markdown(results, ("one", "two")).splitlines()[2]

    def test_medians_and_ranges(self) -> None:
        row = self.row(result("a", "one", Samples((1.0, 3.0, 2.0))))
        self.assertEqual(row, "| scenario | a | s |  | 2.00 (1.00–3.00) |  |")

    def test_one_sample_has_no_range(self) -> None:
        self.assertIn("| 2.00 |", self.row(result("a", "two", Samples((2.0,)))))

    def test_cells_of_one_thing_stand_in_one_row(self) -> None:
        row = self.row(
            result("a", "two", Samples((2.0,))),
            result("b", "one", Samples((9.0,))),
            result("a", "one", Samples((1.0,))),
        )
        self.assertEqual(row, "| scenario | a | s |  | 1.00 | 2.00 |")

    def test_a_reason_is_given_once_below(self) -> None:
        why = NotMeasured("it is not there")
        text = markdown([result("a", "one", why), result("b", "one", why)], ("one",))
        self.assertEqual(text.count("not measured (1) |"), 2)
        self.assertTrue(text.endswith("\n\n1. not measured: it is not there"))

    def test_a_limit_stands_in_the_cell(self) -> None:
        row = self.row(result("a", "one", NotMeasured("it took over 60 s", 60.0)))
        self.assertEqual(row, "| scenario | a | s |  | > 60 s |  |")

    def test_a_goal_stands_beside_the_number(self) -> None:
        one = Result("scenario", "a", "s", "one", Samples((2.0,)), goal="≤ 3")
        other = result("a", "two", Samples((9.0,)))
        self.assertEqual(self.row(one, other), "| scenario | a | s | ≤ 3 | 2.00 | 9.00 |")

    def test_a_bar_in_a_name_does_not_end_a_cell(self) -> None:
        self.assertIn(r"| a\|b |", self.row(result("a|b", "one", Samples((1.0,)))))


class TestNumber(unittest.TestCase):
    def test_as_many_digits_as_count(self) -> None:
        shown = [number(value) for value in (0.1234, 1.234, 12.34, 123.4, 12345.6, -0.5)]
        self.assertEqual(shown, ["0.123", "1.23", "12.3", "123", "12,346", "-0.500"])


class TestJson(unittest.TestCase):
    def test_every_value_is_kept(self) -> None:
        cell = as_json([result("a", "one", Samples((3.0, 1.0)))])[0]
        self.assertEqual((cell["median"], cell["values"]), (2.0, [3.0, 1.0]))

    def test_a_goal(self) -> None:
        one = Result("scenario", "a", "s", "one", Samples((2.0,)), goal="≤ 3")
        self.assertEqual(as_json([one])[0]["goal"], "≤ 3")

    def test_a_reason(self) -> None:
        cell = as_json([result("a", "one", NotMeasured("why"))])[0]
        self.assertEqual(cell["not_measured"], "why")
        self.assertNotIn("median", cell)
