"""Intervals from a few samples: what they are made of, and how often they cover the truth."""

from __future__ import annotations

import math
import unittest
from collections.abc import Callable, Sequence
from random import Random

from director.model.statistics.bootstrap import FEWEST, bootstrap, student, tail_of
from director.model.statistics.interval import Interval
from director.model.statistics.median import median

DRAWS = 199  # of each interval here: the tests are to be quick


def covered(
    draw: Callable[[Random], object],
    count: int,
    statistic: Callable[[Sequence[object]], float],
    truth: float,
) -> int:
    """Return how many of 2,000 intervals from ``count`` samples each hold the truth."""
    random, found = Random(7), 0
    for seed in range(2000):
        samples = [draw(random) for _ in range(count)]
        interval = bootstrap(samples, statistic, draws=DRAWS, seed=seed)
        found += interval is not None and not interval.excludes(truth)
    return found


class TestBootstrap(unittest.TestCase):
    def test_quantiles_of_student_as_in_the_tables(self) -> None:
        for degrees, value in ((5, 2.5706), (9, 2.2622), (19, 2.0930), (60, 2.0003)):
            self.assertAlmostEqual(student(degrees), value, places=3)

    def test_the_tails_are_those_of_hesterbergs_table(self) -> None:
        # α/2 = 2.5 %: his adjusted percentile for n = 10 is 0.0086, for n = 20 it is 0.0159.
        self.assertAlmostEqual(tail_of(10), 0.0086, places=3)
        self.assertAlmostEqual(tail_of(20), 0.0159, places=3)

    def test_five_samples_are_too_few_for_any_interval(self) -> None:
        self.assertGreater(2 * 0.5 ** (FEWEST - 1), 0.05)
        self.assertLess(2 * 0.5**FEWEST, 0.05)
        self.assertIsNone(bootstrap([1.0] * (FEWEST - 1), median))
        self.assertIsNotNone(bootstrap([1.0] * FEWEST, median))

    def test_by_hand_where_nothing_is_left_to_chance(self) -> None:
        self.assertEqual(bootstrap([4.0] * 8, median), Interval(4.0, 4.0))
        # The least of seven medians of seven values is x1 with a chance of 0.010: the tail of
        # 0.0041 lies in it, so the interval is from the least to the greatest value.
        values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
        self.assertEqual(bootstrap(values, median, draws=20_000), Interval(1.0, 7.0))

    def test_the_same_seed_gives_the_same_interval(self) -> None:
        values = [0.3, 1.2, 0.7, 2.2, 0.9, 1.0, 1.7, 0.2]
        first = bootstrap(values, median)
        self.assertEqual(first, bootstrap(values, median))
        other = bootstrap(values, lambda drawn: sum(drawn) / len(drawn), seed=2)
        self.assertNotEqual(other, bootstrap(values, lambda drawn: sum(drawn) / len(drawn), seed=3))

    def test_what_is_no_number_has_no_interval(self) -> None:
        self.assertIsNone(bootstrap([1.0] * 8, lambda _: math.nan))
        found = bootstrap([1.0, 2.0, 3.0, math.inf, math.inf, math.inf], median)
        self.assertEqual(found and found.high, math.inf)

    def test_the_interval_of_a_median_covers_it_in_95_percent(self) -> None:
        found = covered(lambda random: random.expovariate(1.0), 12, median, math.log(2))  # type: ignore[arg-type]
        self.assertTrue(1860 <= found <= 1940, found)

    def test_the_interval_of_a_difference_in_pairs_covers_it_in_95_percent(self) -> None:
        found = covered(_pair, 12, _saved, -0.4)
        self.assertTrue(1860 <= found <= 1940, found)


def _pair(random: Random) -> object:
    """Return what two runs of one repeat cost: the second 40 % less, but for chance."""
    both = random.lognormvariate(0, 0.3)
    return both * random.lognormvariate(0, 0.2), 0.6 * both * random.lognormvariate(0, 0.2)


def _saved(pairs: Sequence[object]) -> float:
    known = [pair for pair in pairs if isinstance(pair, tuple)]
    return float(sum(pair[1] for pair in known) / sum(pair[0] for pair in known) - 1)
