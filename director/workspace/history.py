"""Reading commits: what they hold, how they differ, what their trailers say. Nothing is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from director.workspace.git import Git, split_z

ABSENT_MODE = "000000"


@dataclass(frozen=True)
class Entry:
    """A path in a tree: git's mode (octal text) and object id. ABSENT_MODE: not there."""

    path: str
    mode: str
    oid: str


@dataclass(frozen=True)
class Change:
    """A path that differs between two trees."""

    path: str
    old: Entry
    new: Entry


@dataclass(frozen=True)
class BranchCommit:
    """A commit of the job branch. ``pairs`` are its trailers, in order, repeated ones too."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    @property
    def trailers(self) -> dict[str, str]:
        """Key → value; of a repeated trailer the last."""
        return dict(self.pairs)


class History:
    """The commits of one repository, read through ``git``.

    What an object id stands for never changes, so answers about ids are kept.
    """

    def __init__(self, git: Git) -> None:
        self.git = git
        self._trees: dict[str, str] = {}
        self._changes: dict[tuple[str, str], list[Change]] = {}
        self._folders: dict[str, list[Entry]] = {}

    def tip_of(self, name: str) -> str | None:
        """Return the commit of the local branch ``name``, or None."""
        done = self.git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}")
        return done.out.decode().strip() if done.code == 0 else None

    def descends(self, tip: str, base: str) -> bool:
        """Whether ``base`` is ``tip`` or one of its ancestors."""
        return self.git.ok("merge-base", "--is-ancestor", base, tip)

    def entries(self, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
        """Return path → entry for those of ``paths`` that are files in ``commit``."""
        wanted = list(paths)
        if not wanted:
            return {}
        out = self.git.output("ls-tree", "-r", "-z", "--full-tree", commit, "--", *wanted)
        found = [_entry(line) for line in split_z(out)]
        return {entry.path: entry for entry in found if entry.path in set(wanted)}

    def hashes(self, commit: str, paths: Iterable[str]) -> dict[str, str]:
        """Return path → sha256 (hex) of the content, for those of ``paths`` in ``commit``."""
        return {
            path: hashlib.sha256(content).hexdigest()
            for path, content in self.contents(commit, paths).items()
        }

    def contents(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Return path → content for those of ``paths`` that are files in ``commit``."""
        found = self.entries(commit, paths)
        if not found:
            return {}
        asked = "".join(f"{entry.oid}\n" for entry in found.values()).encode()
        blobs = _split_batch(self.git.output("cat-file", "--batch", stdin=asked))
        return dict(zip(found, blobs, strict=True))

    def tree(self, commit: str) -> str:
        """Return the tree of ``commit``, given by its id."""
        if commit not in self._trees:
            self._trees[commit] = self.git.text("rev-parse", f"{commit}^{{tree}}")
        return self._trees[commit]

    def folders(self, commit: str) -> list[Entry]:
        """Return the folders of ``commit``, submodules among them."""
        if commit not in self._folders:
            out = self.git.output("ls-tree", "-r", "-d", "-z", "--full-tree", commit)
            self._folders[commit] = [_entry(line) for line in split_z(out)]
        return self._folders[commit]

    def changes(self, old: str, new: str) -> list[Change]:
        """Return the paths in which two commits or trees differ, without guessing renames."""
        if (old, new) not in self._changes:
            options = ("-r", "-z", "--no-renames", "--raw")
            out = split_z(self.git.output("diff-tree", *options, old, new))
            pairs = zip(out[::2], out[1::2], strict=True)
            self._changes[old, new] = [_change(info, path) for info, path in pairs]
        return self._changes[old, new]

    def diff(self, old: str, new: str) -> str:
        """Return the difference between two commits as a patch, for people and models."""
        return self.git.output(
            "diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", old, new
        ).decode(errors="replace")

    def log(self, base: str, tip: str) -> list[BranchCommit]:
        """Return the commits after ``base`` up to ``tip``, oldest first, with their trailers."""
        out = self.git.output(
            "log", "-z", "--reverse", "--first-parent", "--no-show-signature", "--encoding=UTF-8",
            "--format=%H %T %P%n%(trailers:only=true,unfold=true)", f"{base}..{tip}",
        )  # fmt: skip
        return [_branch_commit(text) for text in split_z(out)]


def _split_batch(output: bytes) -> list[bytes]:
    """Return the contents in the output of ``git cat-file --batch``."""
    contents = []
    while output:
        head, _, rest = output.partition(b"\n")
        size = int(head.rsplit(b" ", 1)[1])
        contents.append(rest[:size])
        output = rest[size + 1 :]
    return contents


def _entry(line: str) -> Entry:
    info, _, path = line.partition("\t")
    mode, _, oid = info.split(" ")
    return Entry(path, mode, oid)


def _change(info: str, path: str) -> Change:
    old_mode, new_mode, old_oid, new_oid, _ = info.removeprefix(":").split(" ")
    return Change(path, Entry(path, old_mode, old_oid), Entry(path, new_mode, new_oid))


def _branch_commit(text: str) -> BranchCommit:
    head, _, rest = text.partition("\n")
    oid, tree, *parents = head.split()
    pairs = (line.partition(": ") for line in rest.splitlines() if ": " in line)
    trailers = tuple((key, value.strip()) for key, _, value in pairs)
    return BranchCommit(oid, tree, tuple(parents), trailers)
