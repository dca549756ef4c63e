"""Build folders (``keep``): what gates may build on, as the last green gate of a lane left it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from director.processes.removal import discard
from director.repositories.links import has_plain_parents
from director.worktrees.private_index import PrivateIndex
from director.worktrees.seals import SealedTree, TamperedError


class Builds:
    """The build folders of one lane, kept in ``folder``; ``kept`` None: there are none."""

    def __init__(self, folder: Path, kept: SealedTree | None = None) -> None:
        self.folder = folder
        self.kept = kept

    def keep(self, worktree: Path, names: Sequence[str]) -> None:
        """Move the folders called ``names`` here; links are none."""
        if not names:
            return
        discard(self.folder)
        for name in names:
            place = worktree / name
            if has_plain_parents(worktree, name) and place.is_dir() and not place.is_symlink():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                place.rename(self.folder / name)
        self.kept = SealedTree.of(self.folder, names)

    def bring(self, worktree: Path, index: PrivateIndex) -> None:
        """Put in a copy of what is kept; nothing, when it was changed meanwhile."""
        if self.kept:
            try:
                self.kept.restore_to(worktree, {}, index.tracked(self.kept.names))
            except TamperedError:
                self.kept = None
