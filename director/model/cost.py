"""What calls cost, where the price of some is not known."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from director.model.format import counted, money

DIGITS = 6  # of US dollars in records: a millionth


class Cost(NamedTuple):
    """The sum of the known costs in US dollars, and how many calls have none."""

    usd: float = 0.0
    unpriced_calls: int = 0

    @classmethod
    def of(cls, costs: Iterable[float | None]) -> "Cost":
        """Return the cost of calls; None is one without a price."""
        known = list(costs)
        return cls(sum(filter(None, known), 0.0), known.count(None))

    def __add__(self, other: "Cost") -> "Cost":  # type: ignore[override]
        """Return the cost of both together."""
        return Cost(self.usd + other.usd, self.unpriced_calls + other.unpriced_calls)

    @property
    def known(self) -> bool:
        """Whether the sum is all there is."""
        return self.unpriced_calls == 0

    @property
    def total(self) -> float | None:
        """The sum in US dollars; None where a part of it is unknown."""
        return round(self.usd, DIGITS) if self.known else None

    def in_words(self) -> str:
        """Return the known sum, and how many calls are not in it."""
        if self.known:
            return money(self.usd)
        unpriced = counted(self.unpriced_calls, "unpriced call")
        return f"{money(self.usd)} + {unpriced}" if self.usd else unpriced

    def totals(self) -> dict[str, Any]:
        """Return what run lines and results say: the total (None: unknown) and what is known."""
        return {"cost_total": self.total, **self.to_json()}

    def to_json(self) -> dict[str, Any]:
        """Return what records and ``--json`` say beside the total."""
        return {"cost_known": round(self.usd, DIGITS), "unpriced_calls": self.unpriced_calls}
