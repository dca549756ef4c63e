"""The pool of one job's worktrees: made when needed, reused, removed at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from director.records import files
from director.records.events import Events, Kind
from director.workspace.job_repository import JobRepository
from director.workspace.provisions import Builds, Provisions, Slot
from director.workspace.removal import NotRemovedError, discard
from director.workspace.slots import PREFIX as SLOT
from director.workspace.slots import name_of_slot, slot_number
from director.workspace.worktrees import Worktree

OWN = "director"
PREFIX = "job-"  # of the folder of one job's worktrees


class Lane:
    """A worktree for agents and one for gates, of the same number. Used by one thread at a time.

    No agent can write in the one for gates, where agents are confined. Both are made when they
    are first reset.
    """

    def __init__(self, work: Worktree, gate: Worktree) -> None:
        self.work = work
        self.gate = gate


class Pool:
    """The lanes of one job: made when needed, given back after use, removed at the end."""

    def __init__(
        self, job: JobRepository, folder: Path, provisions: Provisions | None = None
    ) -> None:
        self._job = job
        self.provisions = provisions
        self.folder = folder
        for part in (self.agents, self._gates, self.notes):
            files.make_folder(part)
        left = {path.name for part in (self.agents, self._gates) for path in _slots(part)}
        for lock in self.notes.glob("*.lock"):  # of a killed git
            lock.unlink()
        self._free = [self._at(name) for name in sorted(left)]
        self._made = max((slot_number(Path(name)) or 0 for name in left), default=0)
        self._turn = threading.Lock()

    def set_up_on(self, settled: Callable[[], str]) -> None:
        """Have setup commands run on the commit that ``settled`` returns, not on the tip itself."""
        if self.provisions:
            self.provisions.settled = settled

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
    def lease(self, commit: str) -> Iterator[Worktree]:
        """Give a worktree for an agent that holds exactly ``commit``; nobody else has it."""
        with self.lane() as lane:
            lane.work.reset(commit)
            yield lane.work

    @contextmanager
    def lease_gate(self, commit: str) -> Iterator[Worktree]:
        """Give a worktree for a gate that holds exactly ``commit``; nobody else has it."""
        with self.lane() as lane:
            lane.gate.reset(commit)
            yield lane.gate

    @contextmanager
    def lane(self, left_at: Path | None = None) -> Iterator[Lane]:
        """Give a lane whose worktrees are to be reset before their first use; nobody else has it.

        ``left_at``: the lane of the agent's worktree there, as a killed run left it, where it
        still exists.
        """
        lane = self._left(left_at) or self._take()
        try:
            yield lane
        finally:
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
        work, gate = (self._worktree(part / name, builds) for part in (self.agents, self._gates))
        return Lane(work, gate)

    def _worktree(self, path: Path, builds: Builds) -> Worktree:
        notes = self.notes / f"{path.parent.name}-{path.name}"
        slot = Slot(self.provisions, path, notes, builds) if self.provisions else None
        return Worktree(path, notes, self._job, slot)


def _slots(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{SLOT}*[0-9]"))


@contextmanager
def pool_folder(
    record: Path, env: Mapping[str, str], events: Events | None = None
) -> Iterator[Path]:
    """Give the folder for the worktrees of a job, and remove it afterwards.

    ``events`` are told what cannot be removed.

    ``record`` notes where it is: after a crash the next run continues in it, because worktrees
    may hold work that is paid for.
    """
    folder = _noted_folder(record)
    if folder is None or not folder.is_dir():
        sweep_pool(record, events)
        folder = _new_folder(record, env)
    try:
        yield folder
    finally:
        _remove(folder, events)  # whatever the record says now, if it is still there
        record.unlink(missing_ok=True)


def sweep_pool(record: Path, events: Events | None = None) -> None:
    """Remove the worktrees noted at ``record``, if any; ``events`` are told what stays of them."""
    if folder := _noted_folder(record):
        _remove(folder, events)
    record.unlink(missing_ok=True)


def _remove(folder: Path, events: Events | None) -> None:
    try:
        discard(folder)
    except NotRemovedError as error:
        what = f"cannot be removed: {error.filename}, which something that ran here left"
        advice = f"remove it with more rights, for example `sudo rm -rf {folder}`"
        (events or Events()).emit(Kind.NOTICE, message=f"{what}; {advice}")


def _noted_folder(record: Path) -> Path | None:
    noted = (files.read_json(record) or {}).get("folder")
    folder = Path(noted) if isinstance(noted, str) else Path()
    ours = folder.parent.name == OWN and folder.name.startswith(PREFIX)
    return folder if ours and os.path.lexists(folder) else None


def _new_folder(record: Path, env: Mapping[str, str]) -> Path:
    parent = worktrees_folder(env)
    with files.explained(parent):
        files.make_folder(parent)
    folder = parent.resolve() / f"{PREFIX}{os.urandom(6).hex()}"
    files.write_json(record, {"folder": str(folder)})  # before it is there: a kill leaves none
    with files.explained(folder):
        folder.mkdir(mode=0o700)
    return folder


def worktrees_folder(env: Mapping[str, str]) -> Path:
    """Return the user's folder for worktrees (XDG Base Directory Specification, state).

    Not that for caches: where processes are confined nothing new can be made in the folders on
    the way to what is kept, and tools make their caches there.
    """
    base = env.get("XDG_STATE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".local/state")
    return Path(base) / OWN
