"""A journal that others may write while director runs: only what director wrote counts.

The lines are read once; from then on memory is the truth, and the file is for the next run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from director.records import json_lines

Mark = tuple[int, ...]


class GuardedLines:
    """The JSON objects of one JSONL file. One thread at a time adds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = _mark(path)
        self._values: list[Mapping[str, Any]] = list(json_lines.read_lines(path))

    @property
    def values(self) -> tuple[Mapping[str, Any], ...]:
        """The lines, oldest first, as they were read and added."""
        return tuple(self._values)

    def add(self, value: Mapping[str, Any]) -> None:
        """Append a line; on disk when this returns. What others wrote meanwhile is undone."""
        self._values.append(value)
        if _mark(self._path) == self._mark:
            json_lines.append_line(self._path, value, durable=True)
            self._mark = _mark(self._path)
        else:
            self._write()

    def replace(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Make the file hold exactly ``values``; on disk when this returns."""
        self._values = list(values)
        self._write()

    def restore(self) -> bool:
        """Undo what others wrote, where the folder still exists; returns whether there was any."""
        if _mark(self._path) == self._mark or not self._path.parent.is_dir():
            return False
        mark = _mark(self._path)
        if mark and json_lines.read_lines(self._path) == self._values:
            self._mark = mark
            return False
        self._write()
        return True

    def _write(self) -> None:
        json_lines.write_lines(self._path, self._values)
        self._mark = _mark(self._path)


def _mark(path: Path) -> Mark:
    """Return what changes when the file is written (its ctime cannot be set)."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
