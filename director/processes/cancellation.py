"""Ctrl-C and SIGTERM as a flag that everything which waits looks at.

Beside it the request to end later, when the calls under way are over. It is a signal, too, so it
reaches the process that it was meant for and no other, and nothing of it is left for the next one.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from director.model.errors import DrainedError, InterruptedRunError

DRAIN = signal.SIGUSR1  # to the process that is to end after the calls under way


class Cancellation:
    """Set by a signal. A plain attribute: a handler may interrupt the holder of a lock."""

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.draining = False
        self.told_of_end: list[Callable[[], None]] = []
        self.told_of_drain: list[Callable[[], None]] = []
        self.last_resorts: list[Callable[[], None]] = []

    def cancel(self, signal_number: int) -> None:
        """Ask everything that waits to end. The first time listeners are told, each in a thread."""
        first, self.signal_number = self.signal_number is None, signal_number
        if first:
            _tell(self.told_of_end)

    def drain(self) -> None:
        """Ask everything that would begin something that costs money to leave it.

        Listeners are told in a thread: a handler may interrupt the holder of a lock.
        """
        self.draining = True
        _tell(self.told_of_drain)

    def check_before_call(self) -> None:
        """Raise InterruptedRunError or DrainedError when no call is to begin any more."""
        self.check()
        if self.draining:
            raise DrainedError

    @property
    def requested(self) -> bool:
        """Whether an end was asked for."""
        return self.signal_number is not None

    def check(self) -> None:
        """Raise InterruptedRunError when an end was asked for."""
        if self.signal_number is not None:
            raise InterruptedRunError(self.signal_number)


def _tell(listeners: Iterable[Callable[[], None]]) -> None:
    for listener in tuple(listeners):
        with suppress(RuntimeError):  # no room for a thread: an error would end what is under way
            threading.Thread(target=listener, daemon=True).start()


_IN_CHARGE: list[Cancellation] = []


def in_charge() -> Cancellation | None:
    """Return what a signal to this process would cancel now, if anything."""
    return _IN_CHARGE[-1] if _IN_CHARGE else None


@contextmanager
def signals_cancel(cancellation: Cancellation) -> Iterator[None]:
    """While open, the first SIGINT or SIGTERM cancels; a second kills what runs and exits.

    So does the SIGHUP of a terminal that closes, unless it was to be ignored (nohup). DRAIN asks
    for an end after the calls under way.
    """

    def handle(signal_number: int, _frame: FrameType | None) -> None:
        if cancellation.requested:
            for kill in tuple(cancellation.last_resorts):
                kill()
            os._exit(128 + signal_number)
        cancellation.cancel(signal_number)

    def drain(_number: int, _frame: FrameType | None) -> None:
        cancellation.drain()

    handlers = {signal.SIGINT: handle, signal.SIGTERM: handle, DRAIN: drain}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = handle
    _IN_CHARGE.append(cancellation)
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        _IN_CHARGE.remove(cancellation)
        for number, handler in before.items():
            signal.signal(number, handler)
