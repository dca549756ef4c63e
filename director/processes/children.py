"""The children of this process: those that it started, and orphans that become its own.

Every process gets a session of its own and a marker in its environment. What dropped its
environment, and lost its parent, is found as a child of director's (``adopt_orphans``).
"""

from __future__ import annotations

import _thread
import errno
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from director.model.errors import StoppedError
from director.processes.cancellation import in_charge
from director.processes.process_table import (
    Listed,
    carries,
    children_of_first_thread,
    list_processes,
)

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
SET_CHILD_SUBREAPER = 36  # prctl(2)


class Children:
    """The processes that this one started itself; any other child of it is an orphan."""

    def __init__(self) -> None:
        self.adopting = False
        self.own: dict[int, subprocess.Popen[bytes]] = {}
        self.markers: set[str] = set()  # of trees that are still to be ended
        self.marker = f"director:{os.urandom(6).hex()}"  # of what git leaves: it is the user's
        # Its holder may be made to end a process: the garbage collector runs anywhere.
        self.turn = threading.RLock()

    def start(self, *args: Any, **how: Any) -> subprocess.Popen[bytes]:
        """Start a process, in a session of its own unless ``how`` says otherwise.

        It is not taken for an orphan, and a second ctrl-C kills it. Raises OSError;
        StoppedError where there is no room for one more.
        """
        cancellation = in_charge()
        if cancellation and self.kill_all not in cancellation.last_resorts:
            cancellation.last_resorts.append(self.kill_all)
        with self.turn, room():
            process = subprocess.Popen(*args, **{"start_new_session": True, **how})
            self.own[process.pid] = process
            return process

    def kill_all(self) -> None:
        """Kill what was started in a session of its own. Takes no lock: for a signal handler."""
        for process in list(self.own.values()):
            signal_group(process, signal.SIGKILL)

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Note that a process of ours is over: its id may be given out again."""
        with self.turn:
            if self.own.get(process.pid) is process:
                del self.own[process.pid]

    def orphans(self) -> list[int]:
        """Return orphans that nothing else ends, and let those that are over go.

        A marker is a variable, which any process can set: only those that were given out count.
        Only for the holder of ``turn``, or in a process that is about to end.
        """
        if not self.adopting:
            return []
        found = []
        for one in filter(self.is_strange, list_processes()):
            if one.over:
                with suppress(OSError):
                    os.waitpid(one.pid, os.WNOHANG)
            elif not carries(one.pid, self.marker, *self.markers):
                found.append(one.pid)
        return found

    def is_strange(self, one: Listed) -> bool:
        """Whether a process is a child that this one did not start."""
        return self.adopting and one.parent == os.getpid() and one.pid not in self.own

    def are_all_known(self) -> bool:
        """Whether every child of this process is one that it started itself.

        Then nothing is left of a tree whose root is over: what outlives its parent becomes a
        child of this process (prctl(2), PR_SET_CHILD_SUBREAPER), of its first thread. The kernel
        may pass over a child while another one ends (proc(5)), so it is asked twice.
        """
        return self.adopting and all(self._known_now() for _ in range(2))

    def _known_now(self) -> bool:
        found = children_of_first_thread()
        return found is not None and self.own.keys() >= found


CHILDREN = Children()


def adopt_orphans() -> None:
    """Become the parent of whatever loses its parent below this process (Linux)."""
    import ctypes

    with suppress(OSError, AttributeError):
        CHILDREN.adopting = ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def start_bound(bind: Callable[[], None] | None, *args: Any, **how: Any) -> subprocess.Popen[bytes]:
    """Start a process from a thread that ``bind`` has bound (None: from this one).

    Raises OSError; StoppedError where there is no room for one more; what ``bind`` raises.
    """
    if bind is None:
        return CHILDREN.start(*args, **how)
    started: list[subprocess.Popen[bytes] | BaseException] = []
    over = _thread.allocate_lock()
    over.acquire()

    def start() -> None:
        try:
            bind()
            started.append(CHILDREN.start(*args, **how))
        except BaseException as error:  # for the one that waits for this thread
            started.append(error)
        finally:
            over.release()

    # A thread for each process, and no longer: one that stays could be traced by what it started,
    # whose domain is its own. It is a bare one, since ``threading`` takes three times as long.
    try:
        _thread.start_new_thread(start, ())
    except RuntimeError:  # it says no more than that
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from None
    over.acquire()
    if isinstance(started[0], BaseException):
        raise started[0]
    return started[0]


class room:  # noqa: N801 (a statement; as a generator it takes three times as long)
    """Raise StoppedError when the machine has no room for another process: no command's fault."""

    def __enter__(self) -> None:
        """Begin what needs room."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        """Raise StoppedError in place of an OSError that says so."""
        if not isinstance(error, OSError) or error.errno not in EXHAUSTED:
            return
        raise StoppedError(
            f"no process can be started: {error.strerror}",
            "end other programs, or raise the limits (`ulimit -n`, `ulimit -u`), then run the "
            "command again",
        ) from None


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the group of a process that is not over."""
    if process.returncode is None:  # else its id may have been given out again
        with suppress(OSError):
            os.killpg(process.pid, number)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, if it is still there."""
    with suppress(OSError):
        os.kill(pid, number)
