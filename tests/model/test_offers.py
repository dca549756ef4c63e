from __future__ import annotations

import unittest

from director.model.offers import Offer, bindings
from director.model.pricing import Price
from director.model.roles import Role


def offer(tier: str, dollars: float | None = None, released: str = "", context: int = 0) -> Offer:
    """Return an offer whose output costs five times its input, ``dollars``."""
    price = Price(dollars, dollars * 5) if dollars else None
    return Offer(tier, price=price, context=context, released=released)


def chosen(*offers: Offer) -> list[tuple[str, str]]:
    return [(one.strong.tier, one.cheap.tier) for one in bindings(offers)]


OPUS, SONNET, HAIKU = offer("a/opus", 5.0), offer("a/sonnet", 3.0), offer("a/haiku", 1.0)
MINI = offer("o/mini", 0.25)


class TestBindings(unittest.TestCase):
    def test_strong_and_cheap_comes_first(self) -> None:
        found = chosen(HAIKU, MINI, SONNET, OPUS)
        self.assertEqual(found[0], ("a/opus", "a/haiku"))
        self.assertEqual(found[1], ("a/sonnet", "o/mini"))
        self.assertEqual(found[2], ("a/opus", "a/opus"))

    def test_the_strong_one_thinks_and_the_cheap_one_types(self) -> None:
        tiers = bindings([HAIKU, OPUS])[0].tiers()
        self.assertEqual({tiers[Role.EXECUTOR], tiers[Role.EXPLORER]}, {"a/haiku"})
        others = {tiers[role] for role in Role if role not in (Role.EXECUTOR, Role.EXPLORER)}
        self.assertEqual(others, {"a/opus"})

    def test_where_nothing_is_much_cheaper_there_is_one_for_all(self) -> None:
        self.assertEqual(chosen(OPUS, SONNET), [("a/opus", "a/opus")])

    def test_what_is_beyond_all_prices_is_for_something_else(self) -> None:
        self.assertEqual(chosen(offer("a/pro", 150.0), OPUS)[0], ("a/opus", "a/opus"))

    def test_of_one_price_the_newest(self) -> None:
        old, new = offer("a/old", 5.0, "2026-01-01"), offer("a/new", 5.0, "2026-05-01")
        self.assertEqual(chosen(old, new)[0][0], "a/new")

    def test_what_is_years_old_is_left_out(self) -> None:
        old, new = offer("a/old", 9.0, "2023-01-01"), offer("a/new", 5.0, "2026-05-01")
        self.assertEqual(chosen(old, new), [("a/new", "a/new")])

    def test_without_prices_names_tell(self) -> None:
        local = (offer("l/qwen-7b"), offer("l/qwen-72b"))
        self.assertEqual(chosen(*local)[0], ("l/qwen-72b", "l/qwen-7b"))
        aliases = (offer("c/sonnet"), offer("c/haiku"), offer("c/opus"))
        self.assertEqual(chosen(*aliases)[0], ("c/opus", "c/sonnet"))

    def test_what_is_too_small_for_a_prompt_is_left_out(self) -> None:
        self.assertEqual(chosen(offer("a/tiny", 1.0, context=4096)), [])

    def test_nothing_offered_is_nothing_bound(self) -> None:
        self.assertEqual(bindings([]), ())
