"""The refs that keep what failed attempts came to, for people to look at.

Nothing in director rests on them: an agent that is not confined may write there.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from director.model.patterns import lazy_pattern

FOLDER = "refs/attempts"
NUMBER = lazy_pattern(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
OBJECT_ID = lazy_pattern(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
PACKED = lazy_pattern(r"^([0-9a-f]{40,64}) (\S+)$", re.MULTILINE)
MOST_BYTES = 16_000_000  # of a file that git writes for its refs


class AttemptRefs:
    """The refs of attempts in the job repository at ``path``. One thread at a time calls."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, dict[str, str]] = {}  # node → ref → commit

    def keep(self, node: str, number: int, commit: str, write: Callable[[str, str], None]) -> str:
        """Keep ``commit`` as what an attempt came to; returns its ref's name, below ``refs/``.

        ``write`` makes a ref (its full name) name a commit.

        Nothing that is kept already gives way: of another commit of the same attempt the name ends
        in ``-2``, and so on.
        """
        if node not in self._names:
            self._names[node] = _found(self._path, node)
        folder, kept = f"{FOLDER}/{node}", self._names[node]
        names = (f"{folder}/{number}{f'-{again}' if again > 1 else ''}" for again in count(1))
        ref = next(name for name in names if kept.get(name, commit) == commit)
        write(ref, commit)
        kept[ref] = commit
        return ref.removeprefix("refs/")


def kept_attempts(path: Path, node: str) -> list[tuple[str, str]]:
    """Return what is kept of a node in the order of its attempts: (name, commit).

    The files of the repository at ``path`` are read without git, which would wait for a pipe in
    place of one, and follow links.
    """
    numbered = []
    for ref, commit in _found(path, node).items():
        if found := NUMBER.fullmatch(ref.rpartition("/")[2]):
            order = (int(found[1]), int(found[2] or 1))
            numbered.append((order, ref.removeprefix("refs/"), commit))
    return [(name, commit) for _, name, commit in sorted(numbered)]


def _found(path: Path, node: str) -> dict[str, str]:
    """Return the refs of a node: full name → commit."""
    folder = f"{FOLDER}/{node}"
    packed = {name: commit for commit, name in PACKED.findall(_text(path / "packed-refs"))}
    own = {name: commit for name, commit in packed.items() if name.rpartition("/")[0] == folder}
    return own | dict(_loose(path, folder))


def _loose(path: Path, folder: str) -> Iterator[tuple[str, str]]:
    with suppress(OSError):
        for file in (path / folder).iterdir():
            commit = _text(file).strip()
            if OBJECT_ID.fullmatch(commit):
                yield f"{folder}/{file.name}", commit


def _text(path: Path) -> str:
    """Return what a file holds; nothing of what is none, whatever an agent put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        seen = os.fstat(descriptor)
        plain = stat.S_ISREG(seen.st_mode) and seen.st_size <= MOST_BYTES
        return os.read(descriptor, MOST_BYTES).decode("ascii", "replace") if plain else ""
    finally:
        os.close(descriptor)
