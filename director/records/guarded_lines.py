"""A journal that others may write while director runs: only what director wrote counts.

The lines are read once; from then on memory is the truth, and the file is for the next run. They
are kept as text: the objects that they are take twice as much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from director.records import json_lines

Mark = tuple[int, ...]


class GuardedLines:
    """The JSON objects of one JSONL file. One thread at a time adds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = _mark(path)
        self._lines = _read(path)

    @property
    def values(self) -> Iterator[Mapping[str, Any]]:
        """The lines, oldest first, as they were read and added."""
        return map(json.loads, self._lines)

    def add(self, value: Mapping[str, Any]) -> None:
        """Append a line; on disk when this returns. What others wrote meanwhile is undone."""
        line = json_lines.in_line(value)
        self._lines.append(line)
        if _mark(self._path) == self._mark:
            json_lines.append_texts(self._path, [line], durable=True)
            self._mark = _mark(self._path)
        else:
            self._write()

    def replace(self, values: Iterable[Mapping[str, Any]]) -> None:
        """Make the file hold exactly ``values``; on disk when this returns."""
        self._lines = list(map(json_lines.in_line, values))
        self._write()

    def restore(self) -> bool:
        """Undo what others wrote, where the folder still exists; returns whether there was any."""
        if _mark(self._path) == self._mark or not self._path.parent.is_dir():
            return False
        mark = _mark(self._path)
        if mark and _read(self._path) == self._lines:
            self._mark = mark
            return False
        self._write()
        return True

    def _write(self) -> None:
        json_lines.write_texts(self._path, self._lines)
        self._mark = _mark(self._path)


def _read(path: Path) -> list[str]:
    return list(map(json_lines.in_line, json_lines.read_lines(path)))


def _mark(path: Path) -> Mark:
    """Return what changes when the file is written (its ctime cannot be set)."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
