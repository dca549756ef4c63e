"""What one command notes of the worktrees that it leaves prepared for the next.

The note lies where no agent can write, and is written when nothing runs any more. What it says of
a file is its seal: a file that was touched since is not what was kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from director import __version__
from director.model.errors import RequestError
from director.records import files
from director.worktrees.seals import SealedTree, Seals

NOTE = "kept.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Trees:
    """The sealed trees below ``folder``, by the names of their folders in there."""

    def __init__(self, folder: Path, noted: Mapping[str, Any] | None = None) -> None:
        self._folder = folder
        self._known: dict[str, SealedTree] = {}
        for name, one in (noted or {}).items():
            seals = seals_from(one["seals"])
            self._known[name] = SealedTree(folder / name, tuple(one["names"]), seals)

    def name_of(self, tree: SealedTree) -> str:
        """Return the name of a tree, which is noted with the others from now on."""
        name = tree.root.relative_to(self._folder).as_posix()
        self._known[name] = tree
        return name

    def named(self, name: str) -> SealedTree:
        """Return the tree of that name; KeyError where there is none."""
        return self._known[name]

    def to_json(self) -> dict[str, Any]:
        """Return the trees as ``noted`` takes them."""
        return {
            name: {"names": tree.names, "seals": tree.seals} for name, tree in self._known.items()
        }


def seals_from(said: Mapping[str, Any]) -> Seals:
    """Return the seals that JSON has."""
    return {path: tuple(one) for path, one in said.items()}


def write_note(notes: Path, note: Mapping[str, Any]) -> None:
    """Write the note into ``notes``: a command that finds it may continue with what it says."""
    about = {"director": __version__, "boot": _boot()}
    whole = json.dumps({**about, **note})  # not indented: that takes long for many files
    files.write_text(notes / NOTE, whole, durable=False)


def read_note(notes: Path) -> dict[str, Any] | None:
    """Return the note in ``notes``, or None where there is none that counts.

    One of before the machine started again does not: what was to be on disk may not be.
    """
    try:
        note = files.read_json(notes / NOTE)
    except RequestError:
        return None
    about = {"director": __version__, "boot": _boot()}
    return note if note and about.items() <= note.items() else None


def _boot() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
