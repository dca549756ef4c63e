"""Repositories inside a worktree that would keep git waiting for ever.

git looks into each new folder whether it is a repository, and opens what it finds there; where that
is a pipe, git waits forever for a writer.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from pathlib import Path

from director.processes.removal import discard

GIT = ".git"
READ = ("HEAD", "commondir")  # what git reads to see whether a folder is a repository's
MOST_BYTES = 8192  # of a file that names a place; some in /proc never end


def folders_in(folder: Path) -> list[Path]:
    """Return the folders directly in ``folder`` (links are none), but for that of git."""
    try:
        with os.scandir(folder) as entries:
            found = [one for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [Path(one.path) for one in found if one.name != GIT]


def remove_stalling(folders: Iterable[Path], spared: Collection[Path] = ()) -> None:
    """Remove, in ``folders`` and all below, repositories that git would wait for.

    Of ``spared`` folders only their own is removed: git does not look into them any further.
    """
    left = list(folders)
    while left:
        folder = left.pop()
        if _stalls(folder / GIT):
            discard(folder / GIT)
        if folder not in spared:
            left += folders_in(folder)


def _stalls(repository: Path) -> bool:
    found = [one.lstat for one in map(_place_of(repository).joinpath, READ) if os.path.lexists(one)]
    return any(not stat.S_ISREG(look().st_mode) for look in found)


def _place_of(repository: Path) -> Path:
    """Return where a repository is: a file in its place names another (gitrepository-layout(5))."""
    if not repository.is_file():
        return repository
    with repository.open("rb") as stream:
        said = stream.read(min(repository.stat().st_size, MOST_BYTES))
    return repository.parent / os.fsdecode(said.removeprefix(b"gitdir:").strip())
