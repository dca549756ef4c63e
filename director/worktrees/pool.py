"""The pool of one job's worktrees: made when needed, reused, removed or kept at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from director.model.errors import LostError
from director.model.sizes import Size
from director.model.slots import PREFIX as SLOT
from director.model.slots import name_of_slot, slot_number
from director.processes.machine import Room, free_disk
from director.processes.removal import discard
from director.records import files
from director.repositories.job_repository import JobRepository
from director.worktrees.builds import Builds
from director.worktrees.filling import Templates
from director.worktrees.handover import Handover
from director.worktrees.lane import Lane
from director.worktrees.pool_note import NOTE, read_note, write_note
from director.worktrees.provisions import Provisions
from director.worktrees.seals import shares_blocks
from director.worktrees.setups import Setups
from director.worktrees.worktree import Origin, Worktree
from director.worktrees.worktree_provisions import Sharing, WorktreeProvisions


class Pool:
    """The lanes of one job: made when needed, given back after use.

    ``agents`` is the folder that holds the worktrees of agents, ``notes`` that for what director
    itself keeps of all of them.

    ``guarded``: only director and gates can write in gates' worktrees and notes. Then they
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
        self.agents, self._gates, self.notes = (folder / n for n in ("agents", "gates", "notes"))
        for part in (self.agents, self._gates, self.notes):
            files.make_folder(part)
        self._setups = Setups(self.notes) if guarded else None
        self._templates = Templates() if guarded else None
        left = {path.name for part in (self.agents, self._gates) for path in _slots(part)}
        for lock in self.notes.glob("*.lock"):  # of a killed git
            lock.unlink()
        self._free = [self._at(name) for name in sorted(left)]
        self._made = max((slot_number(Path(name)) or 0 for name in left), default=0)
        self._held = set[Path]()
        self._turn = threading.Lock()
        self._doubted = False
        note = read_note(self.notes) if guarded else None
        discard(self.notes / NOTE)  # what begins here is not what it says
        if note:
            self._handover().resume(note)

    def set_up_on(self, setup_commit: Callable[[], str]) -> None:
        """Have setup commands run on what ``setup_commit`` returns, not on the tip itself."""
        if self.provisions:
            self.provisions.setup_commit = setup_commit

    def hold(self, places: Iterable[Path]) -> None:
        """Give the worktrees of agents at ``places`` only to who names them.

        They hold what calls of an earlier run wrote.
        """
        self._held.update(places)

    @contextmanager
    def lease(self, commit: str, *, bare: bool = False) -> Iterator[Worktree]:
        """Give a worktree for an agent that holds exactly ``commit``, to this caller alone.

        ``bare``: the agent only reads, so that nothing is provided for it.
        """
        with self.lane() as lane:
            lane.work.reset(commit, bare=bare)
            yield lane.work

    @contextmanager
    def lease_gate(self, commit: str) -> Iterator[Worktree]:
        """Give a worktree for a gate that holds exactly ``commit``, to this caller alone."""
        with self.lane() as lane:
            lane.gate.reset(commit)
            yield lane.gate

    @contextmanager
    def lane(self, reuse_path: Path | None = None) -> Iterator[Lane]:
        """Give a lane, to this caller alone; its worktrees are to be reset before their first use.

        ``reuse_path``: the lane of the agent's worktree there, as a killed run left it, where it
        still exists.
        """
        lane = self._left(reuse_path) or self._take()
        try:
            yield lane
        except LostError:  # what is lost may still run there: the lane is not used again
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
                    self._held.discard(path)
                    return lane
        return None

    def _take(self) -> Lane:
        with self._turn:
            for lane in reversed(self._free):  # in the last one given back least has to change
                if lane.work.path not in self._held:
                    self._free.remove(lane)
                    return lane
            self._made += 1
            return self._at(name_of_slot(self._made))

    def _at(self, name: str) -> Lane:
        builds = Builds(self.notes / f"{name}.kept")
        gate = self._worktree(self._gates / name, builds)
        return Lane(self._worktree(self.agents / name, builds, gate), gate, builds)

    def _worktree(self, path: Path, builds: Builds, gate: Worktree | None = None) -> Worktree:
        """Return the worktree for gates at ``path``, or that for agents beside ``gate``."""
        notes = self.notes / f"{path.parent.name}-{path.name}"
        slot = None
        if self.provisions:
            sharing = Sharing(self._setups, makes=gate is None) if self._setups else None
            slot = WorktreeProvisions(self.provisions, path, notes, builds, sharing)
        origin = Origin(self._templates, gate) if self._templates else None
        return Worktree(path, notes, self._job, slot, origin)

    def room(self, commit: str) -> Room | None:
        """Return the disk that there is for lanes at ``commit``; None: not known.

        What one takes is measured by what is prepared, or else reckoned from the commit.
        """
        free = free_disk(self.folder)
        if free is None:
            return None
        with self._turn:
            lanes = list(self._free)
        sizes = [size for lane in lanes if (size := lane.gate.size())]
        size = sizes[0] if sizes else self._job.size(commit)
        of_user = self.provisions.size_of_user_files() if self.provisions else Size(0, 0)
        slots = [lane.gate.provisions for lane in lanes if lane.gate.provisions]
        provided = max((slot.size() for slot in slots), key=lambda one: one.bytes, default=of_user)
        share = self._setups is not None and shares_blocks(self.notes)
        tracked = size.shared_bytes if share and size.is_large else size.bytes
        each = tracked + (provided.shared_bytes if share else provided.bytes)
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
        if not wanted or self._setups is None or not self._is_worth_keeping():
            return
        write_note(self.notes, self._handover().note(doubted=self._doubted))

    def _handover(self) -> Handover:
        assert self._setups
        return Handover(self.folder, self._free, self._setups, self.provisions)

    def _worktrees(self) -> list[Worktree]:
        return [tree for lane in self._free for tree in (lane.gate, lane.work)]

    def _is_worth_keeping(self) -> bool:
        if self.provisions:
            return any(worktree.kept() for worktree in self._worktrees())
        sizes = (lane.gate.size() or lane.work.size() for lane in self._free)
        return any(size.is_large for size in sizes if size)


def _slots(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{SLOT}*[0-9]"))
