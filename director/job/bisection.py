"""Which of a series of commits turned a gate red: a binary search, without effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Bisection:
    """What came of it: the number of the culprit, or why nobody is blamed."""

    culprit: int | None
    doubt: str = ""


def bisect(
    count: int, is_green: Callable[[int], bool], first: int = 0, there: str = "on the base"
) -> Bisection:
    """Find the first of commits ``first`` + 1 … ``count`` from which on the gate is red.

    Commits count from 1; 0 stands for what was before them. The gate was seen green at ``first``
    (in words: ``there``) and red at ``count``; both are looked at again, and so are, at the end,
    the culprit and the commit before it: a gate that says now this, now that, blames nobody.
    """
    if is_green(count):
        return Bisection(None, "it is green when it runs again on the same commit, so it is flaky")
    if not is_green(first):
        return Bisection(None, f"it is red {there} by now, though it was green there")
    low, high = first, count
    while high - low > 1:
        middle = (low + high) // 2
        if is_green(middle):
            low = middle
        else:
            high = middle
    steady = (low == first or is_green(low)) and (high == count or not is_green(high))
    if not steady:
        return Bisection(None, "it says now green, now red, on the same commit, so it is flaky")
    return Bisection(high)
