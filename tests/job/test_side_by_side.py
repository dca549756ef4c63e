"""Many things, a few at a time."""

import threading
import unittest
from collections.abc import Iterator

from director.job.side_by_side import side_by_side


def named(count: int) -> Iterator[tuple[str, int]]:
    return ((f"number {number}", number) for number in range(count))


class TestSideBySide(unittest.TestCase):
    def test_results_come_in_order_whichever_ends_first(self) -> None:
        later = threading.Event()

        def do(number: int) -> int:
            if number == 0:
                later.wait(60)  # until the last one
            if number == 9:
                later.set()
            return number * number

        self.assertEqual([*side_by_side(do, named(10), 2)], [n * n for n in range(10)])
        self.assertEqual([*side_by_side(do, [], 2)], [])

    def test_no_more_are_begun_than_there_are_lanes(self) -> None:
        begun: list[int] = []

        def items() -> Iterator[tuple[str, int]]:
            for name, number in named(6):
                begun.append(number)
                yield name, number

        for count, _ in enumerate(side_by_side(lambda one: one, items(), 2), 1):
            self.assertLessEqual(len(begun), count + 2)

    def test_an_error_is_raised_and_nothing_is_begun_after_it(self) -> None:
        begun: list[int] = []

        def do(number: int) -> int:
            begun.append(number)
            return 1 // (number - 1)

        with self.assertRaises(ZeroDivisionError):
            list(side_by_side(do, named(9), 1))
        self.assertEqual(begun, [0, 1])
