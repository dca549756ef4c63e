"""The merge queue: candidates on their way to the branch, each built on the one before it.

Lanes gate side by side what the branch would be after their turn, and merge in their order. A lane
waits for those before it, but never to begin its gate; and none gates again what another changed
meanwhile, unless one before it did not merge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from director.model.values import dataclass
from director.processes.cancellation import Cancellation
from director.repositories.job_repository import JobRepository

LOOK_UP_SECS = 0.2  # for a cancellation, while others are waited for


@dataclass(frozen=True, eq=False)
class QueueEntry:
    """A place in the queue: ``commit`` is built on ``base`` (None: it cannot be)."""

    base: str
    commit: str | None


class MergeQueue:
    """The queue of one job. Callable from any thread."""

    def __init__(self, job: JobRepository, cancellation: Cancellation) -> None:
        self._job = job
        self._cancellation = cancellation
        self._line: list[QueueEntry] = []
        self._moved = threading.Condition()

    @contextmanager
    def place(self, build: Callable[[str], str | None]) -> Iterator[QueueEntry]:
        """Give the last place; ``build`` makes the commit on what the branch will be by then."""
        with self._moved:
            pending = [place.commit for place in self._line if place.commit]
            base = pending[-1] if pending else self._job.tip()
            place = QueueEntry(base, build(base))
            self._line.append(place)
        try:
            yield place
        finally:
            with self._moved:
                self._line.remove(place)
                self._moved.notify_all()

    def await_turn(self, place: QueueEntry) -> bool:
        """Wait until it is the first; returns whether the branch now holds what it is built on.

        Raises InterruptedRunError when the run is cancelled meanwhile.
        """
        with self._moved:
            while self._line[0] is not place:
                self._cancellation.check()
                self._moved.wait(LOOK_UP_SECS)
        # Trees, not ids: the commits in the queue are drafts of merges, which get other trailers.
        return self._job.tree(place.base) == self._job.tree(self._job.tip())
