"""Looking at the files of a worktree without a process.

What git knows of a file says enough where its status is the same to the nanosecond: each write
changes a file's ctime, which cannot be set. What was written in the same tick of the clock as the
index may have been written again in it, so the content counts (gitformat-index(5), "racy git").
"""

import os
import sys
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import NamedTuple

from director.repositories.index_files import NS, STATUS, IndexEntry
from director.worktrees.attributes import is_attributes
from director.worktrees.plain_files import GIT, GITLINK, mode_of

MOST_FILES = 2_000  # above, a process costs less than what is done here for each file
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


class KnownFiles(NamedTuple):
    """What an index that was written at ``written_at`` (nanoseconds) knows: path → file."""

    files: Mapping[str, KnownFile]
    folders: Set[str]
    written_at: int

    @classmethod
    def of(cls, entries: Iterable[IndexEntry], written_at: int) -> "KnownFiles":
        """Return what an index with ``entries`` knows."""
        files = dict(_known(one) for one in entries)
        return cls(files, _folders(files), written_at)

    def with_changes(
        self, changes: Mapping[bytes, IndexEntry | None], written_at: int
    ) -> "KnownFiles":
        """Return what the index knows with ``changes`` (path → entry, None: it is gone)."""
        gone = {name.decode(errors="surrogateescape") for name in changes} & self.files.keys()
        new = dict(_known(entry) for entry in changes.values() if entry)
        files = {**self.files, **new}
        for path in gone - new.keys():
            del files[path]
        folders = _folders(files) if gone - new.keys() else {*self.folders, *_folders(new)}
        return KnownFiles(files, folders, written_at)

    @property
    def has_submodules(self) -> bool:
        """Whether a submodule is among them."""
        return any(file.mode == GITLINK for file in self.files.values())


def _known(entry: IndexEntry) -> tuple[str, KnownFile]:
    name, known = entry
    c, c_ns, m, m_ns, _, inode, mode, _, _, size = STATUS.unpack_from(known)
    times = (c * NS + c_ns, m * NS + m_ns)
    file = KnownFile(mode, known[STATUS.size :], *times, inode, size)
    return name.decode(errors="surrogateescape"), file


def _folders(paths: Iterable[str]) -> set[str]:
    """Return all folders that lead to ``paths``."""
    found: set[str] = set()
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


class Look(NamedTuple):
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
                elif entry.name != GIT and (_is_listed(entry) or is_attributes(path)):
                    others.append(path)
    changed = known.files.keys() - same.union(doubtful)
    return Look(frozenset(changed), tuple(doubtful), tuple(sorted(others)))


def _is_listed(entry: os.DirEntry[str]) -> bool:
    """Whether git lists it: not a pipe, socket or device.

    One with the name of an attributes file it would read all the same, and wait for a pipe.
    """
    return entry.is_symlink() or entry.is_file(follow_symlinks=False)
