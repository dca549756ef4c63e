"""When a difference is decided, and what it would take. With it: ``interval``."""

from __future__ import annotations

import math
import unittest
from functools import partial

from director.model.statistics.interval import Estimate, Interval
from director.model.statistics.verdict import (
    Look,
    Verdict,
    disagree,
    narrowed,
    samples_wanted,
    verdict_of,
)


def look(value: float, low: float, high: float, samples: int = 10) -> Look:
    found = Estimate(value, Interval(low, high))
    return Look(samples, found, partial(narrowed, found, samples))


def unknown(value: float, samples: int = 3) -> Look:
    return Look(samples, Estimate(value), lambda _: None)


class TestVerdict(unittest.TestCase):
    def test_an_interval_that_holds_zero_decides_nothing(self) -> None:
        self.assertIs(verdict_of([look(-0.5, -0.8, -0.1)]), Verdict.LESS)
        self.assertIs(verdict_of([look(0.5, 0.1, 0.8)]), Verdict.MORE)
        self.assertIs(verdict_of([look(0.5, -0.1, 0.8)]), Verdict.INCONCLUSIVE)
        self.assertIs(verdict_of([look(0.5, 0.0, 0.8)]), Verdict.INCONCLUSIVE)
        self.assertIs(verdict_of([unknown(0.5)]), Verdict.INCONCLUSIVE)

    def test_each_look_has_to_agree(self) -> None:
        decided, open_ = look(0.5, 0.1, 0.8), look(0.4, -0.2, 0.9)
        self.assertIs(verdict_of([decided, decided]), Verdict.MORE)
        self.assertIs(verdict_of([decided, open_]), Verdict.INCONCLUSIVE)
        self.assertTrue(disagree([decided, look(-0.1, -1, 1)]))
        self.assertFalse(disagree([decided, open_]))


class TestSamplesWanted(unittest.TestCase):
    def test_arms_get_shorter_with_the_square_root(self) -> None:
        # An arm of 0.6 has to become one of less than 0.2: more than nine times the samples.
        self.assertEqual(samples_wanted(look(0.2, -0.4, 0.8)), 91)
        self.assertEqual(samples_wanted(look(-0.2, -0.8, 0.4)), 91)

    def test_too_few_for_an_interval_want_as_many_as_one_needs(self) -> None:
        self.assertEqual(samples_wanted(unknown(0.5)), 6)

    def test_what_no_number_decides(self) -> None:
        self.assertIsNone(samples_wanted(look(0.0, -0.4, 0.4)))
        self.assertIsNone(samples_wanted(look(0.001, -0.4, 0.4)))
        self.assertIsNone(samples_wanted(unknown(math.nan)))


class TestRecords(unittest.TestCase):
    def test_json_has_no_infinity(self) -> None:
        found = Estimate(math.inf, Interval(0.25, math.inf)).to_json()
        self.assertEqual(found, {"value": None, "low": 0.25, "high": None})
        self.assertEqual(Estimate(1.0).to_json(), {"value": 1.0, "low": None, "high": None})
