"""The folders of a commit in a worktree, and what is in them that the commit does not have."""

import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from director.processes.removal import discard
from director.repositories.history import History
from director.repositories.index_files import NS
from director.worktrees.attributes import is_attributes
from director.worktrees.plain_files import GIT
from director.worktrees.stalling_repositories import remove_stalling

# A folder that changed later may change again within its clock's tick: of whole seconds, or of the
# kernel's timer.
SETTLED_NS, FINE_SETTLED_NS = 2_000_000_000, 100_000_000

State = tuple[int, int, str]
"""Inode and ctime of a folder, and the id of the tree that was compared with it."""


class NewNames(NamedTuple):
    """What is in tracked folders besides what a tree has there.

    Folders among the ``others`` end in "/". ``special`` is what git passes over: pipes, sockets,
    devices, and repositories in folders that are none of theirs. ``missing`` are folders that are
    gone, or something else, and ``closed`` those that cannot be looked into.
    """

    others: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class TrackedFolders:
    """Those of the worktree at ``path``. Used by one thread at a time.

    ``clean`` holds the folders in which nothing else was: one that did not change since (ctime
    cannot be set) is not looked into again.
    """

    def __init__(self, path: Path, job: History) -> None:
        self._path = path
        self._job = job
        self.clean: dict[str, State] = {}

    def resume(self, clean: Mapping[str, Sequence[int | str]]) -> None:
        """Continue with what an earlier command knew to be ``clean``."""
        known = ((path, inode, ctime, oid) for path, (inode, ctime, oid) in clean.items())
        self.clean = {path: (int(i), int(ctime), str(oid)) for path, i, ctime, oid in known}

    def forget(self) -> None:
        """Look into every folder the next time."""
        self.clean.clear()

    def look(self, tree: str) -> NewNames:
        """Return what is in the folders of ``tree`` besides it; nothing is looked at elsewhere."""
        found, plain = [], {""}  # a folder behind a link is not the worktree's
        listed = ((one.path, one.oid) for one in self._job.folders(tree))
        for path, oid in (("", self._job.tree(tree)), *listed):
            above = path.rpartition("/")[0]
            status = self._status(path) if above in plain else None
            if status:
                plain.add(path)
                found.append(self._new_in(path, oid, status))
            elif self._holds_files(oid):  # git makes no other folders
                found.append(NewNames(missing=(path,)))
        return NewNames(*(tuple(chain.from_iterable(part)) for part in zip(*found, strict=True)))

    def _new_in(self, path: str, oid: str, status: os.stat_result) -> NewNames:
        state = (status.st_ino, status.st_ctime_ns, oid)
        if self.clean.get(path) == state:
            return NewNames()
        try:
            new = self._look_into(path, oid)
        except OSError:
            return NewNames(closed=(path,))
        if not any(new) and is_settled(status.st_ctime_ns, time.time_ns()):
            self.clean[path] = state
        return new

    def _holds_files(self, tree: str) -> bool:
        items = (item for _, item in self._job.trees.of(tree).items())
        return any(not item.is_tree or self._holds_files(item.oid) for item in items)

    def _status(self, path: str) -> os.stat_result | None:
        with suppress(OSError):
            status = os.lstat(f"{self._path}/{path}" if path else self._path)
            return status if stat.S_ISDIR(status.st_mode) else None
        return None

    def _look_into(self, folder: str, oid: str) -> NewNames:
        """Return what is right in a folder besides the tree ``oid``."""
        items = self._job.trees.of(oid)
        leading = f"{folder}/" if folder else ""
        others, special = [], []
        with os.scandir(f"{self._path}/{folder}") as entries:
            for entry in entries:
                item, path = items.get(entry.name), leading + entry.name
                inner = entry.is_dir(follow_symlinks=False)
                if entry.name == GIT:
                    special += [path] if folder else []
                elif item is None or (item.is_tree and not inner):
                    if inner:
                        others.append(f"{path}/")
                    else:
                        (others if is_listed(entry) or is_attributes(path) else special).append(
                            path
                        )
        return NewNames(tuple(sorted(others)), tuple(special))

    def remove_special(self, tree: str) -> None:
        """Remove pipes and the like in the folders of ``tree``, and repositories made in there.

        Raises NotADirectoryError where a folder is not there, or closed.
        """
        new = self.look(tree)
        for path in new.special:
            discard(self._path / path)
        if unseen := (*new.missing, *new.closed):
            raise NotADirectoryError(unseen[0])

    def remove_stalling(self, tree: str, provided: Iterable[str]) -> None:
        """Remove what git would wait for in new folders, but for those ``provided``."""
        spared = {self._path / name for name in provided}
        new = (path for path in self.look(tree).others if path.endswith("/"))
        remove_stalling((self._path / path for path in new), spared)


def is_listed(entry: os.DirEntry[str]) -> bool:
    """Whether git lists it: not a pipe, socket or device.

    One with the name of an attributes file it would read all the same, and wait for a pipe.
    """
    return entry.is_file(follow_symlinks=False) or entry.is_symlink()


def is_settled(changed_ns: int, now_ns: int) -> bool:
    """Whether what changed at a time (nanoseconds) gets another when it changes from now on."""
    tick = FINE_SETTLED_NS if changed_ns % NS else SETTLED_NS
    return now_ns - changed_ns > tick
