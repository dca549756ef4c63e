"""The repository that git finds in a worktree: one of its own, which borrows objects.

Agents and gates may do with it what they like: nothing else uses what is in it, and each reset
restores it. A submodule has one too, inside it.
"""

import os
import stat
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from director.model.slots import repository_of
from director.processes.removal import NotRemovedError, discard
from director.repositories.history import Entry
from director.repositories.index_files import split_index
from director.repositories.job_repository import JobRepository
from director.repositories.links import discard_inside, has_plain_parents, is_plain_folder
from director.repositories.objects import ABSENT_MODE, GITLINK_MODE, OBJECT_ID, Item
from director.repositories.restoring import restore_file
from director.repositories.submodule_repositories import GIT
from director.repositories.submodules import WholeTree
from director.worktrees.seals import Seal, seal

MOST_LINKS = 5  # of a symbolic ref, as git follows them
MOST_BYTES = 1 << 20  # of a file with refs


Contents = dict[str, "bytes | Contents"]
"""What a folder holds: name → content of a file, or what a folder holds."""


class _Split(NamedTuple):
    """The ``parts`` that an index was split into: it was the one with the seal ``of``."""

    of: Seal
    links: tuple[Entry, ...]
    parts: dict[str, bytes]


class WorktreeRepository:
    """The repository of the worktree at ``path``, and those of its submodules."""

    def __init__(self, path: Path, job: JobRepository) -> None:
        self._path = path
        self._folder = repository_of(path)
        self._link = f"{path}/{GIT}", _gitdir(self._folder)  # by which git finds it
        self._job = job
        self._submodules: tuple[str, ...] = ()  # the submodules that have one
        self._split: _Split | None = None

    def reset(self, commit: str, index: Path) -> None:
        """Give git in the worktree a clean state at ``commit``, whatever was done with it before.

        ``index`` is director's own, which holds the whole tree.
        """
        whole = self._job.submodules.of(commit)
        indexes = self._indexes(whole, index)
        self._submodules = tuple(one.path for one in whole.present)
        borrowing = self._job.borrowing()
        wanted = {**borrowing, "HEAD": _line(commit), "index": indexes[""]}
        folders = ["refs"]
        for number, one in enumerate(whole.present):
            place = self._inner(number)
            files = {name: borrowing[name] for name in ("config", "objects/info/alternates")}
            files |= {**one.carried, "HEAD": _line(one.commit), "index": indexes[one.path]}
            wanted |= {f"{place}/{name}": content for name, content in files.items()}
            folders.append(f"{place}/refs")
            restore_file(self._path / one.path / GIT, _gitdir(self._folder / place))
        restore_file(*self._link)
        contents = _nested(wanted, folders)
        try:
            self._restore(contents)
        except (PermissionError, NotRemovedError):  # folders were closed
            discard(self._folder)
            self._restore(contents)

    def _restore(self, contents: Contents) -> None:
        if not is_plain_folder(self._folder):
            discard(self._folder)
            self._folder.mkdir(mode=0o700, parents=True)
        _restore(str(self._folder), contents)

    def _inner(self, number: int) -> str:
        return f"modules/{number}"

    def _indexes(self, whole: WholeTree, index: Path) -> dict[str, bytes]:
        """Return the index of each repository: "" is the worktree's own."""
        if not whole.links:
            return {"": index.read_bytes()}
        of = seal(index.lstat())
        if self._split is None or (self._split.of, self._split.links) != (of, whole.links):
            links = {link.path: Item(link.mode, link.oid) for link in whole.links}
            folders = [one.path for one in whole.present]
            parts = split_index(index.read_bytes(), folders, links, self._job.user.object_format)
            self._split = _Split(of, whole.links, parts)
        return self._split.parts

    def moved_links(self, base: str, paths: Collection[str]) -> list[Entry]:
        """Return what became of the submodules of ``base`` at ``paths``, where it is another.

        One has another commit checked out, or its folder is gone. Reads files, runs no git there.
        """
        whole = self._job.submodules.of(base)
        oids = {one.path: one.oid for one in whole.links if one.path in paths}
        moved = []
        for number, one in enumerate(whole.present):
            head = _commit_of(self._folder / self._inner(number)) if one.path in oids else None
            if head and head != one.commit:
                moved.append(Entry(one.path, GITLINK_MODE, head))
        gone = [path for path in oids if not os.path.lexists(self._path / path)]
        kept = [entry for entry in moved if entry.path not in gone]
        return [*kept, *(Entry(path, ABSENT_MODE, "0" * len(oids[path])) for path in gone)]

    def withdraw(self, commit: str) -> None:
        """Remove those of submodules that ``commit`` does not have, so that git removes the rest.

        Where director does not know what it laid, git takes the folder for an untracked one.
        """
        stay = {one.path for one in self._job.submodules.of(commit).present}
        for path in self._submodules:
            if path not in stay:
                discard_inside(self._path, f"{path}/{GIT}")


def _line(commit: str) -> bytes:
    return f"{commit}\n".encode()


def _gitdir(folder: Path) -> bytes:
    return os.fsencode(f"gitdir: {folder}\n")


def _commit_of(repository: Path) -> str | None:
    """Return the commit that HEAD of a repository names (gitrepository-layout(5))."""
    said = _said(repository, "HEAD")
    for _ in range(MOST_LINKS):
        if not said.startswith(b"ref: "):
            break
        name = os.fsdecode(said.removeprefix(b"ref: "))
        said = _said(repository, name) if name.startswith("refs/") else b""
        said = said or _packed(repository, name)
    return said.decode() if OBJECT_ID.fullmatch(said) else None


def _said(repository: Path, name: str) -> bytes:
    """Return what a file says; b"" where there is none that can be read at once."""
    with suppress(OSError, ValueError):
        place = repository / name
        found = place.lstat()
        plain = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
        if plain and ".." not in name.split("/") and has_plain_parents(repository, name):
            return place.read_bytes().strip()
    return b""


def _packed(repository: Path, name: str) -> bytes:
    lines = (line.partition(b" ") for line in _said(repository, "packed-refs").splitlines())
    return next((oid for oid, _, ref in lines if ref == os.fsencode(name)), b"")


def _nested(files: Mapping[str, bytes], folders: Iterable[str]) -> Contents:
    """Return what a folder holds with ``files`` (path → content) and ``folders`` in it."""
    contents: Contents = {}
    for path in (*folders, *files):
        place = contents
        *leading, name = path.split("/")
        for folder in leading:
            inner = place.setdefault(folder, {})
            assert isinstance(inner, dict)
            place = inner
        place[name] = files.get(path, {})
    return contents


def _restore(folder: str, wanted: Contents) -> None:
    """Make a plain folder hold what is ``wanted``, and nothing else."""
    with os.scandir(folder) as entries:
        there = {entry.name: _may_stay(entry, wanted) for entry in entries}
    for name, stays in there.items():
        if not stays:
            discard(Path(folder, name))
    for name, content in wanted.items():
        place = f"{folder}/{name}"
        if isinstance(content, dict):
            if not there.get(name):
                os.mkdir(place, 0o700)  # noqa: PTH102 (often called)
            _restore(place, content)
        else:
            restore_file(place, content)


def _may_stay(entry: os.DirEntry[str], wanted: Contents) -> bool:
    """Whether something is a folder that is wanted, or has the name of a file that is."""
    inner = isinstance(wanted.get(entry.name), dict)
    return entry.is_dir(follow_symlinks=False) if inner else entry.name in wanted
