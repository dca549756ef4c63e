"""The first red one of a row of commits, by a binary search."""

from __future__ import annotations

from collections.abc import Callable


def first_red(low: int, high: int, is_green: Callable[[int], bool]) -> int:
    """Return the first red one of ``low`` + 1 … ``high``.

    ``low`` is known to be green and ``high`` to be red; neither is asked for again.
    """
    while high - low > 1:
        middle = (low + high) // 2
        if is_green(middle):
            low = middle
        else:
            high = middle
    return high
