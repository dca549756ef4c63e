"""The interval of a rate: how often something happens that happened in k of n trials."""

from __future__ import annotations

import math

from director.model.statistics.interval import Interval, Z


def wilson(successes: float, trials: float) -> Interval:
    """Return the 95 % score interval of the rate of ``successes`` among one or more ``trials``.

    E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, Journal
    of the American Statistical Association 22, 1927. Unlike the usual ± it is of use for few
    trials, and where all or none succeeded. Counts may be fractions: those of expected trials.
    """
    rate, square = successes / trials, Z * Z
    middle = rate + square / (2 * trials)
    spread = Z * math.sqrt(rate * (1 - rate) / trials + square / (4 * trials * trials))
    whole = 1 + square / trials
    low, high = (middle - spread) / whole, (middle + spread) / whole
    return Interval(0.0 if successes <= 0 else low, 1.0 if successes >= trials else high)
