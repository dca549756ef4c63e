"""Links among the folders of a worktree: nothing is read or written through one."""

from __future__ import annotations

import os
from pathlib import Path

from director.model.paths import parents
from director.processes.removal import discard


def has_plain_parents(root: Path, path: str) -> bool:
    """Whether all that exists of the folders on the way to ``path`` is folders, not links."""
    above = [root / parent for parent in parents(path)]
    return all(p.is_dir() and not p.is_symlink() for p in above if os.path.lexists(p))


def discard_inside(root: Path, path: str) -> None:
    """Remove what is at ``path`` below ``root``, where no link leads there."""
    if has_plain_parents(root, path):
        discard(root / path)
