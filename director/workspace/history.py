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
    """The commits of one repository, read through ``git``."""

    def __init__(self, git: Git) -> None:
        self.git = git

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
        return {
            path: self.git.output("cat-file", "blob", entry.oid)
            for path, entry in self.entries(commit, paths).items()
        }

    def tree(self, commit: str) -> str:
        """Return the tree of ``commit``."""
        return self.git.text("rev-parse", f"{commit}^{{tree}}")

    def changes(self, old: str, new: str) -> list[Change]:
        """Return the paths in which two commits or trees differ, without guessing renames."""
        out = split_z(self.git.output("diff-tree", "-r", "-z", "--no-renames", "--raw", old, new))
        return [_change(info, path) for info, path in zip(out[::2], out[1::2], strict=True)]

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
