"""Attributes files of a worktree (gitattributes(5)), which say how git reads all the others.

Only those of the commit count. git has no such setting before version 2.41, and reads whatever
lies in the worktree: so others are set aside while it looks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from director.processes.removal import discard
from director.repositories.history import History
from director.repositories.links import has_plain_parents

NAME = ".gitattributes"


def is_attributes(path: str) -> bool:
    """Whether ``path`` is that of an attributes file."""
    return path.rpartition("/")[2] == NAME


def attributes_paths(folders: Iterable[str]) -> list[str]:
    """Return where the top folder and ``folders`` may have theirs."""
    return [NAME, *(f"{folder}/{NAME}" for folder in folders)]


class Attributes:
    """The attributes files of the worktree at ``root``, which holds commits of ``job``."""

    def __init__(self, root: Path, job: History) -> None:
        self._root = root
        self._job = job
        self._aside = root.with_name(f"{root.name}.attributes")

    @contextmanager
    def only_of(
        self, commit: str, folders: Iterable[str] | None = None, spared: Iterable[str] = ()
    ) -> Iterator[list[str]]:
        """Set others than those of ``commit`` aside while open, but for the paths ``spared``.

        Gives their paths. They lie in ``folders`` (None: all of the commit) or at the top.
        """
        foreign = [path for path in self._foreign(commit, folders) if path not in set(spared)]
        for path in foreign:
            (self._aside / path).parent.mkdir(parents=True, exist_ok=True)
            (self._root / path).rename(self._aside / path)
        try:
            yield foreign
        finally:
            self.put_back()

    def remove_foreign(self, commit: str) -> None:
        """Remove those that ``commit`` does not have, or has otherwise."""
        for path in self._foreign(commit):
            discard(self._root / path)

    def _foreign(self, commit: str, folders: Iterable[str] | None = None) -> list[str]:
        """Return the paths of those that do not count.

        Line ends make no difference: git may have converted them.
        """
        if folders is None:
            folders = (entry.path for entry in self._job.folders(commit))
        there = (path for path in attributes_paths(folders) if self._is_there(path))
        return [
            path
            for path in there
            if not self._is(path, self._job.contents(commit, [path]).get(path))
        ]

    def _is_there(self, path: str) -> bool:
        try:
            found = os.lstat(f"{self._root}/{path}")  # thousands of folders
        except OSError:
            return False
        plain = not stat.S_ISDIR(found.st_mode)  # which git passes over
        return plain and has_plain_parents(self._root, path)

    def _is(self, path: str, content: bytes | None) -> bool:
        place = self._root / path
        if content is None or place.is_symlink() or not place.is_file():
            return False
        return _with_plain_ends(place.read_bytes()) == _with_plain_ends(content)

    def put_back(self) -> None:
        """Put back what is set aside, also by a director that was killed meanwhile."""
        if not os.path.lexists(self._aside):
            return
        for place, _, names in os.walk(self._aside):
            for name in names:
                away = Path(place, name)
                back = self._root / away.relative_to(self._aside)
                free = back.parent.is_dir() and not os.path.lexists(back)
                if free and has_plain_parents(self._root, str(back.relative_to(self._root))):
                    away.rename(back)
        discard(self._aside)


def _with_plain_ends(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n")
