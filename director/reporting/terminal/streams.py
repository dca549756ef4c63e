"""The standard streams, whatever is behind them: a reader that is gone, a full disk, nothing."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from typing import IO, Any, TextIO

STANDARD = (0, 1, 2)


class Outlet(io.FileIO):
    """A descriptor to print to. What cannot be written is dropped: printing never fails.

    ``lost`` is the first reason why something was (None: nothing was, or its reader had gone).
    """

    lost: OSError | None = None

    def write(self, data: Any) -> int:
        """Write ``data``, as much of it as the system takes at once; all of it when it is lost."""
        try:
            while (written := super().write(data)) is None:  # another process made it non-blocking
                _wait_for_room(self)
            return written
        except OSError as error:
            if error.errno != errno.EPIPE:
                self.lost = self.lost or error
            return len(data)


def reader_is_gone(stream: IO[str]) -> bool:
    """Whether no reader is left at the other end of ``stream``, a pipe or a terminal."""
    import select

    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)  # errors are told in any case
        return bool(poll.poll(0))
    except (OSError, ValueError):
        return False


def occupy_closed_descriptors() -> None:
    """Open ``/dev/null`` for each standard stream that is closed.

    The next file to be opened would get its number, and with it whatever is printed there.
    """
    for number in STANDARD:
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
            os.set_inheritable(taken, True)


def guard_streams() -> Outlet:
    """Let this process print to outlets, and return the one of standard output.

    Any text can be printed: what the encoding lacks is escaped (a file name may hold any byte).
    """
    occupy_closed_descriptors()
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    outlet = Outlet(1, "w", closefd=False)
    sys.stdout = _printing_to(outlet, sys.stdout)
    sys.stderr = _printing_to(Outlet(2, "w", closefd=False), sys.stderr)
    return outlet


def _printing_to(outlet: Outlet, before: TextIO | None) -> TextIO:
    """Return a text stream that prints to ``outlet`` in the encoding of the one ``before``."""
    encoding = before.encoding if before else None
    by_line = outlet.fileno() == 2 or outlet.isatty()
    kind = _Guarded if _is_read_by_a_runner(outlet) else io.TextIOWrapper
    return kind(io.BufferedWriter(outlet), encoding, "backslashreplace", None, by_line)


def _is_read_by_a_runner(outlet: Outlet) -> bool:
    """Whether GitHub's runner looks for commands in what is printed."""
    on_github = os.environ.get("GITHUB_ACTIONS") == "true"
    return on_github and not stat.S_ISREG(os.fstat(outlet.fileno()).st_mode)


class _Guarded(io.TextIOWrapper):
    """Prints what agents and tools wrote as text, whatever commands it looks like."""

    def __init__(self, buffer: io.BufferedWriter, *how: Any) -> None:
        from director.reporting.live.workflow_commands import Guard

        super().__init__(buffer, *how)
        self._guard = Guard(commands=buffer.fileno() == 2)  # progress

    def write(self, text: str) -> int:
        super().write(self._guard(text))
        return len(text)


def _wait_for_room(outlet: Outlet) -> None:
    from select import select

    select((), (outlet,), ())
