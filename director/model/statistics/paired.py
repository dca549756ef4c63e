"""The difference between two rates that were observed in pairs."""

import math
from typing import NamedTuple

from director.model.statistics.interval import Interval
from director.model.statistics.wilson import wilson


class Pairs(NamedTuple):
    """How often both of a pair succeeded, only the ``first``, only the ``second``, neither.

    Fractions are counts of pairs that are expected.
    """

    both: float
    first: float
    second: float
    neither: float

    @classmethod
    def of(cls, outcomes: list[tuple[bool, bool]]) -> "Pairs":
        """Count outcomes: whether the first and the second of each pair succeeded."""
        kinds = ((True, True), (True, False), (False, True), (False, False))
        return cls(*(outcomes.count(kind) for kind in kinds))

    @property
    def difference(self) -> float:
        """The rate of the second less that of the first."""
        return (self.second - self.first) / sum(self)

    def times(self, factor: float) -> "Pairs":
        """Return what ``factor`` times as many pairs would be, were they as these."""
        return Pairs(*(count * factor for count in self))


def difference_interval(pairs: Pairs) -> Interval:
    """Return the 95 % interval of the difference, second less first, for one or more pairs.

    Method 10 of R. G. Newcombe, *Improved Confidence Intervals for the Difference between Binomial
    Proportions Based on Paired Data*, Statistics in Medicine 17, 1998: from the two Wilson
    intervals and how far the pairs agree.
    """
    total, agreement = sum(pairs), _agreement(pairs)
    one, other = (pairs.both + pairs.second), (pairs.both + pairs.first)
    rates = one / total, other / total
    second, first = wilson(one, total), wilson(other, total)
    down = _together(rates[0] - second.low, first.high - rates[1], agreement)
    up = _together(second.high - rates[0], rates[1] - first.low, agreement)
    return Interval(pairs.difference - down, pairs.difference + up)


def _together(one: float, other: float, agreement: float) -> float:
    square = one * one - 2 * agreement * one * other + other * other
    return math.sqrt(max(square, 0.0))


def _agreement(pairs: Pairs) -> float:
    """Return the correlation φ of the outcomes, less a correction for few pairs; 0: unknown."""
    both, first, second, neither = pairs
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    if margins == 0:
        return 0.0
    excess = both * neither - first * second
    if excess > 0:
        excess = max(excess - sum(pairs) / 2, 0.0)
    return excess / math.sqrt(margins)
