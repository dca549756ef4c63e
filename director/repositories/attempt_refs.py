"""The refs that keep what failed attempts came to, for people to look at.

Nothing in director rests on them: an agent that is not confined may write there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from director.repositories.git import Git

FOLDER = "refs/attempts"
NUMBER = re.compile(rf"{FOLDER}/.*/(\d+(?:-\d+)?)")


class AttemptRefs:
    """The refs of attempts of one job. ``write`` makes a ref (its full name) name a commit.

    One thread at a time calls.
    """

    def __init__(self, git: Git, write: Callable[[str, str], None]) -> None:
        self._git = git
        self._write = write
        self._names: dict[str, dict[str, str]] = {}  # node → ref → commit

    def keep(self, node: str, number: int, commit: str) -> str:
        """Keep ``commit`` as what an attempt came to; returns its ref's name, below ``refs/``.

        Nothing that is kept already gives way: of another commit of the same attempt the name ends
        in ``-2``, and so on.
        """
        if node not in self._names:
            self._names[node] = self._found(node)
        folder, kept = f"{FOLDER}/{node}", self._names[node]
        names = (f"{folder}/{number}{f'-{again}' if again > 1 else ''}" for again in count(1))
        ref = next(name for name in names if kept.get(name, commit) == commit)
        self._write(ref, commit)
        kept[ref] = commit
        return ref.removeprefix("refs/")

    def kept(self, node: str) -> list[tuple[str, str]]:
        """Return what is kept of a node in the order of its attempts: (name, commit)."""
        numbered = [
            ([int(part) for part in found[1].split("-")], ref.removeprefix("refs/"), commit)
            for ref, commit in self._found(node).items()
            if (found := NUMBER.fullmatch(ref))
        ]
        return [(name, commit) for _, name, commit in sorted(numbered)]

    def _found(self, node: str) -> dict[str, str]:
        """Return the refs of a node: full name → commit."""
        folder = f"{FOLDER}/{node}"
        listed = self._git.run("for-each-ref", "--format=%(objectname) %(refname)", folder)
        lines = listed.out.decode(errors="replace").splitlines()
        return dict(line.split(" ", 1)[::-1] for line in lines)
