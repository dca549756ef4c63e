"""A log of what may print without end: its beginning and its end are kept."""

from __future__ import annotations

import fcntl
import os
from collections import deque
from contextlib import suppress
from pathlib import Path

from director.records.files import open_to_append, os_errors_stop

LONGEST_EDGE = 64 * 1024  # bytes
PIPE_BYTES = 1024 * 1024  # what Linux allows every user (pipe(7))
READ_BYTES = 64 * 1024  # a buffer that costs no memory of its own
LAST_READS = 2 * PIPE_BYTES // READ_BYTES


class BoundedLog:
    """A file at ``path`` that gets the first and the last ``keep_bytes`` of what is said.

    What stands between is left out and counted: whole lines, unless they are longer than
    LONGEST_EDGE, because half of a secret would not be known as one. The beginning is on disk at
    once, the end when the log is closed. Raises StoppedError where it cannot be written.
    """

    def __init__(self, path: Path, keep_bytes: int) -> None:
        self.left_out = 0  # bytes
        self._path = path
        self._keep = keep_bytes
        self._edge = min(LONGEST_EDGE, keep_bytes // 4)
        self._head = 0  # bytes written of it
        self._tail: deque[bytes] = deque()
        self._held = 0  # bytes in the tail
        with os_errors_stop(path):
            self._file = open_to_append(path)

    def add(self, data: bytes) -> None:
        """Add what was said next."""
        if room := self._keep - self._head:
            self._write(data[:room])
            self._head += len(data[:room])
            data = data[room:]
        self._tail.append(data)
        self._held += len(data)
        while self._held - len(self._tail[0]) >= self._keep:
            self._drop(len(self._tail.popleft()))

    def close(self) -> None:
        """Write how much was left out, then the end."""
        tail = b"".join(self._tail)
        self._tail.clear()
        with self._file:
            if excess := max(0, self._held - self._keep):
                self._drop(excess)
                tail = tail[excess:]
            if self.left_out:
                tail = self._from_whole_line(tail)
                self._cut_to_whole_line()
                self._write(f"[… {self.left_out:,} bytes left out …]\n".encode())
            self._write(tail)

    def _drop(self, count: int) -> None:
        self._held -= count
        self.left_out += count

    def _from_whole_line(self, tail: bytes) -> bytes:
        edge = tail[: self._edge]
        begins = edge.find(b"\n") + 1 or len(edge)
        self._drop(begins)
        return tail[begins:]

    def _cut_to_whole_line(self) -> None:
        with os_errors_stop(self._path):
            size = self._file.seek(-self._edge, os.SEEK_END) + self._edge
            edge = self._file.read(self._edge)
            whole = edge[: edge.rfind(b"\n") + 1]
            self._file.truncate(size - len(edge) + len(whole))
        self.left_out += len(edge) - len(whole)
        if not whole:
            self._write(b"\n")

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        with os_errors_stop(self._path):
            while rest:
                rest = rest[self._file.write(rest) :]


class BoundedPipe:
    """What a process says, on a pipe that is read into a BoundedLog until the process ends.

    The end of the pipe is not waited for: what is left running may hold it open.
    """

    def __init__(self, path: Path, keep_bytes: int) -> None:
        self._log = BoundedLog(path, keep_bytes)
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)
        with suppress(OSError, AttributeError):
            fcntl.fcntl(self.source, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def left_out(self) -> int:
        """How many bytes did not get into the log."""
        return self._log.left_out

    def started(self) -> None:
        """Leave the pipe to the process."""
        os.close(self.sink)
        self.sink = -1

    def take(self) -> bool:
        """Read what is there; False: nothing is, and perhaps nothing will be."""
        try:
            data = os.read(self.source, READ_BYTES)
        except BlockingIOError:
            return False
        self._log.add(data)
        return bool(data)

    def close(self) -> None:
        """Read the rest, though others continue to write, and close the log."""
        try:
            for _ in range(LAST_READS):
                if not self.take():
                    break
        finally:
            for descriptor in (one for one in (self.source, self.sink) if one >= 0):
                os.close(descriptor)
            self._log.close()
