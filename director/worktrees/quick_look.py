"""Looking at the files of a worktree without a process.

What git knows of a file says enough where its status is the same to the nanosecond: each write
changes a file's ctime, which cannot be set. What was written in the same tick of the clock as the
index may have been written again in it, so the content counts (gitformat-index(5), "racy git").
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from director.repositories.index_files import NS, STATUS, IndexEntry

MOST_FILES = 2_000  # above, a process costs less than what is done here for each file
GIT = ".git"  # which git passes over wherever it is
MOST_BYTES = 16 << 20  # of a file that is read whole
PLAIN, EXECUTABLE, GITLINK = 0o100644, 0o100755, 0o160000
BITS = 0xFFFFFFFF  # of a number in an index
CAN_LOOK = sys.platform.startswith("linux") and sys.getfilesystemencoding() == "utf-8"
EXACT = ("core.filemode=true", "core.symlinks=true", "core.ignorecase=false")


class KnownFile(NamedTuple):
    """What an index knows of a file; times in nanoseconds, numbers cut to 32 bits."""

    mode: int
    oid: bytes
    changed: int
    modified: int
    inode: int
    size: int

    def is_as(self, status: os.stat_result) -> bool:
        """Whether a file with this status is as it was: its owner and mode go with its ctime."""
        return (
            self.changed == status.st_ctime_ns
            and self.modified == status.st_mtime_ns
            and self.inode == status.st_ino & BITS
            and self.size == status.st_size & BITS
        )

    def cannot_be(self, status: os.stat_result) -> bool:
        """Whether a file with this status holds something else, whatever is in it.

        A size of 0 stands for one that git does not know.
        """
        return self.mode != mode_of(status) or bool(
            self.size and self.size != status.st_size & BITS
        )


@dataclass(frozen=True)
class KnownFiles:
    """What an index that was written at ``written_at`` (nanoseconds) knows: path → file."""

    files: Mapping[str, KnownFile]
    folders: Set[str]
    written_at: int

    @classmethod
    def of(cls, entries: Iterable[IndexEntry], written_at: int) -> KnownFiles | None:
        """Return what an index with ``entries`` knows; None: only git can look at the files."""
        files, folders = {}, set()
        for name, known in entries:
            c, c_ns, m, m_ns, _, inode, mode, _, _, size = STATUS.unpack_from(known)
            if mode == GITLINK:
                return None
            path, times = name.decode(errors="surrogateescape"), (c * NS + c_ns, m * NS + m_ns)
            files[path] = KnownFile(mode, known[STATUS.size :], *times, inode, size)
            folder = path.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        return cls(files, folders, written_at)


@dataclass(frozen=True)
class Look:
    """How files differ from an index: ``changed`` do, ``doubtful`` ones may, ``others`` are new.

    Folders among the ``others`` end in "/".
    """

    changed: frozenset[str]
    doubtful: tuple[str, ...]
    others: tuple[str, ...]


def look(root: Path, known: KnownFiles) -> Look:
    """Compare the files below ``root`` with what is known; OSError where that cannot be done."""
    same: set[str] = set()
    doubtful: list[str] = []
    others: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                path = folder + entry.name
                file = known.files.get(path)
                if file:
                    status = entry.stat(follow_symlinks=False)
                    if file.is_as(status) and file.changed < known.written_at:
                        same.add(path)
                    elif not file.cannot_be(status):
                        doubtful.append(path)
                elif entry.is_dir(follow_symlinks=False):
                    if entry.name != GIT:
                        (folders if path in known.folders else others).append(f"{path}/")
                elif entry.name != GIT and _is_listed(entry):
                    others.append(path)
    changed = known.files.keys() - same.union(doubtful)
    return Look(frozenset(changed), tuple(doubtful), tuple(sorted(others)))


def _is_listed(entry: os.DirEntry[str]) -> bool:
    """Whether git takes notice of it: not of a pipe, socket or device."""
    return entry.is_symlink() or entry.is_file(follow_symlinks=False)


def mode_of(status: os.stat_result) -> int:
    """Return git's mode of what has this status (0: git has none)."""
    if stat.S_ISREG(status.st_mode):
        return EXECUTABLE if status.st_mode & stat.S_IXUSR else PLAIN
    return stat.S_IFLNK if stat.S_ISLNK(status.st_mode) else 0


def content_of(path: str) -> bytes | None:
    """Return what git stores of a file or a link; None: git is to read it (it is large)."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(os.readlink(path))  # noqa: PTH115 (bytes as they are)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read() if os.fstat(descriptor).st_size <= MOST_BYTES else None
