"""Links among the folders of a worktree: nothing is read or written through one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from director.model.paths import parents
from director.processes.removal import discard


def is_plain_folder(path: Path | str) -> bool:
    """Whether ``path`` is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def has_plain_parents(root: Path, path: str) -> bool:
    """Whether all that exists of the folders on the way to ``path`` is folders, not links."""
    for parent in parents(path):
        try:
            found = os.lstat(f"{root}/{parent}")
        except OSError:  # nothing is there, and so nothing below
            return True
        if not stat.S_ISDIR(found.st_mode):
            return False
    return True


def discard_inside(root: Path, path: str) -> None:
    """Remove what is at ``path`` below ``root``, where no link leads there."""
    if has_plain_parents(root, path):
        discard(root / path)
