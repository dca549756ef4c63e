"""Worktrees: real git worktrees of the job repository, outside the user's tree, reused.

director reads and resets a worktree through an index of its own, which no agent can touch.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from director.model.paths import lies_in, parents
from director.model.sizes import LARGE_FILES
from director.processes.removal import clear, discard
from director.records.files import os_errors_stop
from director.repositories.git import Git, GitError, join_z, split_z
from director.repositories.ignoring import ignored, rules_paths
from director.repositories.index_files import index_data, index_items
from director.repositories.job_repository import ABSENT_MODE, Entry, JobRepository
from director.repositories.objects import LINK_MODE, Item
from director.worktrees.attributes import Attributes, attributes_paths, is_attributes
from director.worktrees.exact import exact_settings
from director.worktrees.filling import Template, Templates
from director.worktrees.sealed import Seal, seal
from director.worktrees.special_files import SpecialFiles
from director.worktrees.stalling import folders_in, remove_stalling
from director.worktrees.worktree_provisions import WorktreeProvisions
from director.worktrees.worktree_repository import WorktreeRepository

LEAST_WORKERS = 4  # writing files is waiting, more than computing


@dataclass(frozen=True)
class Snapshot:
    """What a worktree holds, compared with a base commit.

    ``tree`` is the base with the allowlisted changes put in. ``changed`` are all tracked paths
    that differ from the base, ``strays`` new paths outside the allowlist (folders end in "/") that
    the ignore rules of the base do not cover, ``links`` allowlisted paths that became symbolic
    links. ``refused``: why git cannot take in the allowlisted files as they are, which are then
    left out of ``tree`` ("": it can). ``submodules`` are the paths of those in which tracked files
    differ.
    """

    tree: str
    changed: frozenset[str]
    strays: tuple[str, ...]
    links: tuple[str, ...]
    refused: str = ""
    submodules: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Seen:
    """How the files on disk differ from an index.

    ``changed`` are the paths of the index that hold something else, or nothing, on disk;
    ``others`` what is on disk and not in the index (folders end in "/", links do not).
    """

    changed: frozenset[str]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Origin:
    """What a worktree is filled from: the ``templates`` of its pool.

    ``gate`` is the worktree for gates of the same lane, which is prepared first; None: it is one
    itself, and so may become a template.
    """

    templates: Templates
    gate: Worktree | None = None


class Worktree:
    """One worktree of the pool. Used by one thread at a time.

    ``notes`` begins the names of the files in which director keeps what it knows of it, where no
    agent can write. What it holds of a commit is the whole tree, submodules included. ``origin``
    None: it is always filled by git.
    """

    def __init__(
        self,
        path: Path,
        notes: Path,
        job: JobRepository,
        provided: WorktreeProvisions | None = None,
        origin: Origin | None = None,
    ) -> None:
        self.path = path
        self.provided = provided
        self._origin = origin
        self._repository = WorktreeRepository(path, job)
        self._index = notes.with_name(f"{notes.name}.index")
        self._job = job
        self._attributes = Attributes(path, path.with_name(f"{path.name}.attributes"))
        self._seal = _seal(self._index)
        self._holds: str | None = None  # the whole tree that the index is of
        self._seen: _Seen | None = None  # by a look after which nothing ran in here
        self._special = SpecialFiles(path, job)

    def _git(self, index: Path) -> Git:
        git = self._job.git.with_variables(GIT_INDEX_FILE=str(index), GIT_WORK_TREE=str(self.path))
        filters = self._job.user.filters
        confined = filters.settings(self.path) if filters else ()
        return Git(self.path, git.env, (*exact_settings(self.path.parent), *confined))

    @property
    def index(self) -> Path:
        """The index through which director sees the files."""
        return self._index

    def kept(self) -> dict[str, Any] | None:
        """Return what the next command needs to know to go on in it; None: it has to fill it."""
        if self._holds is None or _seal(self._index) != self._seal:
            return None
        return {"commit": self._holds, "index": self._seal, "plain": self._special.known}

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Go on with it as an earlier command ``kept`` it; nothing else of it is believed."""
        self._holds, self._seal = kept["commit"], tuple(kept["index"])
        self._special.resume(kept["plain"])
        if self._origin and not self._origin.gate and _seal(self._index) == self._seal:
            self._origin.templates.offer(self._template)

    def reset(self, commit: str, *, bare: bool = False) -> None:
        """Make the worktree hold exactly ``commit`` and what is provided, ignored files included.

        ``bare``: it is for somebody who only reads, so nothing is made or copied for it besides the
        commit. Right after a ``snapshot`` what that saw is believed: between the two nothing may
        run here. Raises SetupFailedError when the setup command fails.
        """
        if self._gate_goes_first(commit, bare=bare):
            assert self._origin and self._origin.gate
            self._origin.gate.reset(commit, bare=bare)
        with os_errors_stop(self.path):
            self._reset(commit, bare=bare)

    def _gate_goes_first(self, commit: str, *, bare: bool) -> bool:
        """Whether the gates' worktree is to be prepared first, so that this is filled from it.

        Nothing that an agent could write gets into one for gates; the other way round it may.
        """
        if self._origin is None or self._origin.gate is None:
            return False
        if self.provided and not bare and self.provided.needs_setup(commit):
            return True
        return not self._index.exists() and self._job.count_files(commit) >= LARGE_FILES

    def _reset(self, commit: str, *, bare: bool) -> None:
        self._prepare()
        if not self._adjust(commit):
            self._holds = None
            try:
                self._fill(commit)
            except (GitError, OSError):  # beyond repair (an agent may do anything): start over
                for place in (self.path, self._index, Path(f"{self._index}.lock")):
                    clear(place)
                self.path.mkdir()
                self._fill(commit)
        git, whole = self._git(self._index), self._job.submodules.of(commit)
        self._repository.reset(commit, git)
        provided = self.provided if not bare else None
        if provided:
            if ran := provided.provide(commit, git):
                self._special.remove_in_tracked_folders(whole.tree)
            if ran or whole.present:  # setup may use git; what is provided leaves no room for it
                self._repository.reset(commit, git)
        self._job.submodules.make_folders(self.path, commit)
        self._seal, self._holds = _seal(self._index), whole.tree

    def changed(self) -> frozenset[str]:
        """Return the paths of the commit that differ on disk, or are missing there.

        What this sees is believed by the ``reset`` after it: between the two nothing may run here.
        """
        with os_errors_stop(self.path):
            self._prepare()
            if self._holds is None:
                return frozenset()
            self._seen = self._look(self._git(self._index), self._holds)
            return self._seen.changed

    def keep_builds(self) -> None:
        """Keep the build folders as the gate that was green just now left them."""
        if self.provided:
            self.provided.keep_builds()

    def _adjust(self, commit: str) -> bool:
        """Bring the worktree to ``commit`` by what differs; False: that cannot be done.

        What differs from the commit it was reset to last is removed; git then writes what differs
        between the two commits, and what else was removed. Other files are only looked at.
        """
        seen, self._seen = self._seen, None
        if self._holds is None:
            return False
        git, whole = self._git(self._index), self._job.submodules.whole(commit)
        try:
            seen = seen or self._look(git, self._holds)
            if self.provided:
                self._clean(git, commit)
            self._repository.withdraw(commit)
            others = filter(is_attributes, seen.others) if self.provided else seen.others
            for path in (*others, *seen.changed):
                _discard_below(self.path, path)
            if whole != self._holds:
                git.output("read-tree", "-m", "-u", whole)
            moved = {change.path for change in self._job.changes(self._holds, whole)}
            if gone := sorted(seen.changed - moved):
                git.output("checkout-index", "-f", "-u", "-z", "--stdin", stdin=join_z(gone))
            self._special.remove_in_tracked_folders(whole)
        except (GitError, OSError):
            return False
        return True

    @property
    def _template(self) -> Template:
        return Template(self.path, self._index)

    def _fill(self, commit: str) -> None:
        if self._origin is None:
            self._check_out(commit)
            return
        own = None if self._origin.gate else self._template
        with self._origin.templates.turn(own) as template:
            if template and not any(self.path.iterdir()):
                self._copy_from(template)
            self._check_out(commit)

    def _copy_from(self, template: Template) -> None:
        """Take the files of ``template``, where that can be done.

        They are copied to where no agent can write, since `cp` follows links on its way.
        """
        assert self._origin
        place = self._index.with_suffix(".filling")
        discard(place)
        place.mkdir(mode=0o700)
        try:
            index = self._origin.templates.fill(template, place)
            with suppress(OSError):  # an agent put something there: git fills it, as always
                if index is not None:
                    place.rename(self.path)
                    self._index.write_bytes(index)
        finally:
            discard(place)

    def _check_out(self, commit: str) -> None:
        whole = self._job.submodules.whole(commit)
        for path in self._foreign_attributes(whole, self._folders(whole)):
            discard(self.path / path)
        remove_stalling(folders_in(self.path))
        git = self._git(self._index)
        workers = f"checkout.workers={max(LEAST_WORKERS, os.cpu_count() or 1)}"
        git.output("-c", workers, "read-tree", "--reset", "-u", whole)
        self._clean(git, commit)
        self._special.forget()
        self._special.remove_in_tracked_folders(whole)

    def _clean(self, git: Git, commit: str) -> None:
        """Remove what is neither in the index nor provided for ``commit``."""
        stay = self.provided.exclusions(commit) if self.provided else []
        git.output("clean", "-ffdxq", *stay)

    def _folders(self, whole: str) -> Iterator[str]:
        return (entry.path for entry in self._job.folders(whole))

    def _foreign_attributes(self, commit: str, folders: Iterable[str]) -> list[str]:
        """Return the attributes files at the top and in ``folders`` that ``commit`` lacks."""

        def committed(path: str) -> bytes | None:
            return self._job.contents(commit, [path]).get(path)

        return self._attributes.foreign(folders, committed)

    def _look(self, git: Git, whole: str) -> _Seen:
        """Compare the files on disk with the index of ``git``, which is of the tree ``whole``."""
        self._attributes.put_back()
        self._special.remove_stalling(whole, self.provided.names if self.provided else ())
        options = ("-z", "-t", "--deleted", "--modified", "--others", "--directory")
        foreign = self._foreign_attributes(whole, self._folders(whole))
        with self._attributes.without(foreign):
            out = split_z(git.output("ls-files", *options))
        changed = {line[2:] for line in out if not line.startswith("? ")}
        others = tuple(line[2:] for line in out if line.startswith("? "))
        others += tuple(path for path in foreign if path not in changed)
        links = [path for path in others if (self.path / path).is_symlink()]
        if links:  # git looks for files of the index through a link that stands for their folder
            behind = tuple(f"{link}/" for link in links)
            changed |= {p for p in split_z(git.output("ls-files", "-z")) if p.startswith(behind)}
        return _Seen(frozenset(changed), others)

    def _prepare(self) -> None:
        """Make sure that there is a folder, and that git reads it as the user's would."""
        self._job.settle()
        for place in (self.path.parent, self.path):  # an agent may have put a file there
            if place.is_symlink() or not place.is_dir():
                discard(place)
                place.mkdir(mode=0o700, parents=True)
                self._holds = None
        if _seal(self._index) != self._seal:  # an agent found it: what it says is worth nothing
            self._holds = None
            discard(self._index)
            with self._job.scratch_index() as git:
                git.output("read-tree", "--empty")
                shutil.copy2(git.env["GIT_INDEX_FILE"], self._index)

    def snapshot(self, base: str, allowlist: Iterable[str]) -> Snapshot:
        """Compare the files on disk with the tree of ``base``.

        Reads files, not what the agent's git says of them: its index, its commits, its ignore
        rules and its HEAD play no part.
        """
        with os_errors_stop(self.path):
            return self._snapshot(base, allowlist)

    def _snapshot(self, base: str, allowlist: Iterable[str]) -> Snapshot:
        self._prepare()
        allowed = list(allowlist)
        moved, lost = self._moved_links(base, allowed)
        whole = self._job.submodules.whole(self._job.tree_with(base, moved) if moved else base)
        with self._index_of(whole) as git:
            seen = self._look(git, whole)
            strays = self._strays(git, seen.others, allowed)
        strays = self._not_ignored(base, strays)
        self._seen = seen if self._holds == whole else None
        inner = {one.path for one in self._job.submodules.of(base).links}
        plain = [path for path in allowed if path not in inner]
        links = [path for path in plain if self._became_link(base, path)]
        inside = inner.union(links)
        touched = [p for p in allowed if p not in inside and _is_file_link_or_absent(self.path / p)]
        changed = frozenset(path for path in seen.changed if not lies_in(path, lost))
        differing = sorted(one for one in inner if any(lies_in(path, [one]) for path in changed))
        found = Snapshot("", changed, tuple(strays), tuple(links), _refusal(lost), tuple(differing))
        try:
            entries = self._entries(base, touched)
        except GitError as error:
            if not self._job.is_writable():
                raise
            refused = error.message.splitlines()[-1].removeprefix("fatal: ")
            return replace(found, tree=self._job.tree(base), refused=refused)
        return replace(found, tree=self._job.tree_with(base, [*entries, *moved]))

    def _moved_links(self, base: str, allowed: list[str]) -> tuple[list[Entry], dict[str, str]]:
        """Return what became of the allowlisted submodules; path → commit of those it cannot be.

        It can be a commit that the user's repositories have: no other could be checked out.
        """
        moved = self._repository.moved_links(base, allowed)
        if not moved:
            return [], {}
        absent = self._job.submodules.of(self._job.tree_with(base, moved)).absent
        kept = [one for one in moved if one.mode == ABSENT_MODE or one.path not in absent]
        return kept, {one.path: one.oid for one in moved if one not in kept}

    @contextmanager
    def _index_of(self, whole: str) -> Iterator[Git]:
        """Give a git whose index is of the tree ``whole``, and knows the files on disk."""
        if self._holds == whole:
            yield self._git(self._index)
            return
        index = self._index.with_suffix(".candidate")
        shutil.copy2(self._index, index)
        git = self._git(index)
        git.output("read-tree", "-i", "--reset", whole)
        yield git
        index.unlink()

    def _entries(self, base: str, paths: list[str]) -> list[Entry]:
        """Return what git makes of the files at ``paths``: filters, line ends and modes as usual.

        The index it does that in holds these paths only, and the attributes that count for them:
        those of ``base``, and allowlisted ones as they are now. It is as small as the change.
        """
        folders = {folder for path in paths for folder in parents(path)}
        before = self._job.entries(base, [*paths, *attributes_paths(folders)])
        index = self._index.with_suffix(".candidate")
        items = {path: Item(entry.mode, entry.oid) for path, entry in before.items()}
        index.write_bytes(index_data(items, self._job.user.object_format))
        foreign = set(self._foreign_attributes(base, folders)).difference(paths)
        git = self._git(index)
        options = ("--add", "--remove", "--replace")  # a file may stand where a folder was
        plain = ("-c", "index.version=2")
        try:
            with self._attributes.without(foreign):
                git.output(*plain, "update-index", *options, "-z", "--stdin", stdin=join_z(paths))
            staged = index_items(index.read_bytes(), len(base) // 2)
        finally:
            for place in (index, Path(f"{index}.lock")):
                place.unlink(missing_ok=True)
        now = [Entry(path, item.mode, item.oid) for path, item in staged.items()]
        gone = before.keys() - {entry.path for entry in now}
        return [*now, *(Entry(path, ABSENT_MODE, "0" * len(base)) for path in gone)]

    def _strays(self, git: Git, others: Iterable[str], allowed: list[str]) -> list[str]:
        """Return new paths that no allowlist names, ignored ones included."""
        new = [path for path in others if not path.endswith("/") or _holds_any(self.path / path)]
        folders = [path for path in new if path.endswith("/")]
        inside = [path for path in folders if any(one.startswith(path) for one in allowed)]
        if inside:  # an allowlisted file in a new folder hides its neighbours: look into it
            new = [path for path in new if path not in inside]
            new += split_z(git.output("ls-files", "-z", "--others", "--", *inside))
        if self.provided:
            new = [path for path in new if not self.provided.covers(path)]
        return sorted(set(new) - set(allowed))

    def _not_ignored(self, base: str, strays: list[str]) -> list[str]:
        """Return those of ``strays`` that the ignore rules of ``base`` do not cover."""
        if not strays:
            return strays
        rules = self._job.contents(base, rules_paths(strays))
        covered = ignored(self._job.git, self.path, rules, strays)
        return [path for path in strays if path not in covered]

    def _became_link(self, base: str, path: str) -> bool:
        """Whether ``path``, or a folder on the way to it, is a symbolic link it was not before."""
        if any((self.path / part).is_symlink() for part in parents(path)):
            return True
        if not (self.path / path).is_symlink():
            return False
        entry = self._job.entries(base, [path]).get(path)
        return entry is None or entry.mode != LINK_MODE


def _refusal(lost: Mapping[str, str]) -> str:
    """Return why submodules cannot be at the commits they were moved to (path → commit)."""
    return "; ".join(
        f"the submodule {path} is at commit {oid}, which the user's checkout of it does not have"
        for path, oid in lost.items()
    )


def _is_file_link_or_absent(path: Path) -> bool:
    """Whether git can put ``path`` into an index, or take it out (no folder, socket, device)."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def _holds_any(folder: Path) -> bool:
    """Whether there is anything but empty folders in a folder."""
    folders = [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    return True
                folders.append(entry.path)
    return False


def _discard_below(root: Path, path: str) -> None:
    """Remove what is at ``path``; a link on the way to it is removed, never followed."""
    for folder in parents(path):
        if (root / folder).is_symlink():
            (root / folder).unlink()
    discard(root / path)


def _seal(index: Path) -> Seal:
    """Return the seal of an index; of none an empty one."""
    try:
        return seal(index.lstat())
    except OSError:
        return ()
