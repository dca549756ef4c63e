"""A fast-forward of the user's checkout that git left half-way: its files as they were before.

git writes files first, then its index, then the ref. Where the disk is full, or something refuses
a file, it ends with neither, and leaves what it has written (git-merge(1) has no way back then).
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from director.repositories.git import join_z
from director.repositories.history import Change, History
from director.repositories.links import has_plain_parents
from director.repositories.objects import ABSENT_MODE, GITLINK_MODE, LINK_MODE
from director.repositories.repository import Repository

Look = tuple[int, int, int, int] | None
"""Mode, inode, size and ctime of a file; None: there is none."""


class Halves:
    """The files of the checkout that differ between the commits ``old`` and ``new``.

    Made before git goes from one to the other. None of them has work of the user's.
    """

    def __init__(self, user: Repository, old: str, new: str) -> None:
        self._user = user
        self._new = new
        found = History(user.git).changes(old, new)
        links = {one.path for one in found for side in one[1:] if side.mode == GITLINK_MODE}
        self._changes = [one for one in found if one.path not in links]
        self._unknown: list[str] = []  # whose content git cannot tell
        self._before = {one.path: self._look(one.path) for one in self._changes}

    def put_back(self) -> list[str]:
        """Undo what git has done to them; returns those that are not as they were.

        What somebody else has written meanwhile is left alone: only what is git's, or the
        beginning of it, gives way.
        """
        self._unknown = []
        half = [one for one in self._changes if self._is_gits(one)]
        for change in half:
            self._remove(change.path)
        old = [one.path for one in half if one.old.mode != ABSENT_MODE]
        if old and not self._written(old):
            return [*old, *self._unknown]
        return [*(one.path for one in half if not self._is_back(one)), *self._unknown]

    def _written(self, paths: list[str]) -> bool:
        """Write files as the index has them, which git did not get to."""
        words = ("checkout-index", "--force", "-z", "--stdin")
        return self._user.git.run(*words, stdin=join_z(paths)).code == 0

    def _is_gits(self, change: Change) -> bool:
        """Whether a file changed since, and holds what git was to write, or a part of that."""
        found = self._look(change.path)
        if found == self._before[change.path]:
            return False
        if found is None or change.new.mode == ABSENT_MODE:  # gone, or a folder in its place
            return found is None or stat.S_ISDIR(found[0])
        wanted, path = self._content(change), self._user.root / change.path
        if wanted is None:
            self._unknown.append(change.path)
            return False
        if stat.S_ISLNK(found[0]) or change.new.mode == LINK_MODE:
            return stat.S_ISLNK(found[0]) and wanted == os.fsencode(path.readlink())
        return stat.S_ISREG(found[0]) and wanted.startswith(path.read_bytes())

    def _content(self, change: Change) -> bytes | None:
        """Return what git writes for the new commit, filters and line ends included.

        None where a filter fails.
        """
        done = self._user.git.run("cat-file", "--filters", f"{self._new}:{change.path}")
        return done.out if done.code == 0 else None

    def _remove(self, path: str) -> None:
        with suppress(OSError):
            (self._user.root / path).unlink()
        for folder in list(Path(path).parents)[:-1]:  # those that were made for it
            with suppress(OSError):
                (self._user.root / folder).rmdir()

    def _is_back(self, change: Change) -> bool:
        return (self._look(change.path) is None) == (change.old.mode == ABSENT_MODE)

    def _look(self, path: str) -> Look:
        if not has_plain_parents(self._user.root, path):
            return None
        try:
            found = os.lstat(self._user.root / path)
        except OSError:
            return None
        return found.st_mode, found.st_ino, found.st_size, found.st_ctime_ns
