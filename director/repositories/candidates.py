"""The candidates that a job's repository keeps, for people to look at. Nothing is written.

Git runs in the user's repository and only borrows the objects: settings that an agent may have
written into the job's play no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from director.model.errors import StoppedError
from director.repositories.attempt_refs import OBJECT_ID, kept_attempts
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

    def diffs(self, commits: Sequence[str]) -> dict[str, str]:
        """Return commit → what it changed, as a patch, in one go; those that are gone left out."""
        plain = ("--no-color", "--no-ext-diff", "--no-textconv")
        asked = "".join(f"{one}\n" for one in commits if OBJECT_ID.fullmatch(one))
        done = self._git.run(
            "diff-tree", "--stdin", "-r", "-p", "-m", "--root", *plain, stdin=asked.encode()
        )
        found: dict[str, list[str]] = {}
        lines: list[str] = []  # of the commit that is told of; of a merge its first parent counts
        for line in done.out.decode(errors="replace").split("\n"):
            if OBJECT_ID.fullmatch(line):
                lines = [] if line in found else found.setdefault(line, [])
            else:
                lines.append(line)
        return {commit: "\n".join(patch) for commit, patch in found.items()}

    def texts(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Return path → text for those of ``paths`` that are files in ``commit``.

        None at all where the commit, or a part of it, cannot be read.
        """
        try:
            found = History(self._git).contents(commit, paths)
        except StoppedError:
            return {}
        return {path: content.decode(errors="replace") for path, content in found.items()}
