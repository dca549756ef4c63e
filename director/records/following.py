"""Following a file of lines while another process writes it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from director.records.files import open_to_read

READ_BYTES = 1024 * 1024
LONGEST_LINE = 32 * 1024 * 1024  # bytes


class LinesFollower:
    """Gives ``take`` each whole line of a file, once, without its end.

    ``size`` is how many bytes were read. A line longer than LONGEST_LINE is passed over.
    """

    def __init__(self, path: Path, take: Callable[[bytes], None]) -> None:
        self.path = path
        self.size = 0
        self._take_line = take
        self._rest: list[bytes] = []  # of the line that has no end yet
        self._rest_size = 0

    def poll(self) -> bool:
        """Read what is new; returns whether there was anything."""
        before = self.size
        try:
            if os.stat(self.path).st_size == before:  # noqa: PTH116 (several times a second)
                return False
            with open_to_read(self.path) as stream:
                stream.seek(self.size)
                while new := stream.read(READ_BYTES):
                    self._take(new)
        except OSError:  # it is not there yet, or is no file
            return False
        return self.size > before

    def _take(self, new: bytes) -> None:
        self.size += len(new)
        first, *others = new.split(b"\n")
        self._add_to_line(first)
        for part in others:
            if self._rest_size <= LONGEST_LINE:
                self._take_line(b"".join(self._rest))
            self._rest, self._rest_size = [], 0
            self._add_to_line(part)

    def _add_to_line(self, part: bytes) -> None:
        self._rest_size += len(part)
        self._rest = [*self._rest, part] if self._rest_size <= LONGEST_LINE else []
