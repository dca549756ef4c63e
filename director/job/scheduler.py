"""Which node next, and the loop that keeps the lanes busy.

The schedule is a plain value in the hands of one thread; workers only return results.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from director.job.side_by_side import Lanes
from director.model.dag import dependents, reachable, remaining_path_lengths
from director.model.errors import StoppedError
from director.model.plan import Node

Result = TypeVar("Result")


class Schedule:
    """The nodes that may start, longest remaining path first.

    A node is ready when everything it depends on is finished; counters make that one step per
    edge in all. ``finished`` nodes and those not in ``wanted`` are never given out.
    """

    def __init__(
        self, nodes: Sequence[Node], finished: Iterable[str], wanted: Iterable[str] | None = None
    ) -> None:
        self._after = dependents(nodes)
        # The longest chain of what is left bounds how soon all can be done: it must not wait.
        self._rank = {
            node_id: (-length, place)
            for place, (node_id, length) in enumerate(remaining_path_lengths(nodes).items())
        }
        self._blocked: set[str] = set()
        done = set(finished)
        open_ids = {node.id for node in nodes} - done
        self._open = open_ids if wanted is None else open_ids & set(wanted)
        self._missing = {n.id: len(set(n.depends_on) - done) for n in nodes if n.id in open_ids}
        self._ready: list[tuple[tuple[int, int], str]] = []
        for node_id, missing in self._missing.items():
            self._offer(node_id, missing)

    def take(self) -> str | None:
        """Return the next node to start, or None when none is ready now."""
        while self._ready:
            node_id = heapq.heappop(self._ready)[1]
            if node_id in self._open:
                self._open.remove(node_id)
                return node_id
        return None

    def finish(self, node_id: str) -> None:
        """Note that a node is done: what waited only for it becomes ready."""
        for dependent in self._after.get(node_id, ()):
            if dependent in self._missing:
                self._missing[dependent] -= 1
                self._offer(dependent, self._missing[dependent])

    def fail(self, node_id: str) -> set[str]:
        """Note that a node failed; returns those that newly wait for one that did.

        What waits already is not gone through again, so that this is one step per edge in all.
        """
        blocked = reachable(self._after, node_id, known=self._blocked)
        self._blocked |= blocked
        self._open -= blocked
        return blocked

    def close(self) -> None:
        """Give out nothing more."""
        self._open.clear()

    def _offer(self, node_id: str, missing: int) -> None:
        if missing == 0 and node_id in self._open:
            heapq.heappush(self._ready, (self._rank[node_id], node_id))


def drive(
    schedule: Schedule,
    lanes: int,
    work: Callable[[str], Result],
    settle: Callable[[str, Result], None],
    draining: Callable[[], bool] = lambda: False,
) -> None:
    """Work off ``schedule`` with up to ``lanes`` nodes at a time.

    ``work`` runs in a lane's thread; ``settle`` runs in the caller's, is told each result once,
    and tells the schedule. The first exception of either closes the schedule, and is raised when
    the results of the other lanes are settled. Once ``draining``, nothing more is given out.
    """
    failure: BaseException | None = None
    with Lanes(work) as working:
        while True:
            if draining():
                schedule.close()
            try:
                while len(working) < lanes and (node_id := schedule.take()) is not None:
                    working.begin(node_id, node_id)
            except StoppedError as error:
                failure = failure or error
                schedule.close()
            if not working:
                break
            node_id, outcome = working.next_end()
            try:
                settle(node_id, outcome())
            # What the other lanes are doing is paid for: they end and are settled first.
            except BaseException as error:
                failure = failure or error
                schedule.close()
    if failure is not None:
        raise failure
