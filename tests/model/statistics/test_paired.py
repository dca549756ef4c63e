"""The difference of two rates in pairs, against values by hand and against chance."""

from __future__ import annotations

import unittest
from random import Random

from director.model.statistics.paired import Pairs, difference_interval


class TestPaired(unittest.TestCase):
    def test_counts(self) -> None:
        pairs = Pairs.of([(True, True), (True, False), (False, True), (True, False)])
        self.assertEqual(pairs, Pairs(1, 2, 1, 0))
        self.assertEqual(pairs.difference, -0.25)
        self.assertEqual(pairs.times(2), Pairs(2, 4, 2, 0))

    def test_without_agreement_it_is_the_square_and_add_of_two_wilson_intervals(self) -> None:
        # First 4 of 10 (0.168180–0.687326), second 10 of 10 (0.722467–1). φ is 0, as a margin is.
        low, high = difference_interval(Pairs(4, 0, 6, 0))
        self.assertAlmostEqual(low, 0.6 - (0.277533**2 + 0.287326**2) ** 0.5, places=5)
        self.assertAlmostEqual(high, 0.6 + (0.4 - 0.168180), places=5)

    def test_agreement_makes_it_narrower(self) -> None:
        # 20 pairs of which 18 agree: φ = (90·… ) by hand: (9·9 - 1·1 - 20/2) / 100 = 0.7.
        agree, differ = (
            difference_interval(Pairs(9, 1, 1, 9)),
            difference_interval(Pairs(5, 5, 5, 5)),
        )
        arm = (0.5 - 0.299298) ** 2 * 2
        self.assertAlmostEqual(agree.high, (arm - 2 * 0.7 * arm / 2) ** 0.5, places=5)
        self.assertAlmostEqual(differ.high, arm**0.5, places=5)

    def test_the_other_way_round_it_is_the_same_with_the_other_sign(self) -> None:
        one, other = difference_interval(Pairs(7, 4, 1, 3)), difference_interval(Pairs(7, 1, 4, 3))
        self.assertAlmostEqual(one.low, -other.high)
        self.assertAlmostEqual(one.high, -other.low)

    def test_it_covers_the_true_difference_in_95_percent(self) -> None:
        random, covered = Random(5), 0
        for _ in range(2000):
            first, second = random.random(), random.random()
            outcomes = [(random.random() < first, random.random() < second) for _ in range(20)]
            covered += not difference_interval(Pairs.of(outcomes)).excludes(second - first)
        self.assertTrue(1860 <= covered <= 1940, covered)
