"""Whether a job's commits are whole: every object there, and what its id says.

Git does not compare a loose object with its id when it reads it, and an agent may have written
one. What the job borrows of its base is the user's and is not gone through.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from director.model.errors import StoppedError
from director.records.files import explained
from director.workspace.objects import GITLINK_MODE, Found, Objects
from director.workspace.removal import discard

ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def added(objects: Objects, old: str | None, new: str) -> Iterator[tuple[str, str]]:
    """Give kind and id of what tree ``new`` holds and ``old`` (a tree) does not, there.

    A tree comes before what is in it, and is read only when the next is asked for.
    """
    if new == old:
        return
    yield "tree", new
    before = objects.items(old) if old else {}
    for name, item in objects.items(new).items():
        was = before.get(name)
        if item == was or item.mode == GITLINK_MODE:
            continue
        if item.is_tree:
            yield from added(objects, was.oid if was and was.is_tree else None, item.oid)
        else:
            yield "blob", item.oid


def looked_at(
    objects: Objects, object_format: str, base: str, tip: str
) -> Iterator[tuple[str, bool]]:
    """Give the ids of what ``tip`` has besides ``base`` (commits), and whether each is whole.

    These are the commits back to ``base``, then what the tree of ``tip`` holds besides that of
    ``base``. Nothing comes after an object that is not whole.
    """
    tree, commit = None, tip
    while commit != base:
        found = _whole(objects, object_format, "commit", commit)
        yield commit, found is not None
        if found is None:
            return
        tree = tree or _header(found, b"tree")
        if not (parent := _header(found, b"parent")):
            yield tip, False  # it does not begin at the base
            return
        commit = parent
    if tree is None:
        return
    for kind, oid in added(objects, objects.get(f"{base}^{{tree}}").oid, tree):
        yield oid, _whole(objects, object_format, kind, oid) is not None


def first_damage(objects: Objects, object_format: str, base: str, tip: str) -> str | None:
    """Return the id of the first object that ``tip`` needs besides ``base`` and is not whole."""
    found = looked_at(objects, object_format, base, tip)
    return next((oid for oid, whole in found if not whole), None)


class Recovery(NamedTuple):
    """Where a branch can go on: at ``tip``, the last commit that is whole.

    ``replaced`` counts the damaged objects that another store has; ``damaged`` is the first that
    none has, "" where there is no such.
    """

    tip: str
    replaced: int
    damaged: str


def recover(objects: Objects, store: Path, object_format: str, commits: Sequence[str]) -> Recovery:
    """Return where the branch that was moved along ``commits`` (the first: its base) can go on.

    Damaged objects are removed from ``store``, so that what it borrows takes their place. Raises
    StoppedError when git cannot read what is there.
    """
    base, lost = commits[0], ""
    if _whole(objects, object_format, "commit", base) is None:
        raise StoppedError(
            f"commit {base}, where the job branch began, is gone from the repository",
            "restore it, or plan the task again",
        )
    for tip in dict.fromkeys(reversed(commits)):
        removed = 0
        while damage := first_damage(objects, object_format, base, tip):
            if not _discarded(loose(store, damage), damage, object_format):
                break
            removed += 1
        if damage is None:
            return Recovery(tip, removed, lost)
        lost = lost or damage
    raise AssertionError("the base is whole")


def _discarded(path: Path, oid: str, object_format: str) -> bool:
    """Remove the loose object at ``path``, which git cannot use; False where there is none."""
    try:
        data = zlib.decompress(path.read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, zlib.error):
        data = b""
    if hashlib.new(object_format, data, usedforsecurity=False).hexdigest() == oid:
        raise StoppedError(f"git cannot read {path}, which is not damaged", "try again")
    with explained(path):
        discard(path)
    return True


def _whole(objects: Objects, object_format: str, kind: str, oid: str) -> Found | None:
    """Return an object that is what its id says, or None."""
    if not ID.fullmatch(oid):
        return None
    try:
        found = objects.find(oid)
    except OSError:  # git gave up on it
        return None
    if found is None or found.kind != kind:
        return None
    data = f"{kind} {len(found.data)}\0".encode() + found.data
    digest = hashlib.new(object_format, data, usedforsecurity=False).hexdigest()
    return found if digest == oid else None


def _header(commit: Found, name: bytes) -> str | None:
    """Return the first value of a header of a commit."""
    for line in commit.data.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(name + b" "):
            return line.partition(b" ")[2].decode(errors="replace")
    return None


def loose(store: Path, oid: str) -> Path:
    """Return where an object store keeps the object ``oid`` that is in no pack."""
    return store / oid[:2] / oid[2:]


def sync_objects(store: Path, oids: Iterable[str]) -> None:
    """Wait until the loose objects among ``oids``, where they are in ``store``, are on disk."""
    folders = set()
    for oid in oids:
        path = loose(store, oid)
        with explained(path):
            if _synced(path):
                folders.add(path.parent)
    for folder in (*folders, *((store,) if folders else ())):
        with explained(folder):
            _synced(folder)


def _synced(path: Path) -> bool:
    """Wait until a file or folder is on disk; False where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True
