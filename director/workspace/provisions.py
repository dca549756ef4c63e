"""Provisions: what a worktree holds besides its commit, so that tests can run in it.

Copies and links of the user's files, what the setup command makes, and build folders. A gate sees
them as director provided them, whatever an agent or an earlier gate did to them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from director.model.config import WorktreePolicy
from director.model.errors import RequestError, StoppedError
from director.workspace.gates import GateResult, Verdict
from director.workspace.git import Git, split_z
from director.workspace.given import Given, Sources, lies_in, names_given, originals_of, take
from director.workspace.job_repository import JobRepository
from director.workspace.kept import Trees, seals_from, seals_json
from director.workspace.objects import GITLINK_MODE
from director.workspace.removal import discard
from director.workspace.sealed import (
    SealedTree,
    Seals,
    Size,
    TamperedError,
    Tracked,
    copy,
    leads,
    seals_of,
    size_of,
)
from director.workspace.setups import Made, Setups, says_any
from director.workspace.slots import OWN_VARIABLES
from director.workspace.stalling import folders_in, remove_stalling
from director.workspace.submodules import GIT

TRIES = 3
SHOWN_NAMES = 5

RunSetup = Callable[[Path, bool], GateResult]
"""Runs the setup command in a worktree, which holds what merged, or else a candidate."""


class SetupFailedError(StoppedError):
    """The setup command did not end with 0: nobody's attempt. ``result`` is how it ended.

    ``withheld`` are the names of the variables that it did not get.
    """

    def __init__(self, result: GateResult, withheld: Sequence[str] = ()) -> None:
        kept = f" (it did not get {_listed(withheld)})" if withheld else ""
        names = ", ".join(f'"{name}"' for name in withheld[:SHOWN_NAMES])
        give = f" (`pass = [{names}]` in [env] gives it these variables)" if withheld else ""
        super().__init__(
            f"the setup of a worktree failed: `{result.command}`: {result.failure}{kept}",
            f"see {result.log}; correct `setup` in [worktree], or what it needs{give}, then run "
            "the command again",
        )
        self.result = result


class Provisions:
    """What all worktrees of one command are provided with. Callable from any thread.

    ``withheld`` are the names of the variables that setup does not see.
    """

    def __init__(
        self,
        policy: WorktreePolicy,
        sources: Sources,
        job: JobRepository,
        run_setup: RunSetup,
        withheld: Sequence[str] = (),
    ) -> None:
        self.policy = policy
        self.sources = sources
        self.job = job
        self.run_setup = run_setup
        self.withheld = withheld
        self._keys: dict[str, str] = {}
        self._given: Given | None = None
        self._turn = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The paths that the user's working tree gives, and the build folders."""
        return (*self.sources.roots, *self.sources.linked, *self.policy.keep)

    def claims(self, path: str) -> bool:
        """Whether ``path`` is one of ``names``, or in one, or in its way."""
        return lies_in(path, self.names) or any(lies_in(name, [path]) for name in self.names)

    def refuse_tracked(self, commit: str) -> None:
        """Raise RequestError when ``commit`` itself holds what is to be provided."""
        names = (*self.policy.copy, *self.policy.link, *self.policy.keep)
        if not names:
            return
        listed = ("ls-tree", "-r", "-z", "--full-tree", commit, "--", *names)
        lines = (line.partition("\t") for line in split_z(self.job.git.output(*listed)))
        if tracked := [path for kind, _, path in lines if not kind.startswith(GITLINK_MODE)]:
            raise RequestError(
                f"[worktree] names {', '.join(tracked[:5])}, which git tracks: "
                "every worktree has it anyway",
                "take it out of `copy`, `link` or `keep`",
            )

    def given(self, pool: Path) -> Given:
        """Return the copy of the user's files in ``pool``; taken again when somebody changed it."""
        with self._turn:
            if self._given is None or not self._given.linked.intact():
                links = self.job.submodules.of(self.job.tip()).links
                self._given = take(self.sources, pool, [f"{link.path}/{GIT}" for link in links])
            return self._given

    def kept(self, trees: Trees) -> dict[str, Any] | None:
        """Return what the next command needs to know of the copy of the user's files, if any."""
        with self._turn:
            given = self._given
        if given is None or given.originals is None or not given.linked.intact():
            return None
        return {
            "tree": trees.name_of(given.tree),
            "linked": trees.name_of(given.linked),
            "originals": seals_json(given.originals),
        }

    def resume(self, kept: Mapping[str, Any], trees: Trees) -> Given | None:
        """Go on with an earlier command's copy of the user's files; None: they are others now."""
        originals = seals_from(kept["originals"])
        given = Given(trees.named(kept["tree"]), trees.named(kept["linked"]), originals)
        roots, linked = names_given(self.sources)
        same = (given.tree.names, given.linked.names) == (roots, linked)
        if not same or originals_of(self.sources) != originals or not given.linked.intact():
            return None
        with self._turn:
            self._given = given
        return given

    def size_given(self) -> Size:
        """Return the size of what the user's working tree gives to each worktree."""
        copied = seals_of(self.sources.repository, self.sources.copied)
        return size_of(copied)

    def distrust(self, tree: SealedTree) -> None:
        """Note that somebody changed the copy of the user's files, if it is ``tree``."""
        with self._turn:
            if self._given is not None and self._given.tree is tree:
                self._given = None

    def tells_slots_apart(self, commit: str) -> bool:
        """Whether setup may do something else in another slot: it, or the commit, names a variable.

        What it does for one outside of the worktree (a database of its own) no file says.
        """
        if any(name in self.policy.setup for name in OWN_VARIABLES):
            return True
        named = (word for name in OWN_VARIABLES for word in ("-e", name))
        return self.job.git.ok("grep", "--quiet", "--fixed-strings", *named, commit)

    def setup_key(self, commit: str) -> str:
        """Return what decides whether setup runs again: its command, its inputs in ``commit``."""
        if not self.policy.setup:
            return ""
        if commit not in self._keys:
            about = json.dumps([self.policy.setup, *self._inputs(commit)])
            self._keys[commit] = hashlib.sha256(about.encode()).hexdigest()
        return self._keys[commit]

    def _inputs(self, commit: str) -> list[str]:
        """Return mode, object id and path of the setup inputs in ``commit``."""
        globs = self.policy.setup_inputs
        if not globs:
            return []
        plain = not any(re.search(r"[*?\[]", glob) for glob in globs)
        narrowed = ("--", *globs) if plain else ()
        listed = ("ls-tree", "-r", "-z", "--full-tree", commit, *narrowed)
        lines = split_z(self.job.git.output(*listed))
        return sorted(line for line in lines if _matches(line.partition("\t")[2], globs))


