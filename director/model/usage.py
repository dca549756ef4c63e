"""What model calls used: tokens, in the kinds that are billed, and money."""

from enum import StrEnum
from typing import Annotated, NamedTuple

from director.model.codec.marks import Mark

LARGEST = 1e15  # tokens, US dollars: anything above is an error
Counted = Annotated[int, Mark.REQUIRED]


class Tokens(NamedTuple):
    """Tokens of one or more model calls, in kinds that do not overlap.

    ``input`` excludes what came from the cache, ``output`` excludes reasoning: this is how the
    coding agent reports them, so the kinds add up to everything that is billed.
    """

    input: Counted = 0
    output: Counted = 0
    cache_read: Counted = 0
    cache_write: Counted = 0
    reasoning: Counted = 0

    def __add__(self, other: "Tokens") -> "Tokens":  # type: ignore[override]
        """Return the sum, kind by kind."""
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
        )

    @property
    def total(self) -> int:
        """All tokens of all kinds."""
        return self.input + self.output + self.cache_read + self.cache_write + self.reasoning


class Usage(NamedTuple):
    """What an agent says that a call used.

    ``tokens`` None: a count was missing or impossible. ``reported_usd`` is the cost in US dollars
    by the agent's own prices (0: it has none; None: it named an impossible amount).
    """

    tokens: Tokens | None = Tokens()
    reported_usd: float | None = 0.0


class CostSource(StrEnum):
    """Where a cost comes from; an unpriced model is unknown, not free."""

    PRICED = "priced"
    REPORTED = "reported"
    UNKNOWN = "unknown"
