"""How much longer a run may take, from the nodes that are done."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

LEAST_NODES = 3  # fewer say nothing of the others


class TimeLeft(NamedTuple):
    """About how many seconds are left, and the number of nodes that this rests on."""

    secs: float
    nodes: int


class Todo(NamedTuple):
    """A node that is not finished: what it waits for, and for how long it has been worked on."""

    waits_for: Sequence[str]
    elapsed: float = 0.0


def time_left(done_secs: Sequence[float], todo: Mapping[str, Todo], lanes: int) -> TimeLeft | None:
    """Return how long ``todo`` (by node id) takes; None before LEAST_NODES are done.

    Each node takes the median of ``done_secs``. There is no end before the longest chain of nodes
    that wait for each other is through, nor before the lanes have shared all the work.
    """
    if len(done_secs) < LEAST_NODES or not todo:
        return None
    from statistics import median  # slow to import, and most often nothing is shown yet

    typical = median(done_secs)
    left = {name: max(0.0, typical - one.elapsed) for name, one in todo.items()}
    chains: dict[str, float] = {}
    for name in _in_order(todo):
        before = [chains[one] for one in todo[name].waits_for if one in chains]
        chains[name] = left[name] + max(before, default=0.0)
    shared = sum(left.values()) / max(1, lanes)
    return TimeLeft(max(shared, *chains.values()), len(done_secs))


def _in_order(todo: Mapping[str, Todo]) -> list[str]:
    """Return the ids, those that others wait for first."""
    from graphlib import TopologicalSorter

    known = {name: [one for one in node.waits_for if one in todo] for name, node in todo.items()}
    return list(TopologicalSorter(known).static_order())