def _matches(path: str, globs: Iterable[str]) -> bool:
    return any(lies_in(path, [glob]) or fnmatchcase(path, glob) for glob in globs)


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


class Slot:
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
        merged = key == self._all.setup_key(self._all.job.tip())
        return merged and not ready and self._sharing.setups.get(key) is None

    def provide(self, commit: str, git: Git) -> bool:
        """Complete the worktree, which holds ``commit``; returns whether anything was made anew.

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
                    self._known = self._pristine.lay_out(self._path, self._known, tracked)
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
        if state.origin and state.origin == job.tree(job.tip()):  # it merged
            self._state = state = replace(state, origin="")
        same = state.key == self._all.setup_key(commit)
        return same and (not state.origin or state.origin == job.tree(commit))

    def _begin(self, commit: str, git: Git, given: Given) -> None:
        self._state = None
        tip, key = self._all.job.tip(), self._all.setup_key(commit)
        origin = tip if key == self._all.setup_key(tip) else commit
        for name in self._pristine.names:  # read-only folders, which stop git, among them
            _discard_in(self._path, name)
        submodules = self._all.job.submodules
        git.output("read-tree", "--reset", "-u", submodules.whole(origin))
        git.output("clean", "-ffdxq")
        submodules.lay_folders(self._path, origin)
        tracked = self._tracked(git, given.tree.names)
        self._pristine = given.tree
        self._known = given.tree.lay_out(self._path, {}, tracked)
        if self._all.policy.setup:
            self._set_up(origin, key, git, given)
        if origin != commit:
            git.output("read-tree", "--reset", "-u", submodules.whole(commit))
            tracked = self._tracked(git, self._pristine.names)
            self._known = self._pristine.lay_out(self._path, self._known, tracked)
        made_for = "" if origin == tip else self._all.job.tree(origin)
        self._state = _State(key, given, made_for)

    def _set_up(self, origin: str, key: str, git: Git, given: Given) -> None:
        """Take over what setup made in another worktree, or run it here."""
        merged = key == self._all.setup_key(self._all.job.tip())
        if self._sharing is None or not merged:
            self._run_setup(origin, git, self._made, merged=merged)
            return
        setups = self._sharing.setups
        with setups.turn(key) as made:
            known = made if made and made.given is given else None
            if known is None and self._sharing.makes:
                built = self._run_setup(origin, git, setups.new_place(), merged=True)
                portable = not built and not self._names_itself(origin, given)
                setups.note(key, Made(self._pristine, portable, given))
                return
        if known and known.portable:
            tracked = self._tracked(git, known.tree.names)
            self._pristine = known.tree
            self._known = known.tree.lay_out(self._path, self._known, tracked)
        else:
            self._run_setup(origin, git, self._made, merged=True)

    def _names_itself(self, origin: str, given: Given) -> bool:
        """Whether what setup made is about the worktree that it was made in.

        All that is in the pool, and nothing else, has the name of the pool's folder in its path.
        """
        tree, pool = self._pristine, self._path.parent.parent.name
        words = [pool.encode(), pool.encode("utf-16-le"), *map(str.encode, OWN_VARIABLES)]
        found = says_any(tree.root, tree.names, words, given.linked.root)
        return found or self._all.tells_slots_apart(origin)

    def _run_setup(self, origin: str, git: Git, place: Path, *, merged: bool) -> bool:
        """Run setup and copy what it made to ``place``; returns whether it left builds."""
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
            if leads(self._path, name) and place.is_dir() and not place.is_symlink():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                place.rename(folder / name)
        self._builds.kept = SealedTree.of(folder, keep)

    def _bring_builds(self, git: Git) -> None:
        """Put in a copy of what was kept; nothing, when somebody changed it meanwhile."""
        kept = self._builds.kept
        if kept is None:
            return
        try:
            kept.lay_out(self._path, {}, self._tracked(git, kept.names))
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


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN_NAMES
    return f"{', '.join(names[:SHOWN_NAMES])}{f' and {more} more' if more > 0 else ''}"


def _discard_in(root: Path, name: str) -> None:
    if leads(root, name):
        discard(root / name)


def _escaped(name: str) -> str:
    """Return a pattern of gitignore(5) that matches ``name`` alone."""
    return re.sub(r"([*?\[\]\\ ])", r"\\\1", name)
