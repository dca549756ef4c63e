"""Doing many things, a few at a time, each in a thread of its own.

As `concurrent.futures` would do it, whose import takes longer than all that a lane does, and which
holds 2 KB for each thing that waits for its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from typing import Generic, NoReturn, Self, TypeVar

from director.model.errors import StoppedError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Lanes(Generic[Item, Result]):
    """A thread for each item that is worked on; at its exit all have ended."""

    def __init__(self, work: Callable[[Item], Result]) -> None:
        self._work = work
        self._threads: dict[str, Thread] = {}
        self._ended: SimpleQueue[tuple[str, Callable[[], Result]]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for thread in self._threads.values():
            thread.join()

    def __len__(self) -> int:
        """Return how many items are worked on."""
        return len(self._threads)

    def begin(self, name: str, item: Item) -> None:
        """Work on an item in a thread of its own; StoppedError where there is no room for one."""
        thread = Thread(target=self._run, args=(name, item), name=f"lane-{name}")
        try:
            thread.start()
        except RuntimeError as error:
            raise StoppedError(
                f"{name} cannot begin: {error}",
                "allow more processes or memory (`ulimit -a`), or use fewer lanes, then try again",
            ) from None
        self._threads[name] = thread

    def next_end(self) -> tuple[str, Callable[[], Result]]:
        """Wait for an item's end.

        Returns its name, and what returns the result, or raises what ``work`` did.
        """
        name, outcome = self._ended.get()
        self._threads.pop(name).join()
        return name, outcome

    def _run(self, name: str, item: Item) -> None:
        try:
            result = self._work(item)
        except BaseException as error:
            self._ended.put((name, partial(_raise, error)))
        else:
            self._ended.put((name, lambda: result))


def side_by_side(
    work: Callable[[Item], Result], items: Iterable[tuple[str, Item]], lanes: int
) -> Iterator[Result]:
    """Give what ``work`` returns for each of ``items`` (name, item), in their order.

    ``lanes`` are worked on at a time; names differ. What ``work`` raises is raised when the others
    that have begun are over; then no more begin.
    """
    left = iter(items)
    ended: dict[str, Callable[[], Result]] = {}
    order: deque[str] = deque()  # of those that have begun and were not given yet
    with Lanes(work) as working:
        while True:
            for name, item in islice(left, lanes - len(working)):
                working.begin(name, item)
                order.append(name)
            if not working:
                return
            name, outcome = working.next_end()
            ended[name] = outcome
            while order and order[0] in ended:
                yield ended.pop(order.popleft())()


def _raise(error: BaseException) -> NoReturn:
    raise error
