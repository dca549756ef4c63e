"""The merge queue: candidates on their way to the branch, each built on the one before it.

A candidate takes its place before its first gate, so that what is gated is what the branch will be
after its turn: lanes gate side by side, merge in their order, and none gates twice what it will
merge, unless one before it does not. Those behind a candidate that leaves the line gate without it.

The first ones that are ready may merge together, in one step of the branch.

Until its gates are green a candidate may take long, or forever. A green one behind it may then
pass it. That costs another gate for each of the two, so that the green one waits a while first.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, NamedTuple, Protocol

from director.model.receipt import GateRun, Receipt
from director.processes.cancellation import Cancellation
from director.repositories.job_repository import JobRepository

LOOK_UP_SECS = 0.2  # for a cancellation, while others are waited for

Build = Callable[[str], str | None]
"""Makes the commit of a candidate on another commit; None: it cannot be."""


class Spot(NamedTuple):
    """Where a candidate is in the line: ``commit`` is what the branch will be (None: it cannot be).

    ``tip`` is the branch's, and ``first`` says whether the candidate is the first in the line.
    """

    commit: str | None
    tip: str
    first: bool


class Offer(Protocol):
    """What takes a place: the work of ``node``, ``own``, a commit on ``base``."""

    node: str
    base: str
    own: str

    def receipt(self, commit: str, parent: str, contract: Sequence[GateRun]) -> Receipt:
        """Return the receipt of its merge on ``parent``, with the tree of ``commit``, written."""


class ContractCount:
    """What holding merges to the contract took: ``runs`` in how many ``steps``, and refusals."""

    def __init__(self, steps: int = 0, runs: int = 0, refused: int = 0) -> None:
        self.steps = steps
        self.runs = runs
        self.refused = refused


class Place:
    """A candidate's place in the line of ``queue``, or one that is not taken yet.

    ``proven``: its gates were green. ``ready`` is the commit on which they were, and nothing but
    its turn is missing then. ``end`` is what became of it, where another lane decided that. The
    rest is the queue's.
    """

    def __init__(self, queue: "MergeQueue", offer: Offer | None = None) -> None:
        self.queue = queue
        self.offer = offer
        self.proven = False
        self.ready: str | None = None
        self.end: Any = None
        self.build: Build = lambda _onto: None
        self.base = ""
        self.commit: str | None = None

    def take(self, build: Build) -> Spot:
        """Enter the line at its end, unless it is in it; ``build`` makes its commit on another."""
        return self.queue.take(self, build)

    def spot(self) -> Spot:
        """Return where it is now; it must have been taken."""
        return self.queue.spot(self)

    def leave(self) -> None:
        """Leave the line, if it is in it: what is behind is built without it."""
        self.queue.leave(self)

    def wait(self, seen: Spot, patience: float) -> None:
        """Wait until its spot is another than ``seen``.

        After ``patience`` seconds it passes those before it that are not proven. Raises
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
        self.contract = ContractCount()
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
                place.proven, place.ready = False, None
                self._moved.notify_all()

    def end(self, place: Place, end: object) -> None:
        """Let a place leave the line for a reason, ``end``, that its lane is told."""
        with self._moved:
            if place in self._line:
                place.end = end
                self.leave(place)

    def ready(self) -> tuple[Place, ...]:
        """Return the places that could merge now in one step: the first ones that are ready."""
        with self._moved:
            if self._line:
                self._spot(self._line[-1])
            return tuple(takewhile(_is_ready, self._line))

    def merge(self, places: Sequence[Place], advance: Callable[[], Sequence[object]]) -> None:
        """Let ``advance`` move the branch over the first ``places``; each ends as it returns.

        Nothing happens where the line changed meanwhile. It returns nothing where the branch did
        not move.
        """
        with self._moved:
            self._spot(places[-1])
            if self._line[: len(places)] != list(places) or not all(map(_is_ready, places)):
                return
            for place, end in zip(places, advance(), strict=False):
                self._same = self._job.tip(), place.commit or ""
                self.end(place, end)

    def wait(self, place: Place, seen: Spot, patience: float) -> None:
        """As ``Place.wait``."""
        end = time.monotonic() + patience
        with self._moved:
            while place.end is None and self._spot(place) == seen:
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
        """Build each candidate on the one before it, where that changed, up to ``place``.

        A place that has left the line keeps its last commit.
        """
        if place not in self._line:
            return Spot(place.commit, self._job.tip(), first=False)
        tip, (known, draft) = self._job.tip(), self._same
        onto = draft if tip == known else tip
        for one in self._line:
            if one.base != onto:
                one.commit, one.base = one.build(onto), onto
            if one is place:
                break
            onto = one.commit or onto
        return Spot(place.commit, tip, self._line[0] is place)


def _is_ready(place: Place) -> bool:
    return place.ready is not None and place.ready == place.commit
