"""Estimates and their intervals as bars of characters, one line for each profile."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from director.model.statistics.interval import Estimate
from director.reporting.terminal.cells import cut, filled, width_of

NARROWEST = 12  # columns of the scale
WIDEST = 60
WORDS = 24  # columns of a name


class Signs(NamedTuple):
    """What bars are drawn with."""

    low: str
    high: str
    line: str
    value: str
    dot: str


UNICODE = Signs("├", "┤", "─", "●", "·")
ASCII = Signs("[", "]", "-", "o", ".")


class Bar(NamedTuple):
    """One line: a profile's name, its estimate, and that in words."""

    name: str
    estimate: Estimate
    words: str


def chart(
    bars: Sequence[Bar],
    width: int,
    *,
    unicode: bool = True,
    most: float | None = None,
    words: Callable[[float], str] = str,
) -> Iterator[str]:
    """Give the lines, at most ``width`` columns wide: one for each bar, then the scale.

    The scale begins at 0 and ends at ``most`` (None: at the greatest bound that there is); its
    ends are said in ``words``.
    """
    names = min(max(width_of(bar.name) for bar in bars), WORDS, width // 3)
    room = width - names - 4  # two blanks before the name, two after it
    columns = max(NARROWEST, min(WIDEST, room - 2 - max(width_of(bar.words) for bar in bars)))
    if (top := most if most is not None else _greatest(bars)) <= 0:
        top = 1.0
    for bar in bars:
        drawn = _drawn(bar.estimate, top, columns, UNICODE if unicode else ASCII)
        line = f"  {filled(cut(bar.name, names, ''), names)}  {drawn}  {bar.words}"
        yield cut(line, width, "").rstrip()
    high = words(top)
    scale = f"{filled('0', columns - width_of(high))}{high}"
    yield cut(f"  {' ' * names}  {scale}", width, "")


def _greatest(bars: Sequence[Bar]) -> float:
    bounds = [bound for bar in bars for bound in (bar.estimate.interval or ())]
    values = [bar.estimate.value for bar in bars if bar.estimate.value is not None]
    return max(filter(math.isfinite, (*bounds, *values)), default=0.0)


def _drawn(estimate: Estimate, top: float, columns: int, signs: Signs) -> str:
    value, interval = estimate
    cells = [signs.dot] * columns
    if interval:
        low, high = (_place(bound, top, columns) for bound in interval)
        cells[low : high + 1] = [signs.line] * (high + 1 - low)
        cells[low], cells[high] = signs.low, signs.high
    if value is not None and math.isfinite(value):
        cells[_place(value, top, columns)] = signs.value
    return "".join(cells)


def _place(value: float, top: float, columns: int) -> int:
    share = min(max(value / top, 0.0), 1.0)
    return round(share * (columns - 1))
