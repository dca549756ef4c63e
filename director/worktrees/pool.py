"""The pool of one job's worktrees: made when needed, reused, removed or kept at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from director.model.errors import LostError
from director.model.sizes import Size
from director.model.slots import PREFIX as SLOT
from director.model.slots import name_of_slot, slot_number
from director.processes.machine import Room, free_disk
from director.processes.removal import discard
from director.records import files
from director.repositories.job_repository import JobRepository
from director.worktrees.filling import Templates, shares_blocks, size_of_tracked
from director.worktrees.kept import NOTE, Trees, read_note, write_note
from director.worktrees.provisions import Provisions
from director.worktrees.setups import SetupResult, Setups
from director.worktrees.worktree_provisions import Builds, Sharing, WorktreeProvisions
from director.worktrees.worktrees import Origin, Worktree


class Lane:
    """A worktree for agents and one for gates, of the same number. Used by one thread at a time.

    No agent can write in the one for gates, where agents are confined. Both are made when they
    are first reset.
    """

    def __init__(self, work: Worktree, gate: Worktree, builds: Builds) -> None:
        self.work = work
        self.gate = gate
        self.builds = builds


@dataclass(frozen=True)
class _Shared:
    """What the worktrees of a pool are filled from: checkouts, and what setup made."""

    templates: Templates
    setups: Setups


class Pool:
    """The lanes of one job: made when needed, given back after use.

    ``guarded``: nobody but director and gates can write in gates' worktrees and notes. Then they
    are what others are filled from, and what the next command continues with; otherwise every
    worktree is filled and prepared by itself, and nothing of it is kept.
    """

    def __init__(
        self,
        job: JobRepository,
        folder: Path,
        provisions: Provisions | None = None,
        *,
        guarded: bool = False,
    ) -> None:
        self._job = job
        self.provisions = provisions
        self.folder = folder
        for part in (self.agents, self._gates, self.notes):
            files.make_folder(part)
        self._shared = (
            _Shared(Templates(job.user.object_format), Setups(self.notes)) if guarded else None
        )
        left = {path.name for part in (self.agents, self._gates) for path in _slots(part)}
        for lock in self.notes.glob("*.lock"):  # of a killed git
            lock.unlink()
        self._free = [self._at(name) for name in sorted(left)]
        self._made = max((slot_number(Path(name)) or 0 for name in left), default=0)
        self._turn = threading.Lock()
        self._doubted = False
        note = read_note(self.notes) if guarded else None
        discard(self.notes / NOTE)  # what begins here is not what it says
        if note:
            self._resume(note)

    def set_up_on(self, setup_commit: Callable[[], str]) -> None:
        """Have setup commands run on what ``setup_commit`` returns, not on the tip itself."""
        if self.provisions:
            self.provisions.setup_commit = setup_commit

    @property
    def agents(self) -> Path:
        """The folder that holds the worktrees of agents."""
        return self.folder / "agents"

    @property
    def _gates(self) -> Path:
        return self.folder / "gates"

    @property
    def notes(self) -> Path:
        """The folder for what director itself keeps while the pool is open."""
        return self.folder / "notes"

    @contextmanager
    def lease(self, commit: str, *, bare: bool = False) -> Iterator[Worktree]:
        """Give a worktree for an agent that holds exactly ``commit``; nobody else has it.

        ``bare``: the agent only reads, so that nothing is provided for it.
        """
        with self.lane() as lane:
            lane.work.reset(commit, bare=bare)
            yield lane.work

    @contextmanager
    def lease_gate(self, commit: str) -> Iterator[Worktree]:
        """Give a worktree for a gate that holds exactly ``commit``; nobody else has it."""
        with self.lane() as lane:
            lane.gate.reset(commit)
            yield lane.gate

    @contextmanager
    def lane(self, reuse_path: Path | None = None) -> Iterator[Lane]:
        """Give a lane whose worktrees are to be reset before their first use; nobody else has it.

        ``reuse_path``: the lane of the agent's worktree there, as a killed run left it, where it
        still exists.
        """
        lane = self._left(reuse_path) or self._take()
        try:
            yield lane
        except LostError:  # what is lost may go on there: nobody gets that lane any more
            raise
        except BaseException:
            self._give_back(lane)
            raise
        self._give_back(lane)

    def _give_back(self, lane: Lane) -> None:
        with self._turn:
            self._free.append(lane)

    def _left(self, path: Path | None) -> Lane | None:
        with self._turn:
            for lane in self._free:
                if lane.work.path == path:
                    self._free.remove(lane)
                    return lane
        return None

    def _take(self) -> Lane:
        with self._turn:
            if self._free:
                return self._free.pop()
            self._made += 1
            return self._at(name_of_slot(self._made))

    def _at(self, name: str) -> Lane:
        builds = Builds(self.notes / f"{name}.kept")
        gate = self._worktree(self._gates / name, builds)
        return Lane(self._worktree(self.agents / name, builds, gate), gate, builds)

    def _worktree(self, path: Path, builds: Builds, gate: Worktree | None = None) -> Worktree:
        """Return the worktree for gates at ``path``, or that for agents beside ``gate``."""
        notes = self.notes / f"{path.parent.name}-{path.name}"
        shared = self._shared
        slot = None
        if self.provisions:
            sharing = Sharing(shared.setups, makes=gate is None) if shared else None
            slot = WorktreeProvisions(self.provisions, path, notes, builds, sharing)
        origin = Origin(shared.templates, gate) if shared else None
        return Worktree(path, notes, self._job, slot, origin)

    def room(self, commit: str) -> Room | None:
        """Return the disk that there is for lanes at ``commit``; None: nobody can tell.

        What one takes is measured by what is prepared, or else reckoned from the commit.
        """
        free = free_disk(self.folder)
        if free is None:
            return None
        with self._turn:
            lanes = list(self._free)
        sizes = [size for lane in lanes if (size := self._size_of(lane.gate))]
        size = sizes[0] if sizes else self._job.size(commit)
        given = self.provisions.size_given() if self.provisions else Size(0, 0)
        slots = [lane.gate.provided for lane in lanes if lane.gate.provided]
        provided = max((slot.size() for slot in slots), key=lambda one: one.bytes, default=given)
        share = self._shared is not None and shares_blocks(self.notes)
        each = sum(one.shared_bytes if share else one.bytes for one in (size, provided))
        return Room(2 * each, free, len(sizes))

    def forget_builds(self) -> None:
        """Forget what gates of earlier commands built: it is no evidence."""
        with self._turn:
            for lane in self._free:
                lane.builds.kept = None

    def doubt(self) -> None:
        """Note that what is provided may be incomplete: the next command provides it again.

        No key covers what setup finds on the machine, and the user is about to correct it.
        """
        self._doubted = True

    def keep(self, *, wanted: bool = True) -> None:
        """Note what the next command of the job can continue with, where that saves it something.

        That is when something is provided, or a checkout takes a while. No lane is in use. A note
        that is there is not director's: setup, and agents where nothing confines, can write one.
        """
        discard(self.notes / NOTE)
        if not wanted or self._shared is None or not self._is_worth_keeping():
            return
        trees = Trees(self.folder)
        worktrees = {self._name(tree): kept for tree in self._worktrees() if (kept := tree.kept())}
        note: dict[str, Any] = {
            "worktrees": worktrees,
            "provided": self._kept_provisions(trees),
            "trees": trees.to_json(),
        }
        indexes = (tree.index for tree in self._worktrees() if self._name(tree) in worktrees)
        places = {"/".join(name.split("/")[:2]) for name in note["trees"]}  # as they lie in a part
        places |= {path.relative_to(self.folder).as_posix() for path in indexes}
        places |= {*worktrees, f"{self.notes.name}/{NOTE}"}
        write_note(self.notes, {**note, "places": sorted(places)})

    def _kept_provisions(self, trees: Trees) -> dict[str, Any] | None:
        usable = self.provisions if not self._doubted else None
        given = usable.kept(trees) if usable else None
        if given is None:
            return None
        assert self._shared and self.provisions
        wanted = self.provisions.setup_key(self.provisions.setup_commit())
        made = self._shared.setups.get(wanted)
        slots = ((self._name(tree), tree.provided) for tree in self._worktrees())
        return {
            "given": given,
            "setups": {wanted: made.to_json(trees)} if made else {},
            "slots": {name: kept for name, slot in slots if slot and (kept := slot.kept(trees))},
            "builds": {
                lane.work.path.name: trees.name_of(lane.builds.kept)
                for lane in self._free
                if lane.builds.kept
            },
        }

    def _resume(self, note: Mapping[str, Any]) -> None:
        """Continue with what an earlier command of the job kept."""
        assert self._shared
        for worktree in self._worktrees():
            if kept := note["worktrees"].get(self._name(worktree)):
                worktree.resume(kept)
        said, trees = note["provided"], Trees(self.folder, note["trees"])
        given = self.provisions.resume(said["given"], trees) if self.provisions and said else None
        if not given or not self.provisions:
            return
        for key, made in said["setups"].items():
            self._shared.setups.note(key, SetupResult.from_json(made, trees, given))
        for lane in self._free:
            if name := said["builds"].get(lane.work.path.name):
                tree = trees.named(name)
                lane.builds.kept = tree if tree.names == self.provisions.policy.keep else None
        for worktree in self._worktrees():
            if worktree.provided and (kept := said["slots"].get(self._name(worktree))):
                worktree.provided.resume(kept, trees, given)

    def _worktrees(self) -> list[Worktree]:
        return [tree for lane in self._free for tree in (lane.gate, lane.work)]

    def _name(self, worktree: Worktree) -> str:
        return worktree.path.relative_to(self.folder).as_posix()

    def _is_worth_keeping(self) -> bool:
        if self.provisions:
            return any(worktree.kept() for worktree in self._worktrees())
        sizes = (self._size_of(lane.gate) or self._size_of(lane.work) for lane in self._free)
        return any(size.is_large for size in sizes if size)

    def _size_of(self, worktree: Worktree) -> Size | None:
        return size_of_tracked(worktree.index, self._job.user.object_format)


def _slots(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{SLOT}*[0-9]"))
