"""Reading commits: what they hold, and how they differ. Nothing is written."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from director.model.newest import Newest
from director.model.sizes import Size
from director.repositories.branch_commits import (
    FORMAT,
    PLAIN_TRAILERS,
    BranchCommit,
    logged_commit,
    read_commit,
    tree_of_commit,
)
from director.repositories.git import Git, split_z
from director.repositories.objects import (
    ABSENT_MODE,
    GITLINK_MODE,
    Item,
    Objects,
    object_id,
)
from director.repositories.trees import EMPTY, Folder, Trees

SHA1_DIGITS = 40
KEPT_ANSWERS = 200  # about pairs of commits, or whole trees: each may name thousands of paths


class Entry(NamedTuple):
    """A path in a tree: git's mode (octal text) and object id. ABSENT_MODE: not there."""

    path: str
    mode: str
    oid: str


class Change(NamedTuple):
    """A path that differs between two trees."""

    path: str
    old: Entry
    new: Entry


class History:
    """The commits of one repository, read through ``git``.

    What an object id stands for never changes, so answers about ids are kept.
    """

    def __init__(self, git: Git) -> None:
        self.git = git
        self.objects = Objects(git)
        self.trees = Trees(self.objects)
        self._trees = Newest[str, str](KEPT_ANSWERS)  # of other commits, and of trees
        self._changes = Newest[tuple[str, str], list[Change]](KEPT_ANSWERS)
        self._whole = Newest[str, tuple[Entry, ...]](KEPT_ANSWERS)  # of trees of commits
        self._below: dict[str, tuple[Entry, ...]] = {}  # of folders in them
        # Commits as git stores them, a third of what they are when they are read: those that were
        # made last, and those that steps went over.
        self._made = Newest[str, bytes](KEPT_ANSWERS)
        self._commits: dict[str, bytes] = {}

    def tip_of(self, name: str) -> str | None:
        """Return the commit of the local branch ``name``, or None."""
        done = self.git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}")
        return done.out.decode().strip() if done.code == 0 else None

    def descends(self, tip: str, base: str) -> bool:
        """Whether ``base`` is ``tip`` or one of its ancestors."""
        return self.git.ok("merge-base", "--is-ancestor", base, tip)

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
        """Return path → entry for those of ``paths`` that are files in ``commit``.

        A folder on their ways is read once.
        """
        found = {}
        read = {"": self.trees.of(self.tree(commit))}
        for path in paths:
            folder, _, name = path.rpartition("/")
            there = read[folder] if folder in read else self._folder(folder, read)
            item = there.get(name)
            if item and not item.is_tree:
                found[path] = Entry(path, item.mode, item.oid)
        return found

    def _folder(self, folder: str, read: dict[str, Folder]) -> Folder:
        """Return what ``folder`` holds: nothing where there is none; ``read`` is added to."""
        if folder not in read:
            above, _, name = folder.rpartition("/")
            item = self._folder(above, read).get(name)
            read[folder] = self.trees.of(item.oid) if item and item.is_tree else EMPTY
        return read[folder]

    def hashes(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Return path → sha256 (hex) of the content, for those of ``paths`` in ``commit``."""
        return {
            path: hashlib.sha256(content).hexdigest()
            for path, content in self.contents(commit, paths).items()
        }

    def contents(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Return path → content for those of ``paths`` that are files in ``commit``."""
        found = self.entries(commit, paths)
        return {
            path: self.objects.get(entry.oid).data
            for path, entry in found.items()
            if entry.mode != GITLINK_MODE
        }

    def tree(self, commit: str) -> str:
        """Return the tree of ``commit`` (a tree: itself), given by its id."""
        if data := self._known(commit):
            return tree_of_commit(data)
        tree = self._trees.get(commit)
        if tree is None:
            tree = self.objects.get(f"{commit}^{{tree}}").oid
            self._trees.keep(commit, tree)
        return tree

    def id_of_tree_with(self, base: str, entries: Iterable[Entry]) -> str:
        """Return the id of the tree of ``base`` with ``entries`` put in (absent ones taken out)."""
        return self.build_tree(base, entries, partial(object_id, _format(base), "tree"))

    def build_tree(self, base: str, entries: Iterable[Entry], write: Callable[[bytes], str]) -> str:
        """Return what ``write`` does for the tree of ``base`` with ``entries`` put in."""
        changed = {entry.path: Item(entry.mode, entry.oid) for entry in entries}
        return self.trees.built(self.tree(base), changed, write) or write(b"")

    def step(self, commit: str) -> BranchCommit:
        """Return one commit by its id, its trailers read from the last paragraph."""
        data = self._known(commit) or self.objects.get(commit).data
        self._commits[commit] = data
        return read_commit(commit, data)

    def _known(self, commit: str) -> bytes | None:
        return self._commits.get(commit) or self._made.get(commit)

    def steps(self, base: str, tip: str) -> Iterator[BranchCommit]:
        """Give the commits from ``tip`` back to ``base``, which is not among them, as ``step``."""
        commit = tip
        while commit != base:
            step = self.step(commit)
            yield step
            if not step.parents:
                return
            commit = step.parents[0]

    def files(self, commit: str) -> Iterator[str]:
        """Give the path of each file of ``commit``; submodules are none."""
        yield from self._files(self.tree(commit), "")

    def _files(self, tree: str, folder: str) -> Iterator[str]:
        for name, item in self.trees.of(tree).items():
            if item.is_tree:
                yield from self._files(item.oid, f"{folder}{name}/")
            elif item.mode != GITLINK_MODE:
                yield f"{folder}{name}"

    def folders(self, commit: str) -> tuple[Entry, ...]:
        """Return the folders of ``commit``, submodules among them."""
        tree = self.tree(commit)
        known = self._whole.get(tree)
        if known is None:
            known = self._listed(tree)
            self._whole.keep(tree, known)
        return known

    def size(self, commit: str) -> Size:
        """Return the size of the files of ``commit``."""
        listed = split_z(self.git.output("ls-tree", "-r", "-l", "-z", "--full-tree", commit))
        sizes = [line.partition("\t")[0].split()[3] for line in listed]
        return Size.of(int(one) for one in sizes if one.isdigit())  # "-": a submodule

    def _folders(self, tree: str) -> tuple[Entry, ...]:
        """Return the folders below a tree; a folder that did not change is not read again."""
        if tree not in self._below:
            self._below[tree] = self._listed(tree)
        return self._below[tree]

    def _listed(self, tree: str) -> tuple[Entry, ...]:
        found = []
        for name, item in self.trees.of(tree).inner():
            found.append(Entry(name, item.mode, item.oid))
            if item.is_tree:
                inner = self._folders(item.oid)
                found += [Entry(f"{name}/{one.path}", one.mode, one.oid) for one in inner]
        return tuple(found)

    def changes(self, old: str, new: str) -> list[Change]:
        """Return the paths in which two commits or trees differ, without guessing renames."""
        known = self._changes.get((old, new))
        if known is None:
            found = self._differences(self.tree(old), self.tree(new), "")
            known = sorted(found, key=lambda change: change.path.encode(errors="surrogateescape"))
            self._changes.keep((old, new), known)
        return known

    def _differences(self, old: str | None, new: str | None, folder: str) -> Iterator[Change]:
        before = self.trees.of(old) if old else EMPTY
        after = self.trees.of(new) if new else EMPTY
        absent = Item(ABSENT_MODE, "0" * len(old or new or ""))
        for name in after.differing(before):
            was, now = before.get(name) or absent, after.get(name) or absent
            if was.is_tree or now.is_tree:
                one, other = (item.oid if item.is_tree else None for item in (was, now))
                yield from self._differences(one, other, f"{folder}{name}/")
            was, now = (absent if item.is_tree else item for item in (was, now))
            if was != now:
                path = f"{folder}{name}"
                yield Change(path, Entry(path, was.mode, was.oid), Entry(path, now.mode, now.oid))

    def diff(self, old: str, new: str) -> str:
        """Return the difference between two commits as a patch, for people and models."""
        return self.git.output(
            "diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", old, new
        ).decode(errors="replace")

    def log(self, base: str, tip: str) -> list[BranchCommit]:
        """Return the commits after ``base`` up to ``tip``, oldest first, with their trailers."""
        out = self.git.output(
            *PLAIN_TRAILERS, "log", "-z", "--reverse", "--first-parent", "--no-show-signature",
            "--encoding=UTF-8", f"--format={FORMAT}", f"{base}..{tip}",
        )  # fmt: skip
        return [logged_commit(text) for text in split_z(out)]


def _format(oid: str) -> str:
    """Return the object format of a repository with such ids."""
    return "sha1" if len(oid) == SHA1_DIGITS else "sha256"
