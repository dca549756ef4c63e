"""A command that works beside this process, and is asked to end when this process is gone."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from director.processes.children import CHILDREN
from director.processes.line_buffer import LineBuffer

READ_BYTES = 65536
SAID_BYTES = 8192  # of standard error, its end

# Becomes the command. What stays behind, as an orphan, reads from a pipe that this process
# holds: a line says that there is nothing to do any more, an end without one that this process is
# gone, however that came. The command then ends in its own good order, as after a ctrl-C.
TIED = """\
exec 3<"/dev/fd/$1"
shift
( (read -r _ <&3 || kill -INT "$$") </dev/null >/dev/null 2>&1 & )
exec "$@" 3<&-
"""


class Companion:
    """A process in a session of its own, whose lines are read as they come.

    ``stdin`` is all its input. Raises OSError or ValueError when it cannot be started, StoppedError
    where there is no room for one more process.
    """

    def __init__(
        self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes = b""
    ) -> None:
        self._turn = threading.Lock()
        self._errors: Any = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `wait`
        watched, self._tie = os.pipe()
        try:
            with tempfile.TemporaryFile() as given:
                given.write(stdin)
                given.seek(0)
                self._process: subprocess.Popen[bytes] = CHILDREN.start(
                    ["/bin/sh", "-c", TIED, "sh", str(watched), *argv],
                    cwd=cwd,
                    env=env,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    pass_fds=(watched,),
                )
        except BaseException:
            os.close(self._tie)
            self._errors.close()
            raise
        finally:
            os.close(watched)

    def lines(self, quiet_secs: float) -> Iterator[bytes | None]:
        """Give each line of its standard output; None when none came for ``quiet_secs``."""
        assert self._process.stdout
        descriptor, buffer = self._process.stdout.fileno(), LineBuffer()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            if not poll.poll(quiet_secs * 1000):
                yield None
            elif data := os.read(descriptor, READ_BYTES):
                yield from buffer.add(data)
            else:
                break
        if rest := buffer.rest():
            yield rest

    def interrupt(self) -> None:
        """Ask it to end, as a ctrl-C would."""
        self.insist()
        self._untie()

    def insist(self) -> None:
        """Ask it again: director's own commands end at once then. Takes no lock."""
        self._process.send_signal(signal.SIGINT)

    def wait(self) -> tuple[int, str]:
        """Wait for its end; returns the exit code and the end of what it said on standard error.

        For after its last line.
        """
        try:
            code = self._process.wait()
        finally:
            self._untie()
            CHILDREN.forget(self._process)
        assert self._process.stdout
        self._process.stdout.close()
        with self._errors as errors:
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - SAID_BYTES))
            said: bytes = errors.read()
        return code, said.decode(errors="replace")

    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def _untie(self) -> None:
        with self._turn:
            tie, self._tie = self._tie, -1
        if tie >= 0:
            with suppress(OSError):
                os.write(tie, b"\n")
            os.close(tie)
