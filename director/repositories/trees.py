"""Trees: what folders hold, and trees that are made from others without an index.

A folder may hold thousands of names, and most trees of a job differ from the one before in a few.
So a folder is kept as git stores it, name by name ("Git Objects"): another one is made, or told
from it, without a look at the names that stay.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

from director.model.patterns import lazy_pattern
from director.repositories.objects import ABSENT_MODE, GITLINK_MODE, TREE_MODE, Item, Objects

KEPT_NAMES = 20_000  # of folders that were read or made last, about 5 MiB
NAMED = {  # by the bytes of an id; each finds the whole entry, its mode, its name
    20: lazy_pattern(rb"(?s)(([0-7]{5,6}) ([^\0]+)\0.{20})"),
    32: lazy_pattern(rb"(?s)(([0-7]{5,6}) ([^\0]+)\0.{32})"),
}
FOLDER = TREE_MODE.lstrip("0").encode()
INNER = (FOLDER, GITLINK_MODE.encode())


class Folder:
    """What one tree object holds, as ``stored`` there; a value, which never changes.

    Its keys are names, with "/" behind those of folders: git sorts by them.
    """

    def __init__(self, stored: Mapping[bytes, bytes], inner: frozenset[bytes]) -> None:
        self._stored = stored
        self._inner = inner  # the keys of folders and submodules

    @classmethod
    def of(cls, data: bytes, id_length: int) -> Folder:
        """Return what a tree object with ``data`` holds, whose ids have ``id_length`` bytes.

        Raises ValueError for other data.
        """
        found = NAMED[id_length].findall(data)
        stored = {  # old tools wrote modes with a zero before them
            _key(name, mode.lstrip(b"0") == FOLDER): whole.lstrip(b"0")
            for whole, mode, name in found
        }
        if sum(len(whole) for whole, _, _ in found) != len(data):
            raise ValueError("this is not the content of a tree")
        return cls(stored, _inner(stored, stored))

    def __len__(self) -> int:
        """Return how many names it has."""
        return len(self._stored)

    @property
    def data(self) -> bytes:
        """The content of its tree object."""
        return b"".join(map(self._stored.__getitem__, sorted(self._stored)))

    def get(self, name: str) -> Item | None:
        """Return what a name stands for; None: it has no such name."""
        key = name.encode(errors="surrogateescape")
        stored = self._stored.get(key) or self._stored.get(key + b"/")
        return _item(stored) if stored else None

    def items(self) -> Iterator[tuple[str, Item]]:
        """Give all names, and what they stand for."""
        return ((_name(key), _item(stored)) for key, stored in self._stored.items())

    def inner(self) -> Iterator[tuple[str, Item]]:
        """Give the names of folders and submodules, and what they stand for."""
        return ((_name(key), _item(self._stored[key])) for key in sorted(self._inner))

    def differing(self, other: Folder) -> list[str]:
        """Return the names that do not stand for the same here and in ``other``."""
        keys = {key for key, _ in self._stored.items() ^ other._stored.items()}
        return sorted(set(map(_name, keys)))

    def with_items(self, changed: Mapping[str, Item]) -> Folder:
        """Return it with names that stand for something else (of ABSENT_MODE: are gone)."""
        stored, touched = dict(self._stored), set(self._inner)
        for name, item in changed.items():
            plain = name.encode(errors="surrogateescape")
            for key in (plain, plain + b"/"):
                stored.pop(key, None)
            if item.mode != ABSENT_MODE:
                mode = item.mode.lstrip("0").encode()
                key = _key(plain, mode == FOLDER)
                stored[key] = b"%s %s\0%s" % (mode, plain, bytes.fromhex(item.oid))
                touched.add(key)
        return Folder(stored, _inner(stored, touched))


EMPTY = Folder({}, frozenset())


class Trees:
    """The folders of one repository, by the ids of their trees. Callable from any thread."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._turn = threading.Lock()
        self._folders: dict[str, Folder] = {}
        self._room = KEPT_NAMES

    def of(self, tree: str) -> Folder:
        """Return what a tree holds. The same few are asked for again and again, and kept."""
        with self._turn:
            known = self._folders.pop(tree, None)
            if known is not None:
                self._folders[tree] = known  # the last one to go
                return known
        found = Folder.of(self._objects.get(tree).data, len(tree) // 2)
        self._keep(tree, found)
        return found

    def holding(self, tree: str, data: bytes) -> Folder:
        """Return what a tree holds whose content is ``data``, whatever is kept of it.

        ValueError for data of something else.
        """
        known = self._folders.get(tree)  # to spell it takes a tenth of reading it
        same = known is not None and known.data == data
        return known if known and same else Folder.of(data, len(tree) // 2)

    def _keep(self, tree: str, folder: Folder) -> None:
        with self._turn:
            if tree not in self._folders:
                self._room -= len(folder)
                self._folders[tree] = folder
            while self._room < 0 and len(self._folders) > 1:
                self._room += len(self._folders.pop(next(iter(self._folders))))

    def built(
        self, tree: str | None, changed: Mapping[str, Item], write: Callable[[bytes], str]
    ) -> str | None:
        """Return the id of ``tree`` (None: an empty one) with ``changed`` put in.

        ``changed`` maps paths to what they become (of ABSENT_MODE: gone). ``write`` is given the
        content of each folder that changes, and returns its id. None: nothing is left in it.
        """
        folder = self.of(tree) if tree else EMPTY
        here: dict[str, Item] = {}
        below: dict[str, dict[str, Item]] = {}
        for path, item in changed.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = item
            else:
                here[name] = item
        new = self._below(folder, below, write)
        for name, item in here.items():
            now = new.get(name) or folder.get(name)
            if item.mode != ABSENT_MODE or (now and not now.is_tree):
                new[name] = item
        made = folder.with_items(new)
        if not made:
            return None
        oid = write(made.data)
        self._keep(oid, made)
        return oid

    def _below(
        self,
        folder: Folder,
        below: Mapping[str, Mapping[str, Item]],
        write: Callable[[bytes], str],
    ) -> dict[str, Item]:
        """Return what becomes of the names in ``folder`` where paths ``below`` them change."""
        new = {}
        for name, inner in below.items():
            old = folder.get(name)
            was_tree = old is not None and old.is_tree
            made = self.built(old.oid if old and was_tree else None, inner, write)
            if made or was_tree:
                new[name] = Item(TREE_MODE, made) if made else Item(ABSENT_MODE, "")
        return new


def _key(name: bytes, is_folder: bool) -> bytes:
    return name + b"/" if is_folder else name


def _name(key: bytes) -> str:
    return key.removesuffix(b"/").decode(errors="surrogateescape")


def _item(stored: bytes) -> Item:
    mode, _, rest = stored.partition(b" ")
    return Item(mode.decode().zfill(6), rest[rest.index(b"\0") + 1 :].hex())


def _inner(stored: Mapping[bytes, bytes], keys: Iterable[bytes]) -> frozenset[bytes]:
    """Return those of ``keys`` at which a folder or a submodule is stored."""
    return frozenset(key for key in keys if stored.get(key, b"").startswith(INNER))
