"""The median and other quantiles of samples, some of which may be infinite."""

from __future__ import annotations

from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """Return the middle of at least one value; of an even number the mean of the middle two."""
    return quantile(sorted(values), 0.5)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` (0 to 1) of ``ordered`` (ascending) lies.

    Between two values it is interpolated (type 7 of Hyndman and Fan, *Sample Quantiles in
    Statistical Packages*, The American Statistician 50, 1996).
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    left, rest = ordered[below], place - below
    right = ordered[min(below + 1, len(ordered) - 1)]
    if rest == 0 or left == right:  # of infinities, too, which have no difference
        return left
    return left * (1 - rest) + right * rest
