"""The provisions of one worktree: what is in it besides its commit, made, restored and kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from director.model.errors import StoppedError
from director.model.sizes import Size
from director.model.slots import OWN_VARIABLES
from director.processes.removal import discard
from director.repositories.git import Git, split_z
from director.repositories.links import has_plain_parents
from director.worktrees.gates import Verdict
from director.worktrees.given import Given
from director.worktrees.kept import Trees, seals_from, seals_json
from director.worktrees.provisions import Provisions, SetupFailedError
from director.worktrees.sealed import (
    SealedTree,
    Seals,
    TamperedError,
    Tracked,
    copy,
    seals_of,
    size_of,
)
from director.worktrees.setups import SetupResult, Setups, contains_any
from director.worktrees.stalling import folders_in, remove_stalling

TRIES = 3


@dataclass(frozen=True)
class _State:
    """What is provided now. ``origin``: the tree that setup ran on, "" for one of the branch."""

    key: str
    given: Given
    origin: str


class Builds:
    """The build folders of one lane, as its last green gate left them, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept: SealedTree | None = None


@dataclass(frozen=True)
class Sharing:
    """What setup made in the pool. ``makes``: this worktree, one for gates, makes it for others."""

    setups: Setups
    makes: bool


class WorktreeProvisions:
    """The provisions of one worktree. Used by one thread at a time.

    ``notes`` begins the names of the folders in which copies are kept. ``sharing`` None: setup
    runs here whatever it made elsewhere.

    Setup runs on the tip of the job branch, so that no candidate has a part in what it makes; only
    what a candidate that changes its inputs needs is made on that candidate, for it alone. Where
    director does not know what is there (a killed run left it), all is provided again.
    """

    def __init__(
        self,
        provisions: Provisions,
        path: Path,
        notes: Path,
        builds: Builds,
        sharing: Sharing | None = None,
    ) -> None:
        self._all = provisions
        self._sharing = sharing
        self._path = path
        self._state: _State | None = None
        self._pristine = SealedTree(path, (), {})  # what it is restored from
        self._known: Seals = {}
        self._made = notes.with_name(f"{notes.name}.made")  # what setup left, a copy
        self._builds = builds

    @property
    def names(self) -> tuple[str, ...]:
        """The paths that are provided now."""
        return tuple(self._pristine.names)

    def exclusions(self, commit: str) -> list[str]:
        """Return the options with which `git clean` passes over what stays for ``commit``."""
        if self._state is None or self._state.key != self._all.setup_key(commit):
            return []
        return [f"--exclude=/{_escaped(name)}" for name in self._pristine.names]

    def needs_setup(self, commit: str) -> bool:
        """Whether a worktree that makes it for others should run setup for ``commit`` first."""
        key = self._all.setup_key(commit)
        if not key or self._sharing is None or self._sharing.makes:
            return False
        ready = self._state is not None and (self._state.key, self._state.origin) == (key, "")
        merged = key == self._all.setup_key(self._all.setup_commit())
        return merged and not ready and self._sharing.setups.get(key) is None

    def provide(self, commit: str, git: Git) -> bool:
        """Complete the worktree, which holds ``commit``; returns whether setup ran, or was copied.

        ``git`` works there through director's index. Raises SetupFailedError, and StoppedError
        when provisions are changed again and again while they are made.
        """
        problem = ""
        for _ in range(TRIES):
            try:
                given = self._all.given(self._made.parent)
                begins = not self._serves(commit, given)
                if begins:
                    self._begin(commit, git, given)
                else:
                    tracked = self._tracked(git, self._pristine.names)
                    self._known = self._pristine.restore_to(self._path, self._known, tracked)
                self._bring_builds(git)
                return begins and bool(self._all.policy.setup)
            except TamperedError as error:
                self._state, problem = None, f"{error} was changed meanwhile"
                self._all.distrust(error.tree)
                if self._sharing:
                    self._sharing.setups.distrust(error.tree)
            except OSError as error:  # an agent may do anything: start over
                self._state, problem = None, str(error)
        raise StoppedError(f"cannot provide {self._path}: {problem}", "run the command again")

    def _serves(self, commit: str, given: Given) -> bool:
        """Whether what is provided now is what ``commit`` needs."""
        state = self._state
        if state is None or state.given is not given:
            return False
        job = self._all.job
        if state.origin and state.origin == job.tree(self._all.setup_commit()):  # it merged
            self._state = state = replace(state, origin="")
        same = state.key == self._all.setup_key(commit)
        return same and (not state.origin or state.origin == job.tree(commit))

    def _begin(self, commit: str, git: Git, given: Given) -> None:
        self._state = None
        tip, key = self._all.setup_commit(), self._all.setup_key(commit)
        origin = tip if key == self._all.setup_key(tip) else commit
        for name in self._pristine.names:  # read-only folders, which stop git, among them
            _discard_in(self._path, name)
        submodules = self._all.job.submodules
        git.output("read-tree", "--reset", "-u", submodules.whole(origin))
        git.output("clean", "-ffdxq")
        submodules.make_folders(self._path, origin)
        tracked = self._tracked(git, given.tree.names)
        self._pristine = given.tree
        self._known = given.tree.restore_to(self._path, {}, tracked)
        if self._all.policy.setup:
            self._set_up(origin, key, git, given)
        if origin != commit:
            git.output("read-tree", "--reset", "-u", submodules.whole(commit))
            tracked = self._tracked(git, self._pristine.names)
            self._known = self._pristine.restore_to(self._path, self._known, tracked)
        made_for = "" if origin == tip else self._all.job.tree(origin)
        self._state = _State(key, given, made_for)

    def _set_up(self, origin: str, key: str, git: Git, given: Given) -> None:
        """Take over what setup made in another worktree, or run it here."""
        merged = key == self._all.setup_key(self._all.setup_commit())
        if self._sharing is None or not merged:
            self._run_setup(origin, git, self._made, merged=merged)
            return
        setups = self._sharing.setups
        with setups.turn(key) as made:
            known = made if made and made.given is given else None
            if known is None and self._sharing.makes:
                built = self._run_setup(origin, git, setups.new_place(), merged=True)
                portable = not built and not self._names_itself(origin, given)
                setups.note(key, SetupResult(self._pristine, portable, given))
                return
        if known and known.portable:
            tracked = self._tracked(git, known.tree.names)
            self._pristine = known.tree
            self._known = known.tree.restore_to(self._path, self._known, tracked)
        else:
            self._run_setup(origin, git, self._made, merged=True)

    def _names_itself(self, origin: str, given: Given) -> bool:
        """Whether what setup made is about the worktree that it was made in.

        All that is in the pool, and nothing else, has the name of the pool's folder in its path.
        """
        tree, pool = self._pristine, self._path.parent.parent.name
        words = [pool.encode(), pool.encode("utf-16-le"), *map(str.encode, OWN_VARIABLES)]
        found = contains_any(tree.root, tree.names, words, given.linked.root)
        return found or self._all.tells_slots_apart(origin)

    def _run_setup(self, origin: str, git: Git, place: Path, *, merged: bool) -> bool:
        """Run setup and copy what it made to ``place``; returns whether it left builds."""
        with _index_restored(Path(git.env["GIT_INDEX_FILE"])):
            result = self._all.run_setup(self._path, merged)
        if result.verdict is not Verdict.GREEN:
            raise SetupFailedError(result, self._all.withheld)
        submodules = self._all.job.submodules
        git.output("read-tree", "--reset", "-u", submodules.whole(origin))
        submodules.discard_repositories(self._path, origin)
        built = self._has_builds()
        if merged:
            self.keep_builds()
        for name in self._all.policy.keep:  # what a candidate built is for nobody else
            _discard_in(self._path, name)
        remove_stalling(folders_in(self._path))
        others = split_z(git.output("ls-files", "-z", "--others", "--directory"))
        names = [path.rstrip("/") for path in others]
        discard(place)
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            copy(self._path / name, place / name)
        self._pristine = SealedTree.of(place, names)
        self._known = seals_of(self._path, names)
        return built

    def _has_builds(self) -> bool:
        return any(os.path.lexists(self._path / name) for name in self._all.policy.keep)

    def kept(self, trees: Trees) -> dict[str, Any] | None:
        """Return what the next command needs to know to go on; None: there is nothing to know."""
        if self._state is None:
            return None
        tree = trees.name_of(self._pristine)
        return {
            "key": self._state.key,
            "origin": self._state.origin,
            "tree": tree,
            "known": seals_json(self._known),
        }

    def resume(self, kept: Mapping[str, Any], trees: Trees, given: Given) -> None:
        """Go on with what an earlier command ``kept``, made of what is ``given``."""
        self._pristine = trees.named(kept["tree"])
        self._known = seals_from(kept["known"])
        self._state = _State(kept["key"], given, kept["origin"])

    def size(self) -> Size:
        """Return the size of what is provided now, a copy of its own to restore it included."""
        size = size_of(self._pristine.seals)
        copies = 2 if self._pristine.root == self._made else 1
        return Size(copies * size.files, copies * size.bytes)

    def keep_builds(self) -> None:
        """Keep the build folders as they are now for what runs in this lane next."""
        keep = self._all.policy.keep
        if not keep:
            return
        folder = self._builds.folder
        discard(folder)
        for name in keep:
            place = self._path / name
            if has_plain_parents(self._path, name) and place.is_dir() and not place.is_symlink():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                place.rename(folder / name)
        self._builds.kept = SealedTree.of(folder, keep)

    def _bring_builds(self, git: Git) -> None:
        """Put in a copy of what was kept; nothing, when somebody changed it meanwhile."""
        kept = self._builds.kept
        if kept is None:
            return
        try:
            kept.restore_to(self._path, {}, self._tracked(git, kept.names))
        except TamperedError:
            self._builds.kept = None

    def _tracked(self, git: Git, names: Iterable[str]) -> Tracked:
        """Return what the commit itself holds at or below ``names``."""
        wanted = list(names)
        return Tracked(split_z(git.output("ls-files", "-z", "--", *wanted)) if wanted else ())

    def covers(self, path: str) -> bool:
        """Whether a new path (a folder ends in "/") is, holds or belongs to what is provided."""
        plain = path.rstrip("/")
        if self._all.claims(plain) or os.path.lexists(self._made / plain):
            return True
        return self._sharing is not None and self._sharing.setups.holds(plain)


@contextmanager
def _index_restored(index: Path) -> Iterator[None]:
    """Restore director's index afterwards: setup, which runs what merged, could write it.

    What setup does to tracked files then shows: it cannot set their ctime.
    """
    content, status = index.read_bytes(), index.stat()
    try:
        yield
    finally:
        discard(index)
        index.write_bytes(content)
        os.utime(index, ns=(status.st_atime_ns, status.st_mtime_ns))


def _discard_in(root: Path, name: str) -> None:
    if has_plain_parents(root, name):
        discard(root / name)


def _escaped(name: str) -> str:
    """Return a pattern of gitignore(5) that matches ``name`` alone."""
    return re.sub(r"([*?\[\]\\ ])", r"\\\1", name)
