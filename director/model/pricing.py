"""Money of model calls. Money is US dollars; prices are per million tokens."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from director.model.codec.marks import between
from director.model.usage import CostSource, Tokens, Usage

TOKENS_PER_PRICE_UNIT = 1_000_000
HIGHEST_PRICE = 1_000_000  # US dollars per million tokens

Dollars = Annotated[float, between(0, HIGHEST_PRICE, " (US dollars)")]


class Price(NamedTuple):
    """US dollars per million tokens. Kinds without a price of their own fall back:

    cached input is billed as input, reasoning as output (the usual terms of providers).
    """

    input: Dollars
    output: Dollars
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    reasoning: Dollars | None = None

    def cost(self, tokens: Tokens) -> float:
        """Return the cost of ``tokens`` in US dollars."""
        cache_read = self.input if self.cache_read is None else self.cache_read
        cache_write = self.input if self.cache_write is None else self.cache_write
        reasoning = self.output if self.reasoning is None else self.reasoning
        return (
            tokens.input * self.input
            + tokens.output * self.output
            + tokens.cache_read * cache_read
            + tokens.cache_write * cache_write
            + tokens.reasoning * reasoning
        ) / TOKENS_PER_PRICE_UNIT


class Cost(NamedTuple):
    """A cost in US dollars (None: unknown) and where it comes from."""

    usd: float | None
    source: CostSource


UNKNOWN_COST = Cost(None, CostSource.UNKNOWN)


def cost_of(model: str, usage: Usage, pricing: Mapping[str, Price]) -> Cost:
    """Return what a call cost: by the configured price, else as the agent reported it.

    What was not counted is unknown. The agent reports 0 for models it has no price for, so 0 with
    tokens used is unknown too.
    """
    price = pricing.get(model)
    if usage.tokens is None:
        return UNKNOWN_COST
    if price is not None:
        return Cost(price.cost(usage.tokens), CostSource.PRICED)
    if usage.reported_usd is None or (usage.reported_usd == 0 and usage.tokens.total > 0):
        return UNKNOWN_COST
    return Cost(usage.reported_usd, CostSource.REPORTED)
