"""The interval of a rate, against published values and against chance."""

from __future__ import annotations

import unittest
from random import Random

from director.model.statistics.wilson import wilson


class TestWilson(unittest.TestCase):
    def test_by_hand(self) -> None:
        # 8 of 10, z² = 3.841459: centre (0.8 + 0.192073) / 1.384146, arms 0.313643 / 1.384146.
        low, high = wilson(8, 10)
        self.assertAlmostEqual(low, 0.490162, places=5)
        self.assertAlmostEqual(high, 0.943318, places=5)

    def test_as_newcombe_has_it(self) -> None:
        # Table I of his paper on the single proportion (Statistics in Medicine 17, 857).
        for successes, trials, low, high in (
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ):
            found = wilson(successes, trials)
            self.assertAlmostEqual(found.low, low, places=4)
            self.assertAlmostEqual(found.high, high, places=4)

    def test_all_and_none_have_the_bound_itself(self) -> None:
        self.assertEqual(wilson(0, 5).low, 0.0)
        self.assertEqual(wilson(5, 5).high, 1.0)
        self.assertAlmostEqual(wilson(5, 5).low, 1 - wilson(0, 5).high)

    def test_it_covers_the_true_rate_in_95_percent(self) -> None:
        random, covered = Random(3), 0
        for _ in range(2000):
            rate = random.random()
            successes = sum(random.random() < rate for _ in range(20))
            covered += not wilson(successes, 20).excludes(rate)
        self.assertTrue(1860 <= covered <= 1940, covered)
