"""The candidates that a job's repository keeps, for people to look at. Nothing is written.

Git runs in the user's repository and only borrows the objects: settings that an agent may have
written into the job's play no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from director.repositories.attempt_refs import kept_attempts
from director.repositories.git import Git
from director.repositories.history import History


class Candidates:
    """What is kept in the job repository at ``path``; ``root`` is the user's checkout."""

    def __init__(self, path: Path, root: Path, env: Mapping[str, str]) -> None:
        self._path = path
        borrowed = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(path / "objects")}
        self._git = Git.at(root, env, **borrowed, GIT_NO_LAZY_FETCH="1")

    def last_of(self, node: str) -> tuple[str, str] | None:
        """Return the last candidate of a node, (ref, commit), or None where none is kept."""
        kept = kept_attempts(self._path, node)
        return kept[-1] if kept else None

    def diff(self, commit: str) -> str:
        """Return what ``commit`` changed, as a patch; GitError where it cannot be read."""
        return History(self._git).diff(f"{commit}^1", commit)
