"""The models that agent CLIs offer, and which of them to bind to the tiers.

Prices say most about a model: what costs more is stronger, by and large, among models of one time.
Where no price is known, the words of its name do.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.pricing import Price
from director.model.roles import Role

STRONG_ROLES = (Role.PLANNER, Role.TEST_AUTHOR, Role.REVIEWER, Role.ESCALATION)
DEAREST = 40.0  # US dollars per million tokens, mixed: beyond that is for other purposes
CHEAPER = 4.0  # times, what types must at least be, so that two tiers are worth it
RECENT = timedelta(days=550)  # before the newest that is offered
SMALLEST_CONTEXT = 32_000
SMALL = lazy_pattern(r"(?i)\b(mini|nano|haiku|flash|lite|small|fast|affordable|tiny)\b")
LARGE = lazy_pattern(r"(?i)\b(opus|pro|max|ultra|large|largest|frontier|most demanding)\b")
BILLIONS = lazy_pattern(r"(?i)\b(\d+(?:\.\d+)?)b\b")


class Offer(NamedTuple):
    """A model that a CLI offers. ``tier`` is its name in ``[tiers]``, ``title`` what says more.

    ``price`` None: unknown. ``context`` is in tokens (0: unknown), ``released`` an ISO date ("":
    unknown).
    """

    tier: str
    title: str = ""
    price: Price | None = None
    context: int = 0
    released: str = ""

    @property
    def mixed_price(self) -> float:
        """US dollars per million tokens of a usual mix: three of input to one of output."""
        return (3 * self.price.input + self.price.output) / 4 if self.price else 0.0

    @property
    def size(self) -> float:
        """How large its name makes it, where no price says so; compared with others only."""
        said = f"{re.sub(r'[-_/]', ' ', self.tier)} {self.title}"
        if found := BILLIONS.search(said):
            return float(found[1])
        return 8.0 if SMALL.search(said) else 400.0 if LARGE.search(said) else 100.0


class Binding(NamedTuple):
    """What may stand in ``[tiers]``: who thinks, who types, and why one would want that."""

    title: str
    strong: Offer
    cheap: Offer

    def tiers(self) -> dict[Role, str]:
        """Return the tier of each role."""
        return {role: (self.strong if role in STRONG_ROLES else self.cheap).tier for role in Role}


def bindings(offers: Iterable[Offer]) -> tuple[Binding, ...]:
    """Return up to three bindings, the one to recommend first; none where nothing is offered."""
    usable = _usable(offers)
    priced = [one for one in usable if one.price and one.mixed_price <= DEAREST]
    ranked = _by_price(priced) if priced else _by_size(usable)
    if not ranked:
        return ()
    found: list[Binding] = []
    strong, weight = ranked[0], _weights(ranked)
    cheap = next((one for one in ranked if weight[one.tier] * CHEAPER <= weight[strong.tier]), None)
    if cheap:
        found.append(Binding("strong + cheap", strong, cheap))
        between = ranked[ranked.index(strong) + 1 : ranked.index(cheap)]
        below = [one for one in ranked if weight[one.tier] * 2 <= weight[cheap.tier]]
        if between:
            found.append(Binding("medium + cheap", between[0], below[0] if below else cheap))
        elif below:
            found.append(Binding("strong + cheapest", strong, below[0]))
    found.append(Binding("one model for all", strong, strong))
    return tuple(found)


def _usable(offers: Iterable[Offer]) -> list[Offer]:
    """Return those that are recent, and large enough for a prompt."""
    known = [one for one in offers if not one.context or one.context >= SMALLEST_CONTEXT]
    dates = {one.tier: day for one in known if (day := _day(one.released))}
    newest = max(dates.values(), default=None)
    return [one for one in known if newest is None or dates.get(one.tier, newest) > newest - RECENT]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _by_price(offers: Sequence[Offer]) -> list[Offer]:
    """Return the dearest first; of several at one price the newest, by its plainest name."""
    by_name = sorted(offers, key=lambda one: (len(one.tier), one.tier))
    newest_first = sorted(by_name, key=lambda one: one.released, reverse=True)
    return sorted(newest_first, key=lambda one: one.mixed_price, reverse=True)


def _by_size(offers: Sequence[Offer]) -> list[Offer]:
    """Return the largest first, otherwise in the order in which they are offered."""
    return sorted(offers, key=lambda one: one.size, reverse=True)


def _weights(ranked: Sequence[Offer]) -> dict[str, float]:
    return {one.tier: one.mixed_price or one.size for one in ranked}
