"""A cost that is not known never hides one that is."""

from __future__ import annotations

import unittest

from director.model.cost import Cost


class TestCost(unittest.TestCase):
    def test_a_known_cost_reads_as_money(self) -> None:
        self.assertEqual(Cost.of([0.06, 0.0012]).in_words(), "$0.0612")
        self.assertEqual(Cost.of([0.5, 0.75]).total, 1.25)

    def test_calls_without_a_price_are_counted_beside_the_known_sum(self) -> None:
        cost = Cost.of([0.0612, None, None]) + Cost.of([None])
        self.assertEqual(cost.in_words(), "$0.0612 + 3 unpriced calls")
        self.assertIsNone(cost.total)
        self.assertEqual(cost.to_json(), {"cost_known": 0.0612, "unpriced_calls": 3})

    def test_where_nothing_is_known_no_sum_is_claimed(self) -> None:
        self.assertEqual(Cost.of([None]).in_words(), "1 unpriced call")
