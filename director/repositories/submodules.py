"""Submodules: a worktree holds their files as if they were the commit's own.

director checks out the *whole* tree of a commit: the tree of each submodule is in the place of
its commit id. So what holds for any other file holds for a file of a submodule: before a gate it is
what the commit says, and what an agent does to it is seen. Objects are read from the repositories
that the user's checkout has of its submodules; nothing is fetched, nothing is written there.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from director.model.newest import Newest
from director.model.paths import lies_in
from director.repositories.history import Entry, History
from director.repositories.links import discard_inside, has_plain_parents
from director.repositories.objects import ABSENT_MODE, GITLINK_MODE, TREE_MODE
from director.repositories.submodule_repositories import (
    GIT,
    UserCheckout,
    carried_files,
    objects_of,
)

NAMES = ".gitmodules"
KEPT_PLAIN = 200  # trees without submodules


class Submodule(NamedTuple):
    """A submodule that worktrees hold, at ``path``, at ``commit``.

    ``carried`` are the files (name → content) that a repository of it takes over from the user's.
    """

    path: str
    commit: str
    carried: Mapping[str, bytes] = {}

    def __repr__(self) -> str:
        """Return it without what it carries, which is long."""
        return f"Submodule({self.path!r}, {self.commit!r})"


class WholeTree(NamedTuple):
    """What worktrees hold of a commit: ``tree``, with those that are ``present`` put in.

    ``links`` are the entries of all submodules, inner ones by their whole path. ``absent``: the
    paths of those that the user's checkout does not have, which stay empty folders, as do those
    whose commits are ``empty``: git has neither index entries nor folders for an empty tree.
    """

    tree: str
    present: tuple[Submodule, ...] = ()
    links: tuple[Entry, ...] = ()
    absent: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class SubmoduleCache:
    """What is known of the submodules of one job: tree → what worktrees hold of it.

    Those at and below ``linked`` are left out: links are provided in their place.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.wholes: dict[str, WholeTree] = {}
        self.plain = Newest[str, WholeTree](KEPT_PLAIN)  # without any: they can be made again
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
        self.job = job
        self.checkout = checkout
        self.cache = cache
        self.write = write
        self.borrow = borrow

    def leave_out(self, names: Iterable[str]) -> None:
        """Leave out the submodules at and below ``names``: links are provided in their place."""
        self.cache.linked = tuple(names)

    def of(self, commit: str) -> WholeTree:
        """Return what worktrees hold of ``commit`` (or a tree), the same as long as director runs.

        A commit without submodules is its own tree, and no more is looked at than its folders.
        """
        tree = self.job.tree(commit)
        with self.cache.turn:
            whole = self.cache.plain.get(tree) or self.cache.wholes.get(tree)
            if whole is None:
                whole = self._whole(tree, self.checkout, "")
                if whole.links:
                    self.cache.wholes[tree] = whole
                else:
                    self.cache.plain.keep(tree, whole)
            return whole

    def whole(self, commit: str) -> str:
        """Return the tree that a worktree of ``commit`` holds."""
        return self.of(commit).tree

    def missing(self, commit: str) -> tuple[str, ...]:
        """Return the paths of those that nothing provides: their folders stay empty."""
        return tuple(
            path for path in self.of(commit).absent if not lies_in(path, self.cache.linked)
        )

    def holding(self, commit: str, path: str) -> str | None:
        """Return the path of the submodule that ``path`` lies in, if it does."""
        inside = (one.path for one in self.of(commit).links if path.startswith(f"{one.path}/"))
        return next(inside, None)

    def make_folders(self, root: Path, commit: str) -> None:
        """Make the folders of submodules without files in the worktree at ``root``."""
        whole = self.of(commit)
        for path in (*whole.absent, *whole.empty):
            if has_plain_parents(root, path) and not os.path.lexists(root / path):
                (root / path).mkdir(parents=True)

    def discard_repositories(self, root: Path, commit: str) -> None:
        """Remove what makes repositories of the submodules' folders below ``root``."""
        for link in self.of(commit).links:
            discard_inside(root, f"{link.path}/{GIT}")

    def _whole(self, tree: str, checkout: UserCheckout, prefix: str) -> WholeTree:
        links = [one for one in self.job.folders(tree) if one.mode == GITLINK_MODE]
        if not links:
            return WholeTree(tree)
        names = self._names(tree)
        found = {one.path: checkout.inner(one.path, names.get(one.path, one.path)) for one in links}
        self.borrow(objects_of(inner.git) for inner in found.values() if inner)
        entries: list[Entry] = []
        present: list[Submodule] = []
        inside: list[Entry] = []
        absent: list[str] = []
        empty: list[str] = []
        for link in links:
            path, inner = f"{prefix}{link.path}", found[link.path]
            inside.append(Entry(path, link.mode, link.oid))
            if inner is None or lies_in(path, self.cache.linked) or not self._is_commit(link.oid):
                entries.append(Entry(link.path, ABSENT_MODE, link.oid))
                absent.append(path)
                continue
            whole = self._whole(self.job.tree(link.oid), inner, f"{path}/")
            absent += whole.absent
            empty += whole.empty
            if not self.job.objects.get(whole.tree).data:
                entries.append(Entry(link.path, ABSENT_MODE, link.oid))
                empty.append(path)
                continue
            entries.append(Entry(link.path, TREE_MODE, whole.tree))
            present += [Submodule(path, link.oid, carried_files(inner.git)), *whole.present]
            inside += whole.links
        held = self.write(tree, entries)
        return WholeTree(held, tuple(present), tuple(inside), tuple(absent), tuple(empty))

    def _is_commit(self, oid: str) -> bool:
        found = self.job.objects.find(oid)
        return found is not None and found.kind == "commit"

    def _names(self, tree: str) -> dict[str, str]:
        """Return path → name, as the tree's ``.gitmodules`` says."""
        entry = self.job.entries(tree, [NAMES]).get(NAMES)
        if entry is None:
            return {}
        listed = ("config", "--blob", entry.oid, "--null", "--get-regexp", r"^submodule\..*\.path$")
        lines = self.job.git.run(*listed).out.decode(errors="surrogateescape").split("\0")
        pairs = (line.partition("\n") for line in lines if line)
        return {
            path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in pairs
        }
