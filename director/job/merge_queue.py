"""The merge queue: candidates on their way to the branch, each built on the one before it.

A candidate takes its place before its first gate, so that what is gated is what the branch will be
after its turn: lanes gate side by side, merge in their order, and none gates twice what it will
merge, unless one before it does not. Who leaves the line is left out of what those behind it gate.

Until its gates are green a candidate may take long, or forever. One behind it that is green may
pass it by then; which costs another gate for each of the two, so that it waits a while first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from director.processes.cancellation import Cancellation
from director.repositories.job_repository import JobRepository

LOOK_UP_SECS = 0.2  # for a cancellation, while others are waited for

Merged = TypeVar("Merged")
Build = Callable[[str], str | None]
"""Makes the commit of a candidate on another commit; None: it cannot be."""


@dataclass(frozen=True)
class Spot:
    """Where a candidate stands now: ``commit`` is what the branch will be (None: it cannot be).

    ``tip`` is the branch's, and ``first`` says whether nobody stands before the candidate.
    """

    commit: str | None
    tip: str
    first: bool


@dataclass(eq=False)
class Place:
    """A candidate's place in the line of ``queue``, or one that is not taken yet.

    ``proven``: its gates were green. Everything else is the queue's.
    """

    queue: MergeQueue
    proven: bool = False
    build: Build = field(default=lambda _onto: None, repr=False)
    base: str = ""
    commit: str | None = None

    def take(self, build: Build) -> Spot:
        """Stand last, unless it stands in line; ``build`` makes its commit on any other."""
        return self.queue.take(self, build)

    def spot(self) -> Spot:
        """Return where it stands now; it must have been taken."""
        return self.queue.spot(self)

    def leave(self) -> None:
        """Leave the line, if it stands there: what is behind is built without it."""
        self.queue.leave(self)

    def merge(self, seen: Spot, advance: Callable[[], Merged | None]) -> Merged | None:
        """Leave the line with what ``advance`` returns, if that moved the branch to its commit.

        None, and nothing else, where it stands otherwise than ``seen`` or the branch did not move.
        """
        return self.queue.merge(self, seen, advance)

    def wait(self, seen: Spot, patience: float) -> None:
        """Wait until it stands otherwise than ``seen``.

        After ``patience`` seconds it passes by those before it that are not proven. Raises
        InterruptedRunError when the run is cancelled meanwhile.
        """
        self.queue.wait(self, seen, patience)


class MergeQueue:
    """The queue of one job. Callable from any thread."""

    def __init__(self, job: JobRepository, cancellation: Cancellation) -> None:
        self._job = job
        self._cancellation = cancellation
        self._line: list[Place] = []
        self._moved = threading.Condition()
        self._same = ("", "")  # a tip, and the draft of it that those behind are built on

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Give a place that is not taken yet, and is left at the end."""
        place = Place(self)
        try:
            yield place
        finally:
            self.leave(place)

    def take(self, place: Place, build: Build) -> Spot:
        """As ``Place.take``."""
        with self._moved:
            if place not in self._line:
                place.build, place.base, place.commit = build, "", None
                self._line.append(place)
            return self._spot(place)

    def spot(self, place: Place) -> Spot:
        """As ``Place.spot``."""
        with self._moved:
            return self._spot(place)

    def leave(self, place: Place) -> None:
        """As ``Place.leave``."""
        with self._moved:
            if place in self._line:
                self._line.remove(place)
                place.proven = False
                self._moved.notify_all()

    def merge(
        self, place: Place, seen: Spot, advance: Callable[[], Merged | None]
    ) -> Merged | None:
        """As ``Place.merge``."""
        with self._moved:
            merged = advance() if self._spot(place) == seen else None
            if merged is not None:
                self._same = self._job.tip(), place.commit or ""
                self.leave(place)
            return merged

    def wait(self, place: Place, seen: Spot, patience: float) -> None:
        """As ``Place.wait``."""
        end = time.monotonic() + patience
        with self._moved:
            while self._spot(place) == seen:
                self._cancellation.check()
                left = end - time.monotonic()
                if left <= 0 and self._pass_by(place):
                    return
                self._moved.wait(min(LOOK_UP_SECS, left) if left > 0 else LOOK_UP_SECS)

    def _pass_by(self, place: Place) -> bool:
        """Put a place before the first that is not proven; returns whether one was before it."""
        for position, other in enumerate(self._line):
            if other is place:
                return False
            if not other.proven:
                self._line.remove(place)
                self._line.insert(position, place)
                self._moved.notify_all()
                return True
        return False

    def _spot(self, place: Place) -> Spot:
        """Build everybody on the one before, as far as that changed, up to ``place``."""
        tip, (known, draft) = self._job.tip(), self._same
        onto = draft if tip == known else tip
        for one in self._line:
            if one.base != onto:
                one.commit, one.base = one.build(onto), onto
            if one is place:
                break
            onto = one.commit or onto
        return Spot(place.commit, tip, self._line[0] is place)
