"""Whether a job's commits are whole: every object is there, and is what its id says.

Git does not compare a loose object with its id when it reads it, and an agent may have written
one. What the job borrows of its base is the user's and is not gone through.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from director.model.errors import StoppedError
from director.model.patterns import lazy_pattern
from director.processes.removal import discard
from director.records.files import os_errors_stop
from director.repositories.objects import (
    GITLINK_MODE,
    Objects,
    digest,
    loose_object,
    loose_path,
    unpacked,
)
from director.repositories.trees import EMPTY, Trees

ID = lazy_pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Recovery(NamedTuple):
    """Where a branch can continue: at ``tip``, the last commit that is whole.

    ``replaced`` counts the damaged objects that another store has; ``damaged`` is the first that
    none has ("": there is none).
    """

    tip: str
    replaced: int
    damaged: str


class Soundness:
    """Looks at what is in the object store ``store``, and at what ``objects`` finds elsewhere.

    Of ``trees`` only what was read again is believed.
    """

    def __init__(self, objects: Objects, trees: Trees, store: Path, object_format: str) -> None:
        self.objects = objects
        self.trees = trees
        self.store = store
        self.object_format = object_format

    def looked_at(self, base: str, tip: str) -> Iterator[tuple[str, bool]]:
        """Give the ids of what ``tip`` has besides ``base`` (commits), and whether each is whole.

        These are the commits back to ``base``, then what the tree of ``tip`` holds besides that of
        ``base``. Nothing comes after an object that is not whole.
        """
        tree, commit = "", tip
        while commit != base:
            data = self._read("commit", commit)
            yield commit, data is not None
            if data is None:
                return
            tree = tree or _header(data, b"tree")
            if not (parent := _header(data, b"parent")):
                yield tip, False  # it does not begin at the base
                return
            commit = parent
        if tree:
            yield from self._added(_header(self._of_base(base), b"tree"), tree)

    def parent(self, commit: str) -> str:
        """Return the first parent of a commit; "" where it has none, or is not whole."""
        return _header(self._read("commit", commit) or b"", b"parent")

    def added_whole(self, base: str, tip: str) -> list[str]:
        """Return the ids of what ``tip`` has besides ``base``; StoppedError where it is damaged."""
        found = list(self.looked_at(base, tip))
        if damaged := [oid for oid, whole in found if not whole]:
            place = self.store.parent
            raise StoppedError(
                f"object {damaged[0]} in {place} is damaged", "run the command again"
            )
        return [oid for oid, _ in found]

    def first_damage(self, base: str, tip: str) -> str | None:
        """Return the id of the first object of ``tip``, besides ``base``, that is not whole."""
        return next((oid for oid, whole in self.looked_at(base, tip) if not whole), None)

    def recover(self, commits: Sequence[str]) -> Recovery:
        """Return where the branch that was moved along ``commits`` (the first: its base) continues.

        Damaged objects are removed from the store, so that what it borrows takes their place.
        Raises StoppedError when git cannot read what is there.
        """
        base, lost = commits[0], ""
        self._of_base(base)
        for tip in dict.fromkeys(reversed(commits)):
            removed = 0
            while damage := self.first_damage(base, tip):
                if not self._discarded(damage):
                    break
                removed += 1
            if damage is None:
                return Recovery(tip, removed, lost)
            lost = lost or damage
        raise AssertionError("the base is whole")

    def _of_base(self, base: str) -> bytes:
        if data := self._read("commit", base):
            return data
        raise StoppedError(
            f"commit {base}, where the job branch began, is gone from the repository",
            "restore it, or plan the task again",
        )

    def _added(self, old: str | None, new: str) -> Iterator[tuple[str, bool]]:
        """Look at what tree ``new`` holds, and tree ``old`` does not hold in the same place."""
        if new == old:
            return
        data = self._read("tree", new)
        yield new, data is not None
        before = self.trees.holding(old, self._read("tree", old) or b"") if old else EMPTY
        after = self.trees.holding(new, data or b"")
        for name in after.differing(before):
            was, item = before.get(name), after.get(name)
            if item is None or item.mode == GITLINK_MODE:
                continue
            if item.is_tree:
                yield from self._added(was.oid if was and was.is_tree else None, item.oid)
            else:
                yield item.oid, self._read("blob", item.oid) is not None

    def _read(self, kind: str, oid: str) -> bytes | None:
        """Return the content of an object that is what its id says, or None.

        What is loose in the store is read without git: it need not be waited for.
        """
        if not ID.fullmatch(oid):
            return None
        whole = unpacked(loose_path(self.store, oid)) or self._found(oid)
        header, _, data = whole.partition(b"\0")
        is_it = header.startswith(kind.encode() + b" ") and digest(self.object_format, whole) == oid
        return data if is_it else None

    def _found(self, oid: str) -> bytes:
        """Return what git finds in packs and elsewhere, with its header; nothing: b""."""
        try:
            found = self.objects.find(oid)
        except StoppedError:  # git gave up on it
            return b""
        return b"%s %d\0%s" % (found.kind.encode(), len(found.data), found.data) if found else b""

    def _discarded(self, oid: str) -> bool:
        """Remove a loose object that git cannot use; False where there is none."""
        path = loose_object(self.store, oid)
        if not os.path.lexists(path):
            return False
        if digest(self.object_format, unpacked(path)) == oid:
            raise StoppedError(f"git cannot read {path}, which is not damaged", "try again")
        with os_errors_stop(path):
            discard(path)
        return True


def discard_damaged(store: Path, object_format: str) -> None:
    """Remove damaged objects from an object store, where git never replaces one.

    For a job that did not end by itself: a power cut leaves files with nothing in them.
    """
    for path in store.glob("[0-9a-f][0-9a-f]/*"):
        if digest(object_format, unpacked(path)) != path.parent.name + path.name:
            with os_errors_stop(path):
                discard(path)


def _header(commit: bytes, name: bytes) -> str:
    """Return the first value of a header of a commit, or ""."""
    for line in commit.partition(b"\n\n")[0].split(b"\n"):
        if line.startswith(name + b" "):
            return line.partition(b" ")[2].decode(errors="replace")
    return ""
