"""Looking at the files of a worktree without a process.

What git knows of a file says enough where its status is the same to the nanosecond: each write
changes a file's ctime, which cannot be set. What was written in the same tick of the clock as the
index may have been written again in it, so the content counts (gitformat-index(5), "racy git").
"""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from sys import intern
from typing import NamedTuple

from director.repositories.conversions import Conversion
from director.repositories.index_files import NS, STATUS, IndexEntry
from director.repositories.restoring import AS_IT_IS
from director.worktrees.attributes import is_attributes
from director.worktrees.exact_settings import exact_settings
from director.worktrees.plain_files import GIT, GITLINK, content_of, mode_of
from director.worktrees.tracked_folders import is_listed

MOST_FILES = 2_000  # above, a process costs less than what is done here for each file
BITS = 0xFFFFFFFF  # of a number in an index
CAN_LOOK = sys.platform.startswith("linux") and sys.getfilesystemencoding() == "utf-8"
EXACT = ("core.filemode=true", "core.symlinks=true", "core.ignorecase=false")
FOLDER = AS_IT_IS | os.O_DIRECTORY


def can_look(worktree: Path) -> bool:
    """Whether the files lie in ``worktree`` as git describes them, so that director can look."""
    return CAN_LOOK and set(EXACT) <= set(exact_settings(worktree.parent))


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


Folders = dict[str, dict[str, KnownFile]]


class KnownFiles(NamedTuple):
    """What an index that was written at ``written_at`` (nanoseconds) knows.

    ``folders`` maps each folder ("" or one that ends in "/") to name → file of those right in it.
    """

    folders: Mapping[str, Mapping[str, KnownFile]]
    written_at: int

    @classmethod
    def of(cls, entries: Iterable[IndexEntry], written_at: int) -> "KnownFiles | None":
        """Return what an index with ``entries`` knows; None: a submodule is among them."""
        folders: Folders = {"": {}}
        for entry in entries:
            file = _known(entry)
            if file.mode == GITLINK:
                return None
            folder, name = _place(entry.path)
            if folder not in folders:
                folders.update((one, {}) for one in _leading(folder) if one not in folders)
            folders[folder][name] = file
        return cls(folders, written_at)

    def with_changes(
        self, changes: Mapping[bytes, IndexEntry | None], written_at: int
    ) -> "KnownFiles":
        """Return what the index knows with ``changes`` (path → entry, None: it is gone)."""
        places = {_place(path): entry for path, entry in changes.items()}
        folders: Folders = {**self.folders}  # type: ignore[dict-item]
        for folder in {folder for folder, _ in places}:
            folders[folder] = {**folders.get(folder, {})}
        for (folder, name), entry in places.items():
            folders[folder].pop(name, None)
            if entry:
                folders.update((one, {}) for one in _leading(folder) if one not in folders)
                folders[folder][name] = _known(entry)
        if any(not folders[folder] for folder, _ in places):
            leading = {
                one for folder, files in folders.items() if files for one in _leading(folder)
            }
            folders = {one: files for one, files in folders.items() if one in leading or not one}
        return KnownFiles(folders, written_at)


def _known(entry: IndexEntry) -> KnownFile:
    known = entry.known
    c, c_ns, m, m_ns, _, inode, mode, _, _, size = STATUS.unpack_from(known)
    changed, modified = c * NS + c_ns, m * NS + m_ns
    if modified == changed:  # as of most files: one number for both
        modified = changed
    return KnownFile(mode, known[STATUS.size :], changed, modified, inode, size)


def _place(path: bytes) -> tuple[str, str]:
    """Return folder ("" or one that ends in "/") and name of a path in an index."""
    folder, slash, name = path.decode(errors="surrogateescape").rpartition("/")
    return folder + slash, intern(name)  # of as many worktrees as there are lanes


def _leading(folder: str) -> Iterator[str]:
    """Give a folder that ends in "/" and all that lead to it, the innermost first."""
    while folder:
        yield folder
        above, slash, _ = folder[:-1].rpartition("/")
        folder = above + slash


class Look(NamedTuple):
    """How files differ from an index: ``changed`` do, ``others`` are new.

    Folders among the ``others`` end in "/". Of the ``doubtful`` ones, only git can say it.
    ``special`` is what git passes over in tracked folders: pipes, sockets, devices, repositories.
    """

    changed: frozenset[str]
    doubtful: tuple[str, ...]
    others: tuple[str, ...]
    special: tuple[str, ...]


def look(root: Path, known: KnownFiles, conversion: Conversion, object_format: str) -> Look:
    """Compare the files below ``root`` with what is known; OSError where that cannot be done.

    ``conversion`` is what git may do to the content of its files.
    """
    looker = _Looker(known, conversion, object_format)
    folders = [""]
    while folders:
        folder = folders.pop()
        descriptor = os.open(f"{root}/{folder}".rstrip("/"), FOLDER)
        try:
            folders += looker.look_into(folder, descriptor)
        finally:
            os.close(descriptor)
    return looker.seen()


class _Looker:
    """Compares folder by folder; the ``descriptor`` of each is open meanwhile."""

    def __init__(self, known: KnownFiles, conversion: Conversion, object_format: str) -> None:
        self._known = known
        self._conversion = conversion
        self._hash = getattr(hashlib, object_format)
        self._unseen = set(known.folders)
        self._changed: list[str] = []
        self._doubtful: list[str] = []
        self._others: list[str] = []
        self._special: list[str] = []

    def look_into(self, folder: str, descriptor: int) -> list[str]:
        """Look at all that is right in a folder; returns the tracked folders in it."""
        self._unseen.remove(folder)
        files, written_at = self._known.folders[folder], self._known.written_at
        left, inner = set(files), []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                name = entry.name
                if file := files.get(name):
                    status = entry.stat(follow_symlinks=False)
                    known = file.changed < written_at and file.is_as(status)
                    if known or self._holds(file, (folder, name), status, descriptor):
                        left.remove(name)
                elif found := self._new(folder, entry):
                    inner.append(found)
        self._changed += [folder + name for name in left]
        return inner

    def _holds(
        self, file: KnownFile, place: tuple[str, str], status: os.stat_result, descriptor: int
    ) -> bool:
        """Whether a file holds what is known, or may: then it is doubtful."""
        if file.cannot_be(status):
            return False
        content = content_of(place[1], status, descriptor)
        if content is None or not self._conversion.leaves(content):
            self._doubtful.append(place[0] + place[1])
            return True
        header = b"blob %d\0" % len(content)
        found: bytes = self._hash(header + content, usedforsecurity=False).digest()
        return found == file.oid

    def _new(self, folder: str, entry: os.DirEntry[str]) -> str:
        """Note what no file of the index is; returns it where it is a tracked folder (else "")."""
        path = folder + entry.name
        if entry.name == GIT:
            if folder:
                self._special.append(path)
        elif entry.is_dir(follow_symlinks=False):
            if f"{path}/" in self._unseen:
                return f"{path}/"
            self._others.append(f"{path}/")
        else:
            listed = is_listed(entry) or is_attributes(path)
            (self._others if listed else self._special).append(path)
        return ""

    def seen(self) -> Look:
        """Return what was seen. What is in folders that are not there is gone."""
        gone = (one + name for one in self._unseen for name in self._known.folders[one])
        return Look(
            frozenset((*self._changed, *gone)),
            tuple(self._doubtful),
            tuple(sorted(self._others)),
            tuple(self._special),
        )
