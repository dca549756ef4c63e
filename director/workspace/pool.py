"""The pool of one job's worktrees: made when needed, reused, removed at the end."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from director.records import files
from director.records.events import Events, Kind
from director.workspace.job_repository import JobRepository
from director.workspace.provisions import Provisions, Slot
from director.workspace.removal import NotRemovedError, discard
from director.workspace.slots import PREFIX as SLOT
from director.workspace.slots import slot_number
from director.workspace.worktrees import Worktree

CACHE = "director"
PREFIX = "job-"  # of the folder of one job's worktrees


class Pool:
    """The worktrees of one job: made when needed, given back after use, removed at the end."""

    def __init__(
        self, job: JobRepository, folder: Path, provisions: Provisions | None = None
    ) -> None:
        self._job = job
        self.provisions = provisions
        self._folder = folder
        self._free = [self._adopted(path) for path in sorted(folder.glob(f"{SLOT}*[0-9]"))]
        self._made = max((slot_number(one.path) or 0 for one in self._free), default=0)
        self._turn = threading.Lock()

    @property
    def folder(self) -> Path:
        """The folder that holds the worktrees."""
        return self._folder

    def _adopted(self, path: Path) -> Worktree:
        """Return a worktree that a killed run left, as it left it."""
        for lock in self._folder.glob(f"{path.name}.*.lock"):
            lock.unlink()
        return self._at(path)

    @contextmanager
    def lease(self, commit: str) -> Iterator[Worktree]:
        """Give a worktree that holds exactly ``commit``; nobody else has it meanwhile."""
        with self.lease_as_it_is() as worktree:
            worktree.reset(commit)
            yield worktree

    @contextmanager
    def lease_as_it_is(self, left_at: Path | None = None) -> Iterator[Worktree]:
        """Give a worktree for one who resets it before the first use; nobody else has it meanwhile.

        ``left_at``: the worktree there, as a killed run left it, where it still exists.
        """
        worktree = self._left(left_at) or self._take()
        try:
            yield worktree
        finally:
            with self._turn:
                self._free.append(worktree)

    def _left(self, path: Path | None) -> Worktree | None:
        with self._turn:
            for worktree in self._free:
                if worktree.path == path:
                    self._free.remove(worktree)
                    return worktree
        return None

    def _take(self) -> Worktree:
        with self._turn:
            if self._free:
                return self._free.pop()
            self._made += 1
            return self._at(self._folder / f"{SLOT}{self._made}")

    def _at(self, path: Path) -> Worktree:
        slot = Slot(self.provisions, path) if self.provisions else None
        return Worktree(path, self._job.path / "worktrees" / path.name, self._job, slot)


@contextmanager
def open_pool(
    job: JobRepository,
    record: Path,
    env: Mapping[str, str],
    provisions: Provisions | None = None,
    events: Events | None = None,
) -> Iterator[Pool]:
    """Give the pool of a job, and remove it afterwards; ``events`` are told what stays.

    ``record`` notes where the worktrees are: after a crash the next run goes on in them, because
    they may hold work that is paid for.
    """
    folder = _noted_folder(record)
    if folder is None or not folder.is_dir():
        sweep_pool(record, events)
        folder = _new_folder(record, env)
    try:
        yield Pool(job, folder, provisions)
    finally:
        sweep_pool(record, events)
        if job.path.is_dir():  # else an agent removed it, and that is what is to be said
            discard(job.path / "worktrees")


def sweep_pool(record: Path, events: Events | None = None) -> None:
    """Remove the worktrees noted at ``record``, if any; ``events`` are told what stays of them."""
    if folder := _noted_folder(record):
        try:
            discard(folder)
        except NotRemovedError as error:
            what = f"cannot be removed: {error.filename}, which something that ran here left"
            advice = f"remove it with more rights, for example `sudo rm -rf {folder}`"
            (events or Events()).emit(Kind.NOTICE, message=f"{what}; {advice}")
    record.unlink(missing_ok=True)


def _noted_folder(record: Path) -> Path | None:
    noted = (files.read_json(record) or {}).get("folder")
    folder = Path(noted) if isinstance(noted, str) else Path()
    ours = folder.parent.name == CACHE and folder.name.startswith(PREFIX)
    return folder if ours and os.path.lexists(folder) else None


def _new_folder(record: Path, env: Mapping[str, str]) -> Path:
    parent = cache_folder(env)
    with files.explained(parent):
        files.make_folder(parent)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
    files.write_json(record, {"folder": str(folder)})
    return folder


def cache_folder(env: Mapping[str, str]) -> Path:
    """Return the user's cache folder for director (XDG Base Directory Specification)."""
    base = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME") or Path.home()) / ".cache")
    return Path(base) / CACHE
