"""Whether an interval decides between two, and if not, how many more samples would."""

import math
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import NamedTuple

from director.model.statistics.bootstrap import FEWEST
from director.model.statistics.interval import Estimate, Interval

MOST = 1000  # samples: a difference that needs more is not worth its price


class Verdict(StrEnum):
    """How the second of two compares with the first."""

    LESS = "less"
    MORE = "more"
    INCONCLUSIVE = "inconclusive"


class Look(NamedTuple):
    """A difference as it was seen in ``samples``.

    ``widened`` gives its interval for another number of samples, were they as these.
    """

    samples: int
    difference: Estimate
    widened: Callable[[int], Interval | None]


def verdict_of(looks: Sequence[Look]) -> Verdict:
    """Return what all of one or more ``looks`` agree on: no interval of theirs holds zero."""
    found = {_verdict(look.difference) for look in looks}
    return found.pop() if len(found) == 1 else Verdict.INCONCLUSIVE


def _verdict(difference: Estimate) -> Verdict:
    interval = difference.interval
    if interval is None or not interval.excludes(0):
        return Verdict.INCONCLUSIVE
    return Verdict.MORE if interval.low > 0 else Verdict.LESS


def disagree(looks: Sequence[Look]) -> bool:
    """Whether some of ``looks`` see a difference in one direction, others in the other."""
    values = [look.difference.value or 0.0 for look in looks]
    return min(values) < 0 < max(values)


def samples_wanted(look: Look) -> int | None:
    """Return with how many samples the difference that was seen would be decided.

    None: with no affordable number (more than MOST), or there is no difference.
    """
    if not look.difference.value or not math.isfinite(look.difference.value):
        return None
    if look.difference.interval is None:
        return FEWEST
    low, high = look.samples, MOST
    if not _decides(look, high):
        return None
    while low < high:  # an interval gets narrower with each sample
        middle = (low + high) // 2
        low, high = (low, middle) if _decides(look, middle) else (middle + 1, high)
    return low


def _decides(look: Look, samples: int) -> bool:
    interval = look.widened(samples)
    return interval is not None and interval.excludes(0)


def narrowed(look_at: Estimate, samples: int, wanted: int) -> Interval | None:
    """Return the interval of a mean or median of ``samples`` as ``wanted`` samples would have it.

    Its arms get shorter with the square root of their number.
    """
    value, interval = look_at
    if value is None or interval is None:
        return None
    share = math.sqrt(samples / wanted)
    return Interval(value - (value - interval.low) * share, value + (interval.high - value) * share)
