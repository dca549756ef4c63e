"""A range that a true value lies in, with a confidence of 95 %."""

import math
from typing import Any, NamedTuple

Z = 1.959963984540054  # the 97.5 % quantile of the standard normal distribution


class Interval(NamedTuple):
    """From ``low`` to ``high``, both included; infinite where there is no bound."""

    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether ``value`` is outside."""
        return not self.low <= value <= self.high

    def to_json(self) -> dict[str, Any]:
        """Return the bounds; null where there is none, as JSON knows no infinity."""
        return {"low": finite(self.low), "high": finite(self.high)}


class Estimate(NamedTuple):
    """A value and its interval; ``value`` None: unknown, ``interval`` None: too few samples."""

    value: float | None = None
    interval: Interval | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the value, and the bounds of its interval."""
        bounds = self.interval.to_json() if self.interval else {"low": None, "high": None}
        return {"value": finite(self.value), **bounds}


def finite(value: float | None) -> float | None:
    """Return ``value`` rounded for records; None for what is no number that JSON has."""
    return round(value, 6) if value is not None and math.isfinite(value) else None
