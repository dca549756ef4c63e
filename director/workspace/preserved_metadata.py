"""A folder that is read, and is afterwards what it was: also what no confinement keeps.

Confinement keeps contents and names. Modes and times of what somebody owns can be changed all the
same (Landlock has no rights for these), so they are put back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class _Looks(NamedTuple):
    """Mode, and the times of access and change in nanoseconds."""

    mode: int
    read_ns: int
    changed_ns: int


@contextmanager
def untouched(root: Path, apart: str) -> Iterator[None]:
    """Put back modes and times of all that is in ``root`` when the block ends.

    The folder named ``apart`` in it, links and what is gone by then are left alone.
    """
    before = _looks(root, apart)
    try:
        yield
    finally:
        for path, was in before.items():
            with suppress(OSError):
                _put_back(path, was)


def _looks(root: Path, apart: str) -> dict[str, _Looks]:
    found: dict[str, _Looks] = {}
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        found[folder] = _of(os.lstat(folder))
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path != str(root / apart):
                        folders.append(entry.path)
                elif not entry.is_symlink():
                    found[entry.path] = _of(entry.stat(follow_symlinks=False))
    return found


def _of(known: os.stat_result) -> _Looks:
    return _Looks(known.st_mode, known.st_atime_ns, known.st_mtime_ns)


def _put_back(path: str, was: _Looks) -> None:
    now = _of(os.lstat(path))
    if now.mode != was.mode:
        os.chmod(path, was.mode & 0o7777)  # noqa: PTH101 (often called)
    if now.changed_ns != was.changed_ns:
        os.utime(path, ns=(was.read_ns, was.changed_ns))
