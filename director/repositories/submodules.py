"""Submodules: a worktree holds their files as if they were the commit's own.

director checks out the *whole* tree of a commit: the tree of each submodule stands in the place of
its commit id. So what holds for any other file holds for a file of a submodule: before a gate it is
what the commit says, and what an agent does to it is seen. Objects are read from the repositories
that the user's checkout has of its submodules; nothing is fetched, nothing is written there.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from director.model.paths import lies_in
from director.processes.removal import discard
from director.repositories.history import ABSENT_MODE, Entry, History
from director.repositories.links import has_plain_parents
from director.repositories.objects import GITLINK_MODE, OBJECT_ID, TREE_MODE

GIT = ".git"
NAMES = ".gitmodules"
GITDIR = re.compile(rb"gitdir: ?(.*?)\r?\n?", re.DOTALL)


@dataclass(frozen=True)
class Submodule:
    """A submodule that worktrees hold, at ``path``, at ``commit``.

    ``carried`` are the files (name → content) that a repository of it takes over from the user's.
    """

    path: str
    commit: str
    carried: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class WholeTree:
    """What worktrees hold of a commit: ``tree``, with those that are ``present`` put in.

    ``links`` are the entries of all submodules, inner ones by their whole path. ``absent``: the
    paths of those that the user's checkout does not have, which stay empty folders.
    """

    tree: str
    present: tuple[Submodule, ...] = ()
    links: tuple[Entry, ...] = ()
    absent: tuple[str, ...] = ()


class SubmoduleCache:
    """What is known of the submodules of one job: tree → what worktrees hold of it.

    Those at and below ``linked`` are left out: links are provided in their place.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.wholes: dict[str, WholeTree] = {}
        self.linked: tuple[str, ...] = ()


class Submodules:
    """The submodules of one job's commits. Callable from any thread.

    ``checkout`` is the user's. ``write`` returns a tree with entries put in; ``borrow`` makes
    ``job`` read objects from more stores.
    """

    def __init__(
        self,
        job: History,
        checkout: UserCheckout,
        cache: SubmoduleCache,
        write: Callable[[str, Iterable[Entry]], str],
        borrow: Callable[[Iterable[Path]], None],
    ) -> None:
        self._job = job
        self._checkout = checkout
        self._cache = cache
        self._write = write
        self._borrow = borrow

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave out the submodules at and below ``names``: links are provided in their place."""
        self._cache.linked = tuple(names)

    def of(self, commit: str) -> WholeTree:
        """Return what worktrees hold of ``commit`` (or a tree), the same as long as director runs.

        A commit without submodules is its own tree, and no more is looked at than its folders.
        """
        tree = self._job.tree(commit)
        with self._cache.turn:
            if tree not in self._cache.wholes:
                self._cache.wholes[tree] = self._whole(tree, self._checkout, "")
            return self._cache.wholes[tree]

    def whole(self, commit: str) -> str:
        """Return the tree that a worktree of ``commit`` holds."""
        return self.of(commit).tree

    def missing(self, commit: str) -> tuple[str, ...]:
        """Return the paths of those that nobody provides: their folders stay empty."""
        return tuple(
            path for path in self.of(commit).absent if not lies_in(path, self._cache.linked)
        )

    def holding(self, commit: str, path: str) -> str | None:
        """Return the path of the submodule that ``path`` lies in, if it does."""
        inside = (one.path for one in self.of(commit).links if path.startswith(f"{one.path}/"))
        return next(inside, None)

    def make_folders(self, root: Path, commit: str) -> None:
        """Make the empty folders of absent submodules in the worktree at ``root``."""
        for path in self.of(commit).absent:
            if has_plain_parents(root, path) and not os.path.lexists(root / path):
                (root / path).mkdir(parents=True)

    def discard_repositories(self, root: Path, commit: str) -> None:
        """Remove what makes repositories of the submodules' folders below ``root``."""
        for link in self.of(commit).links:
            if has_plain_parents(root, name := f"{link.path}/{GIT}"):
                discard(root / name)

    def _whole(self, tree: str, checkout: UserCheckout, prefix: str) -> WholeTree:
        links = [one for one in self._job.folders(tree) if one.mode == GITLINK_MODE]
        if not links:
            return WholeTree(tree)
        names = self._names(tree)
        found = {one.path: checkout.inner(one.path, names.get(one.path, one.path)) for one in links}
        self._borrow(objects_of(inner.git) for inner in found.values() if inner)
        entries: list[Entry] = []
        present: list[Submodule] = []
        inside: list[Entry] = []
        absent: list[str] = []
        for link in links:
            path, inner = f"{prefix}{link.path}", found[link.path]
            inside.append(Entry(path, link.mode, link.oid))
            if inner is None or lies_in(path, self._cache.linked) or not self._is_commit(link.oid):
                entries.append(Entry(link.path, ABSENT_MODE, link.oid))
                absent.append(path)
                continue
            whole = self._whole(self._job.tree(link.oid), inner, f"{path}/")
            entries.append(Entry(link.path, TREE_MODE, whole.tree))
            present += [Submodule(path, link.oid, _carried(inner.git)), *whole.present]
            inside += whole.links
            absent += whole.absent
        return WholeTree(self._write(tree, entries), tuple(present), tuple(inside), tuple(absent))

    def _is_commit(self, oid: str) -> bool:
        found = self._job.objects.find(oid)
        return found is not None and found.kind == "commit"

    def _names(self, tree: str) -> dict[str, str]:
        """Return path → name, as the tree's ``.gitmodules`` says."""
        entry = self._job.entries(tree, [NAMES]).get(NAMES)
        if entry is None:
            return {}
        listed = ("config", "--blob", entry.oid, "--null", "--get-regexp", r"^submodule\..*\.path$")
        lines = self._job.git.run(*listed).out.decode(errors="surrogateescape").split("\0")
        pairs = (line.partition("\n") for line in lines if line)
        return {
            path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in pairs
        }


