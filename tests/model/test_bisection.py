from __future__ import annotations

import unittest

from director.model.bisection import first_red


class TestFirstRed(unittest.TestCase):
    def test_it_is_found_in_as_few_looks_as_halving_takes(self) -> None:
        for low in range(4):
            for culprit in range(low + 1, 20):
                looked: list[int] = []

                def is_green(at: int, culprit: int = culprit, looked: list[int] = looked) -> bool:
                    looked.append(at)
                    return at < culprit

                self.assertEqual(first_red(low, 20, is_green), culprit)
                self.assertLessEqual(len(looked), 5)
