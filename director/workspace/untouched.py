"""A folder that is read, and is afterwards what it was: also what no confinement keeps.

Confinement keeps contents and names. Modes, groups and times of what somebody owns can be changed
all the same (Landlock has no rights for these), so they are put back. What was written meanwhile
was written by somebody who may, the user at work: its times tell of that, and stay.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class _Looks(NamedTuple):
    """Mode, group, the times of access and change in nanoseconds, and what tells another file.

    ``written``: the last thing that happened to it is a change of its content, or looks like one.
    """

    mode: int
    group: int
    read_ns: int
    changed_ns: int
    content: tuple[int, int]
    written: bool


@contextmanager
def untouched(root: Path, apart: str) -> Iterator[None]:
    """Put back modes, groups and times of all that is in ``root`` when the block ends.

    The folder named ``apart`` in it and what is gone by then are left alone, and so are the
    times of what was written (``touch`` cannot be told from that).
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
                else:
                    found[entry.path] = _of(entry.stat(follow_symlinks=False))
    return found


def _of(known: os.stat_result) -> _Looks:
    size = 0 if stat.S_ISDIR(known.st_mode) else known.st_size
    written = known.st_mtime_ns == known.st_ctime_ns
    content = (known.st_ino, size)
    times = (known.st_atime_ns, known.st_mtime_ns)
    return _Looks(known.st_mode, known.st_gid, *times, content, written)


def _put_back(path: str, was: _Looks) -> None:
    now = _of(os.lstat(path))
    if stat.S_IFMT(now.mode) != stat.S_IFMT(was.mode):
        return
    if now.group != was.group:
        os.chown(path, -1, was.group, follow_symlinks=False)
    if (now.mode, now.group) != (was.mode, was.group) and not stat.S_ISLNK(now.mode):
        os.chmod(path, was.mode & 0o7777)  # noqa: PTH101 (often called)
    if now.changed_ns != was.changed_ns and not now.written and now.content == was.content:
        os.utime(path, ns=(was.read_ns, was.changed_ns), follow_symlinks=False)
