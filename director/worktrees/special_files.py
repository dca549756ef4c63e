"""What git neither lists nor cleans in a worktree: pipes, sockets, devices, inner repositories."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from director.processes.removal import discard
from director.repositories.history import History
from director.worktrees.stalling_repositories import folders_in, remove_stalling

SETTLED_NS = 2_000_000_000  # a folder that changed later may change again within its clock's tick


class SpecialFiles:
    """Removes them from the worktree at ``path``. Used by one thread at a time.

    ``known`` maps a folder to inode and ctime as they were when it was last looked into: one that
    did not change since (ctime cannot be set) is not looked into again.
    """

    def __init__(self, path: Path, job: History) -> None:
        self._path = path
        self._job = job
        self.known: dict[str, tuple[int, int]] = {}

    def resume(self, known: Mapping[str, Sequence[int]]) -> None:
        """Go on with what an earlier command ``known`` of the folders."""
        self.known = {path: (inode, changed) for path, (inode, changed) in known.items()}

    def forget(self) -> None:
        """Look into every folder the next time."""
        self.known.clear()

    def remove_in_tracked_folders(self, tree: str) -> None:
        """Remove pipes and the like in the folders of ``tree``, and repositories made in there."""
        for path in ("", *self._folders(tree)):
            place = os.path.join(self._path, path)  # noqa: PTH118 (thousands of folders)
            found = os.lstat(place)
            state = (found.st_ino, found.st_ctime_ns)
            if self.known.get(path) != state:
                if path:
                    discard(Path(place, ".git"))
                _remove_special(Path(place))
                if time.time_ns() - found.st_ctime_ns > SETTLED_NS:
                    self.known[path] = state

    def remove_stalling(self, tree: str, provided: Iterable[str]) -> None:
        """Remove what git would wait for in new folders, but for those ``provided``.

        New folders are in those that changed since the last time, and in what is provided.
        """
        spared = {self._path / name for name in provided}
        tracked = set(self._folders(tree))
        plain = set()  # a folder behind a link is not the worktree's
        for path in ("", *sorted(tracked)):
            place = self._path / path
            with suppress(OSError):
                found = place.lstat()
                if path and not (path.rpartition("/")[0] in plain and stat.S_ISDIR(found.st_mode)):
                    continue
                plain.add(path)
                if spared or self.known.get(path) != (found.st_ino, found.st_ctime_ns):
                    new = (one for one in folders_in(place) if self._relative(one) not in tracked)
                    remove_stalling(new, spared)

    def _folders(self, tree: str) -> list[str]:
        return [entry.path for entry in self._job.folders(tree)]

    def _relative(self, place: Path) -> str:
        return place.relative_to(self._path).as_posix()


def _remove_special(folder: Path) -> None:
    """Remove what is neither a file, nor a link, nor a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
            if not (plain or entry.is_symlink()):
                Path(entry.path).unlink()
