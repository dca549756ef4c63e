"""Removing the prepared worktrees that are kept for the jobs of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from director.model.errors import StoppedError
from director.records.job_directory import Home, JobDirectory
from director.records.known_jobs import all_jobs
from director.records.lock import job_lock
from director.records.worktrees_record import (
    KeptWorktrees,
    kept_worktrees,
    may_hold_work,
    noted_folder,
)
from director.worktrees.pool_folders import free_kept


@dataclass(frozen=True)
class Cleaning:
    """What was removed, and what stays: a command works in it, or a killed one left work there."""

    removed: tuple[KeptWorktrees, ...]
    in_use: tuple[Path, ...]
    left_by_killed: tuple[Path, ...]

    @property
    def freed_bytes(self) -> int:
        """What the removed folders took on disk; blocks that files share count for each."""
        return sum(one.bytes for one in self.removed)


def clean_jobs(home: Home, begins: Callable[[KeptWorktrees], None]) -> Cleaning:
    """Remove what is kept for the current job, for archived ones and for those of benches.

    ``begins`` is told of each folder before it is removed, which may take a minute. Raises
    StoppedError when a command works on the current job, or when something stays that needs more
    rights.
    """
    removed: list[KeptWorktrees] = []
    in_use: list[Path] = []
    killed: list[Path] = []
    with ExitStack() as locks:
        if home.path.is_dir():
            locks.enter_context(job_lock(home.job.lock, "director clean"))
        for directory in all_jobs(home):
            folder = noted_folder(directory.pool)
            if folder is None:
                continue
            if not _is_free(directory, home, locks):
                in_use.append(folder)
            elif may_hold_work(directory.pool):
                killed.append(folder)
            elif freed := free_kept(directory.pool, begins):
                removed.append(freed)
            elif kept_worktrees(directory.pool):
                in_use.append(folder)
    return Cleaning(tuple(removed), tuple(in_use), tuple(killed))


def kept_now(home: Home) -> Iterator[KeptWorktrees]:
    """Give what is kept now, as ``clean_jobs`` would find it."""
    for directory in all_jobs(home):
        if kept := kept_worktrees(directory.pool):
            yield kept


def _is_free(directory: JobDirectory, home: Home, locks: ExitStack) -> bool:
    """Whether no command works on the job; then none can until ``locks`` are given back."""
    if directory.path == home.path:
        return True
    try:
        locks.enter_context(job_lock(directory.lock, "director clean"))
    except StoppedError:
        return False
    return True
