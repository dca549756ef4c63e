"""A process that another one started: told to end, and waited for, without mistaking another."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

POLL_SECS = 0.1


class OtherProcess:
    """A process by its id; with a descriptor (pidfd_open(2)) it cannot become another one."""

    def __init__(self, pid: int, descriptor: int | None) -> None:
        self.pid = pid
        self._descriptor = descriptor

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs; PermissionError where it is another user's."""
        with suppress(ProcessLookupError):
            if self._descriptor is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self._descriptor, number)

    def is_over(self, within_secs: float) -> bool:
        """Whether it ends within that many seconds."""
        if self._descriptor is not None:
            poll = select.poll()
            poll.register(self._descriptor, select.POLLIN)
            return bool(poll.poll(within_secs * 1000))
        time.sleep(within_secs)
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False


@contextmanager
def other_process(pid: int, is_meant: Callable[[], bool]) -> Iterator[OtherProcess | None]:
    """Give the process ``pid``; None where it is over, or ``is_meant`` says it is another.

    That is asked when its id can no longer be given to another process.
    """
    descriptor = None
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            descriptor = os.pidfd_open(pid)
    try:
        yield OtherProcess(pid, descriptor) if is_meant() else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def wait_until_over(process: OtherProcess, given_up: Callable[[], bool]) -> bool:
    """Wait until a process is over; False where ``given_up`` ended the wait."""
    while not process.is_over(POLL_SECS):
        if given_up():
            return False
    return True
