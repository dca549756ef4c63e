"""The provisions of one worktree: what is in it besides its commit, made, restored and kept."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from director.model.errors import StoppedError
from director.model.sizes import Size
from director.model.slots import OWN_VARIABLES
from director.processes.removal import discard
from director.repositories.git import split_z
from director.repositories.links import discard_inside
from director.worktrees.builds import Builds
from director.worktrees.gates import Verdict
from director.worktrees.pool_note import Trees, seals_from
from director.worktrees.private_index import PrivateIndex
from director.worktrees.provisions import Provisions, SetupFailedError
from director.worktrees.seals import (
    SealedTree,
    Seals,
    TamperedError,
    copy,
    seals_of,
    size_of,
)
from director.worktrees.setups import SetupResult, Setups, contains_any
from director.worktrees.stalling_repositories import folders_in, remove_stalling
from director.worktrees.user_files import UserFiles

MAX_ATTEMPTS = 3


class _State(NamedTuple):
    """What is provided now. ``origin``: the tree that setup ran on, "" for one of the branch."""

    key: str
    user_files: UserFiles
    origin: str


class Sharing(NamedTuple):
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

    def provide(self, commit: str, index: PrivateIndex) -> bool:
        """Complete the worktree, which holds ``commit``; returns whether setup ran, or was copied.

        ``index`` knows its files. Raises SetupFailedError, and StoppedError when provisions are
        changed again and again while they are made.
        """
        problem = ""
        for _ in range(MAX_ATTEMPTS):
            try:
                user_files = self._all.user_files(self._made.parent)
                begins = not self._serves(commit, user_files)
                if begins:
                    self._begin(commit, index, user_files)
                else:
                    self._restore(index)
                self._builds.bring(self._path, index)
                return begins and bool(self._all.policy.setup)
            except TamperedError as error:
                self._state, problem = None, f"{error} was changed meanwhile"
                self._all.distrust(error.tree)
                if self._sharing:
                    self._sharing.setups.distrust(error.tree)
            except OSError as error:  # an agent may do anything: start over
                self._state, problem = None, str(error)
        raise StoppedError(f"cannot provide {self._path}: {problem}", "run the command again")

    def _restore(self, index: PrivateIndex) -> None:
        """Make what is provided here what it is restored from."""
        tracked = index.tracked(self._pristine.names)
        known = self._known if index.times_tell else {}
        self._known = self._pristine.restore_to(self._path, known, tracked)

    def _check_out(self, commit: str, index: PrivateIndex) -> None:
        """Undo what was done to tracked files."""
        whole = self._all.job.submodules.whole(commit)
        index.git.output("read-tree", "--reset", "-u", whole)

    def _serves(self, commit: str, user_files: UserFiles) -> bool:
        """Whether what is provided now is what ``commit`` needs."""
        state = self._state
        if state is None or state.user_files is not user_files:
            return False
        job = self._all.job
        if state.origin and state.origin == job.tree(self._all.setup_commit()):  # it merged
            self._state = state = state._replace(origin="")
        same = state.key == self._all.setup_key(commit)
        return same and (not state.origin or state.origin == job.tree(commit))

    def _begin(self, commit: str, index: PrivateIndex, user_files: UserFiles) -> None:
        self._state = None
        tip, key = self._all.setup_commit(), self._all.setup_key(commit)
        origin = tip if key == self._all.setup_key(tip) else commit
        for name in self._pristine.names:  # read-only folders, which stop git, among them
            discard_inside(self._path, name)
        self._check_out(origin, index)
        index.git.output("clean", "-ffdxq")
        self._all.job.submodules.make_folders(self._path, origin)
        self._pristine, self._known = user_files.tree, {}
        self._restore(index)
        if self._all.policy.setup:
            self._set_up(origin, index, user_files)
        if origin != commit:
            self._check_out(commit, index)
            self._restore(index)
        made_for = "" if origin == tip else self._all.job.tree(origin)
        self._state = _State(key, user_files, made_for)

    def _set_up(self, origin: str, index: PrivateIndex, user_files: UserFiles) -> None:
        """Take over what setup made in another worktree, or run it here."""
        key = self._all.setup_key(origin)
        merged = key == self._all.setup_key(self._all.setup_commit())
        if self._sharing is None or not merged:
            self._run_setup(origin, index, self._made, merged=merged)
            return
        setups = self._sharing.setups
        with setups.turn(key) as made:
            known = made if made and made.user_files is user_files else None
            if known is None and self._sharing.makes:
                built = self._run_setup(origin, index, setups.new_place(), merged=True)
                portable = not built and not self._names_itself(origin, user_files)
                setups.note(key, SetupResult(self._pristine, portable, user_files))
                return
        if known and known.portable:
            self._pristine = known.tree
            self._restore(index)
        else:
            self._run_setup(origin, index, self._made, merged=True)

    def _names_itself(self, origin: str, user_files: UserFiles) -> bool:
        """Whether what setup made is about the worktree that it was made in.

        All that is in the pool, and nothing else, has the name of the pool's folder in its path.
        """
        tree, pool = self._pristine, self._path.parent.parent.name
        words = [pool.encode(), pool.encode("utf-16-le"), *map(str.encode, OWN_VARIABLES)]
        found = contains_any(tree.root, tree.names, words, user_files.linked.root)
        return found or self._all.tells_slots_apart(origin)

    def _run_setup(self, origin: str, index: PrivateIndex, place: Path, *, merged: bool) -> bool:
        """Run setup and copy what it made to ``place``; returns whether it left builds."""
        with index.restored():
            result = self._all.run_setup(self._path, merged)
        if result.verdict is not Verdict.GREEN:
            raise SetupFailedError(result, self._all.withheld)
        self._check_out(origin, index)
        self._all.job.submodules.discard_repositories(self._path, origin)
        keep = self._all.policy.keep
        built = any(os.path.lexists(self._path / name) for name in keep)
        if merged:
            self.keep_builds()
        for name in keep:  # what a candidate built is for that candidate only
            discard_inside(self._path, name)
        remove_stalling(folders_in(self._path))
        others = split_z(index.git.output("ls-files", "-z", "--others", "--directory"))
        names = [path.rstrip("/") for path in others]
        discard(place)
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            copy(self._path / name, place / name)
        self._pristine = SealedTree.of(place, names)
        self._known = seals_of(self._path, names)
        return built

    def kept(self, trees: Trees) -> dict[str, Any] | None:
        """Return what the next command needs to know to continue; None: there is nothing."""
        if self._state is None:
            return None
        tree = trees.name_of(self._pristine)
        return {
            "key": self._state.key,
            "origin": self._state.origin,
            "tree": tree,
            "known": self._known,
        }

    def resume(self, kept: Mapping[str, Any], trees: Trees, user_files: UserFiles) -> None:
        """Continue with what an earlier command ``kept``, made with ``user_files``."""
        self._pristine = trees.named(kept["tree"])
        self._known = seals_from(kept["known"])
        self._state = _State(kept["key"], user_files, kept["origin"])

    def size(self) -> Size:
        """Return the size of what is provided now, a copy of its own to restore it included."""
        size = size_of(self._pristine.seals)
        copies = 2 if self._pristine.root == self._made else 1
        return Size(copies * size.files, copies * size.bytes)

    def keep_builds(self) -> None:
        """Keep the build folders as they are now for what runs in this lane next."""
        self._builds.keep(self._path, self._all.policy.keep)

    def covers(self, path: str) -> bool:
        """Whether a new path (a folder ends in "/") is, holds or belongs to what is provided."""
        plain = path.rstrip("/")
        if self._all.claims(plain) or os.path.lexists(self._made / plain):
            return True
        return self._sharing is not None and self._sharing.setups.holds(plain)


def _escaped(name: str) -> str:
    """Return a pattern of gitignore(5) that matches ``name`` alone."""
    return re.sub(r"([*?\[\]\\ ])", r"\\\1", name)
