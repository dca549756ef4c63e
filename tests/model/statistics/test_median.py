"""Quantiles of samples."""

from __future__ import annotations

import math
import unittest

from director.model.statistics.median import median, quantile


class TestMedian(unittest.TestCase):
    def test_by_hand(self) -> None:
        self.assertEqual(median([3, 1, 2]), 2)
        self.assertEqual(median([4, 1, 2, 3]), 2.5)
        self.assertEqual(median([7]), 7)

    def test_quantiles_between_two_values(self) -> None:
        self.assertEqual([quantile([1, 2, 4, 8], share) for share in (0, 0.5, 1)], [1, 3, 8])
        self.assertAlmostEqual(quantile([1, 2, 4, 8], 0.25), 1.75)

    def test_infinite_values_make_no_nonsense(self) -> None:
        self.assertEqual(median([1, 2, math.inf]), 2)
        self.assertEqual(median([1, math.inf, math.inf]), math.inf)
        self.assertEqual(median([1, math.inf]), math.inf)
