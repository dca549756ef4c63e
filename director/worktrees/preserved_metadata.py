"""Keeping mode, group and times of files as they are while a command reads them.

Confinement protects contents and names. The owner of a file can change its mode, group and times
all the same (Landlock has no rights for these), so they are restored. What was written meanwhile
was written by the user at work, who may: its times stay.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class _Metadata(NamedTuple):
    """Mode, group, the times of access and change in nanoseconds, and what tells another file.

    ``written``: the last thing that happened to it is a change of its content, or looks like one.
    """

    mode: int
    group: int
    accessed_ns: int
    modified_ns: int
    content: tuple[int, int]
    written: bool


@contextmanager
def preserved_metadata(root: Path, excluded: str) -> Iterator[None]:
    """Put back modes, groups and times of all that is in ``root`` when the block ends.

    The folder named ``excluded`` in it and what is gone are left alone, and so are the
    times of what was written (``touch`` cannot be told from that).
    """
    before = _metadata_in(root, excluded)
    try:
        yield
    finally:
        for path, was in before.items():
            with suppress(OSError):
                _restore(path, was)


def _metadata_in(root: Path, excluded: str) -> dict[str, _Metadata]:
    found: dict[str, _Metadata] = {}
    folders = [str(root)]
    while folders:
        folder = folders.pop()
        found[folder] = _of(os.lstat(folder))
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path != str(root / excluded):
                        folders.append(entry.path)
                else:
                    found[entry.path] = _of(entry.stat(follow_symlinks=False))
    return found


def _of(known: os.stat_result) -> _Metadata:
    size = 0 if stat.S_ISDIR(known.st_mode) else known.st_size
    written = known.st_mtime_ns == known.st_ctime_ns
    content = (known.st_ino, size)
    times = (known.st_atime_ns, known.st_mtime_ns)
    return _Metadata(known.st_mode, known.st_gid, *times, content, written)


def _restore(path: str, was: _Metadata) -> None:
    now = _of(os.lstat(path))
    if stat.S_IFMT(now.mode) != stat.S_IFMT(was.mode):
        return
    if now.group != was.group:
        os.chown(path, -1, was.group, follow_symlinks=False)
    if (now.mode, now.group) != (was.mode, was.group) and not stat.S_ISLNK(now.mode):
        os.chmod(path, was.mode & 0o7777)  # noqa: PTH101 (often called)
    if now.modified_ns != was.modified_ns and not now.written and now.content == was.content:
        os.utime(path, ns=(was.accessed_ns, was.modified_ns), follow_symlinks=False)
