"""What setup made for the job branch, shared by the worktrees of a pool.

It is made in a worktree for gates, where no agent can write, and copied into others where a copy
is as good: not when it names the worktree that it was made in (scripts of a virtual environment,
``CMakeCache.txt``), or may depend on its number.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from director.worktrees.pool_note import Trees
from director.worktrees.seals import SealedTree
from director.worktrees.user_files import UserFiles

BLOCK = 2**20
PREFIX = "setup-"  # of the folders


class SetupResult:
    """What setup made where worktrees had ``user_files``.

    ``portable``: other worktrees get a copy, otherwise setup runs in each.
    """

    def __init__(self, tree: SealedTree, portable: bool, user_files: UserFiles) -> None:
        self.tree = tree
        self.portable = portable
        self.user_files = user_files

    def to_json(self, trees: Trees) -> dict[str, Any]:
        """Return what ``from_json`` takes."""
        return {"tree": trees.name_of(self.tree), "portable": self.portable}

    @classmethod
    def from_json(cls, said: Mapping[str, Any], trees: Trees, user_files: UserFiles) -> SetupResult:
        """Return what an earlier command noted that was made with ``user_files``."""
        return cls(trees.named(said["tree"]), said["portable"], user_files)


class Setups:
    """What setup made in this pool, by what it was made of, each in a folder in ``notes``.

    Callable from any thread.
    """

    def __init__(self, notes: Path) -> None:
        self._notes = notes
        self._places = sorted(notes.glob(f"{PREFIX}*"))  # a killed run's, too
        self._known: dict[str, SetupResult] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._turn = threading.Lock()

    @contextmanager
    def turn(self, key: str) -> Iterator[SetupResult | None]:
        """Give what was made for ``key``; None: the caller makes it, while others wait for it."""
        with self._turn:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            made = self.get(key)
            if made is None:
                yield None
        if made is not None:
            yield made

    def get(self, key: str) -> SetupResult | None:
        """Return what is known to be made for ``key``."""
        return self._known.get(key)

    def note(self, key: str, made: SetupResult) -> None:
        """Note what was made for ``key``."""
        self._known[key] = made

    def new_place(self) -> Path:
        """Return where what setup makes now is to be copied to."""
        place = self._notes / f"{PREFIX}{os.urandom(6).hex()}"
        self._places.append(place)
        return place

    def holds(self, path: str) -> bool:
        """Whether setup made ``path`` at some time."""
        return any(os.path.lexists(place / path) for place in self._places)

    def distrust(self, tree: SealedTree) -> None:
        """Note that what was made has changed, if it is ``tree``."""
        for key, made in list(self._known.items()):
            if made.tree is tree:
                del self._known[key]


def contains_any(root: Path, names: Iterable[str], wanted: Collection[bytes], spared: Path) -> bool:
    """Whether a file or link at ``names`` below ``root`` says what is ``wanted``.

    So does what cannot be read; links that lead into ``spared`` do not. What is compressed is not
    looked into.
    """
    left = [root / name for name in names]
    try:
        while left:
            place = left.pop()
            if place.is_symlink():
                target = place.readlink()
                says = any(word in os.fsencode(target) for word in wanted)
                if says and not target.is_relative_to(spared):
                    return True
            elif place.is_dir():
                left += place.iterdir()
            elif place.is_file() and _contains(place, wanted):
                return True
    except OSError:
        return True
    return False


def _contains(path: Path, wanted: Collection[bytes]) -> bool:
    overlap = max(map(len, wanted)) - 1
    with path.open("rb", buffering=0) as stream:
        before = b""
        while block := stream.read(BLOCK):
            data = before + block
            if any(one in data for one in wanted):
                return True
            before = data[-overlap:]
    return False
