"""A person at a terminal: director runs in a pseudo-terminal, and what is shown is answered."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.jobs import SOURCE

PATIENCE_SECS = 120.0  # the test waits for what will never come
CTRL_C = "\x03"
END_OF_INPUT = "\x04"
# The terminal becomes its own, as a shell would see to: then ctrl-C is a signal.
PROGRAM = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from director.cli import main; sys.exit(main())"
)


class Typist:
    """``director`` with a person who types. ``shown`` is all that the terminal showed so far.

    ::

        with Typist(self.repo.root, self.env, "plan", "make a") as person:
            person.sees("[q]uit > ")
            person.types("q")
            code, rest = person.leaves()
    """

    def __init__(
        self,
        cwd: Path,
        env: Mapping[str, str],
        *argv: str,
        columns: int = 80,
        out: Path | None = None,
    ) -> None:
        """``out`` is where standard output goes instead of to the terminal."""
        self.shown = ""
        self._read = 0
        self._terminal, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        stdout = out.open("wb") if out else None
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *argv],
            cwd=cwd,
            env={**env, "PYTHONPATH": str(SOURCE), "TERM": "dumb"},
            stdin=theirs,
            stdout=stdout or theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        if stdout:
            stdout.close()

    def sees(self, text: str) -> str:
        """Wait until ``text`` is shown, and return what was shown since the last time."""
        while (place := self.shown.find(text, self._read)) < 0:
            if not self._more():
                raise AssertionError(f"{text!r} was never shown:\n{self.shown[self._read :]}")
        seen = self.shown[self._read : place + len(text)]
        self._read = place + len(text)
        return seen

    def types(self, text: str, end: str = "\n") -> None:
        """Type a line."""
        os.write(self._terminal, f"{text}{end}".encode())

    def presses(self, key: str) -> None:
        """Press a key that needs no Enter."""
        self.types(key, "")

    def leaves(self) -> tuple[int, str]:
        """Wait for the end; returns the exit code, and what was shown since the last time."""
        while self._more():
            pass
        rest, self._read = self.shown[self._read :], len(self.shown)
        return self._process.wait(), rest

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed."""
        return bool(termios.tcgetattr(self._terminal)[3] & termios.ECHO)

    def signal(self, number: signal.Signals) -> None:
        """Send director a signal."""
        self._process.send_signal(number)

    def _more(self) -> bool:
        """Read what is shown next; False: the end. Fails where nothing comes for PATIENCE_SECS."""
        if not select.select([self._terminal], [], [], PATIENCE_SECS)[0]:
            raise AssertionError(f"it shows nothing more:\n{self.shown[self._read :]}")
        try:
            data = os.read(self._terminal, 4096)
        except OSError:  # the other end is closed
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._terminal)
