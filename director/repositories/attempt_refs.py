"""The refs that keep what failed attempts came to, for people to look at.

Nothing in director rests on them: an agent that is not confined may write there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from director.repositories.git import Git

FOLDER = "refs/attempts"


class AttemptRefs:
    """The refs of attempts of one job. ``write`` makes a ref (its full name) name a commit.

    One thread at a time calls.
    """

    def __init__(self, git: Git, write: Callable[[str, str], None]) -> None:
        self._git = git
        self._write = write
        self._known: dict[tuple[str, int], tuple[str, str]] = {}

    def keep(self, node: str, number: int, commit: str) -> str:
        """Keep ``commit`` as what an attempt came to; returns its ref's name, below ``refs/``.

        While director works on an attempt a later commit takes the place of an earlier one. What
        an earlier run kept stays: where it is another commit, the name ends in ``-2`` and so on.
        """
        name, kept = self._known.get((node, number), ("", ""))
        name = name or self._free(node, number, commit)
        if kept != commit:
            self._write(f"refs/{name}", commit)
            self._known[node, number] = (name, commit)
        return name

    def _free(self, node: str, number: int, commit: str) -> str:
        folder = f"{FOLDER}/{node}"
        listed = self._git.run("for-each-ref", "--format=%(objectname) %(refname)", folder)
        found = dict(line.split(" ", 1)[::-1] for line in listed.out.decode().splitlines())
        for again in count(1):
            ref = f"{folder}/{number}{f'-{again}' if again > 1 else ''}"
            if found.get(ref, commit) == commit:
                return ref.removeprefix("refs/")
        raise AssertionError("unreachable")