@dataclass(frozen=True)
class UserCheckout:
    """A checkout of the user's, and its git folder."""

    root: Path
    git: Path

    def inner(self, path: str, name: str) -> UserCheckout | None:
        """Return that of the submodule at ``path``, called ``name``, where the user has it.

        Its git folder is named by a file in its checkout, or lies there as such, or is kept for
        when it is checked out again (gitsubmodules(7)).
        """
        root = self.root / path
        kept = Path(f"{self.git}/modules/{name}")  # a name that begins with "/" leads no further
        inside = ".." not in name.split("/")
        for folder in (_git_folder(root), kept if inside else None):
            if folder is not None and (folder / "HEAD").is_file() and objects_of(folder).is_dir():
                return UserCheckout(root, folder)
        return None


def _git_folder(root: Path) -> Path | None:
    """Return the git folder of the checkout at ``root`` (gitrepository-layout(5)), if any."""
    place = root / GIT
    if place.is_dir():
        return place
    if not place.is_file():
        return None
    said = GITDIR.fullmatch(place.read_bytes())
    return root / os.fsdecode(said[1]) if said else None


def objects_of(git: Path) -> Path:
    """Return the object store of a git folder, which may be that of a linked worktree."""
    return (_common(git) / "objects").resolve()


def _common(git: Path) -> Path:
    named = git / "commondir"
    return git / os.fsdecode(named.read_bytes().strip()) if named.is_file() else git


def _carried(git: Path) -> dict[str, bytes]:
    """Return what a repository that borrows the objects of ``git`` takes over: refs, where it ends.

    All refs are in one file, which need not be sorted (git-pack-refs(1)).
    """
    common = _common(git)
    refs = dict(_packed_refs(common)) | dict(_loose_refs(common))
    carried = {"packed-refs": b"".join(b"%s %s\n" % (oid, name) for name, oid in refs.items())}
    shallow = common / "shallow"
    return carried | ({"shallow": shallow.read_bytes()} if shallow.is_file() else {})


def _packed_refs(common: Path) -> Iterator[tuple[bytes, bytes]]:
    packed = common / "packed-refs"
    for line in packed.read_bytes().splitlines() if packed.is_file() else ():
        oid, _, name = line.partition(b" ")
        if OBJECT_ID.fullmatch(oid) and name:
            yield name, oid


def _loose_refs(common: Path) -> Iterator[tuple[bytes, bytes]]:
    for place, _, names in os.walk(common / "refs"):
        for name in names:
            path = Path(place, name)
            oid = path.read_bytes().strip()
            if OBJECT_ID.fullmatch(oid):  # a symbolic one names another
                yield os.fsencode(path.relative_to(common)), oid
