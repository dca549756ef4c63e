"""Bytes as they arrive, as whole lines."""

from __future__ import annotations


class LineBuffer:
    """Takes bytes and gives lines without their ends.

    A line of more than ``longest`` bytes is given as None, once, when it ends; 0: none is too long.
    """

    def __init__(self, longest: int = 0) -> None:
        self._longest = longest
        self._parts: list[bytes] = []  # of the line that has no end yet
        self._size = 0

    def add(self, data: bytes) -> list[bytes | None]:
        """Return the lines that ``data`` completes."""
        *ended, rest = data.split(b"\n")
        lines = [self._line(part) for part in ended]
        self._keep(rest)
        return lines

    def rest(self) -> bytes | None:
        """Return what came after the last line, as one more line; b"" for nothing."""
        return self._line(b"")

    def _line(self, part: bytes) -> bytes | None:
        self._keep(part)
        line = None if self._is_too_long() else b"".join(self._parts)
        self._parts, self._size = [], 0
        return line

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._is_too_long():
            self._parts = []
        else:
            self._parts.append(part)

    def _is_too_long(self) -> bool:
        return 0 < self._longest < self._size
