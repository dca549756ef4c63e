"""Money is true: every kind of token is paid, and an unpriced model is unknown, not free."""

import unittest

from director.model.pricing import Cost, Price, cost_of
from director.model.usage import CostSource, Tokens, Usage


class TestPrice(unittest.TestCase):
    million = Tokens(10**6, 10**6, 10**6, 10**6, 10**6)

    def test_each_kind_at_its_own_price(self) -> None:
        self.assertEqual(Price(1, 10, 100, 1000, 10000).cost(self.million), 11111)

    def test_kinds_without_a_price_are_billed_as_providers_do(self) -> None:
        self.assertEqual(Price(1, 10).cost(self.million), 1 + 10 + 1 + 1 + 10)

    def test_a_price_of_zero_is_a_price(self) -> None:
        self.assertEqual(
            Price(1, 10, cache_read=0, cache_write=0, reasoning=0).cost(self.million), 11
        )


class TestCostOf(unittest.TestCase):
    used = Tokens(input=10**6)

    def test_the_configured_price_wins(self) -> None:
        self.assertEqual(
            cost_of("p/m", Usage(self.used, 9.0), {"p/m": Price(2, 0)}), Cost(2, CostSource.PRICED)
        )

    def test_else_what_was_reported(self) -> None:
        self.assertEqual(
            cost_of("p/m", Usage(self.used, 0.5), {"p/x": Price(2, 0)}),
            Cost(0.5, CostSource.REPORTED),
        )

    def test_tokens_without_any_price_are_unknown(self) -> None:
        self.assertEqual(cost_of("p/m", Usage(self.used, 0.0), {}), Cost(None, CostSource.UNKNOWN))
        for kind in ("output", "cache_read", "cache_write", "reasoning"):
            self.assertIsNone(cost_of("p/m", Usage(Tokens(**{kind: 1}), 0.0), {}).usd, kind)

    def test_a_call_without_tokens_cost_nothing(self) -> None:
        self.assertEqual(cost_of("p/m", Usage(Tokens(), 0.0), {}), Cost(0.0, CostSource.REPORTED))

    def test_a_model_that_is_configured_as_free_is_free(self) -> None:
        self.assertEqual(
            cost_of("p/m", Usage(self.used, 0.0), {"p/m": Price(0, 0)}),
            Cost(0.0, CostSource.PRICED),
        )

    def test_what_was_not_counted_is_unknown_whatever_the_price(self) -> None:
        unknown = Cost(None, CostSource.UNKNOWN)
        for reported in (0.0, 0.5, None):
            for pricing in ({}, {"p/m": Price(2, 1)}, {"p/m": Price(0, 0)}):
                self.assertEqual(cost_of("p/m", Usage(None, reported), pricing), unknown)

    def test_an_amount_that_cannot_be_is_unknown_where_it_is_needed(self) -> None:
        impossible = Usage(self.used, None)
        self.assertEqual(cost_of("p/m", impossible, {}), Cost(None, CostSource.UNKNOWN))
        self.assertEqual(cost_of("p/m", impossible, {"p/m": Price(2, 0)}).usd, 2)
