"""Removing whole jobs: the branch, the worktrees, the records and the logs.

The branch goes first: where it is not what was shown, nothing of the job goes. The records go last,
all at once: until then they name what is left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from director.model.errors import StoppedError
from director.processes.removal import discard_or_stop
from director.records import files
from director.records.events import Events
from director.records.job_directory import Home, JobDirectory
from director.records.known_jobs import KnownJob, Where, benches, groups, known_jobs
from director.records.lock import job_lock
from director.records.taken_nodes import TakenNode, forget_taken
from director.repositories.branches import remove_branch
from director.repositories.git import Git
from director.worktrees.pool_folders import sweep_pool
from director.worktrees.taken_folders import remove_taken_folder

PURPOSE = "director clean"
GONE = ".removed-"  # of a folder of records that is being removed


@dataclass(frozen=True)
class Removal:
    """A job that is to go: with its ``branch`` ("": none) where that is at ``tip``.

    ``branch_kept`` says why the branch stays ("": it does not). ``taken`` are nodes that people
    have: their worktrees go, too.
    """

    job: KnownJob
    branch: str
    tip: str
    branch_kept: str = ""
    taken: tuple[TakenNode, ...] = ()


@dataclass(frozen=True)
class Removed:
    """What became of a job: ``kept`` says why it stays ("": it is gone).

    ``branch_kept`` says why its branch does ("": it is gone, or there was none).
    """

    job_id: str
    kept: str = ""
    branch_kept: str = ""


@contextmanager
def whole_repository(home: Home) -> Iterator[None]:
    """Keep other commands from the current job, and so from changing which one that is."""
    with ExitStack() as locks:
        if home.path.is_dir():
            locks.enter_context(job_lock(home.job.lock, PURPOSE))
        yield


def remove_jobs(
    home: Home, git: Git, removals: Sequence[Removal], events: Events
) -> Iterator[Removed]:
    """Remove jobs, and give what became of each as soon as it is known.

    For the holder of ``whole_repository``. The plan of a bench comes after its other jobs: they
    read its objects, so it stays where one of them does. ``events`` are told what stays of a job.
    """
    _remove_left_over(home)
    there = {one.id: one.directory.path for one in known_jobs(home)}
    kept: set[Path | None] = set()
    for one in sorted(removals, key=lambda removal: removal.job.is_bench_plan):
        if there.get(one.job.id) != one.job.directory.path:
            yield Removed(one.job.id, "it was moved or removed meanwhile")
            continue
        if one.job.is_bench_plan and one.job.group in kept:
            yield Removed(one.job.id, "a job of its bench stays")
            continue
        done = _removed(home, git, one, events)
        if done.kept:
            kept.add(one.job.group)
        yield done


def _removed(home: Home, git: Git, removal: Removal, events: Events) -> Removed:
    try:
        with ExitStack() as locks:
            for lock in _locks(home, removal.job):
                locks.enter_context(job_lock(lock, PURPOSE))
            return _remove(home, git, removal, events)
    except StoppedError as error:
        return Removed(removal.job.id, f"{error.what}; {error.next_step}")


def _locks(home: Home, job: KnownJob) -> Iterator[Path]:
    """Give the locks under which a command may work on a job; that of the current one is held."""
    if job.bench == home.bench:
        yield home.bench / "lock"
    if job.where is not Where.CURRENT:
        yield job.directory.lock


def _remove(home: Home, git: Git, removal: Removal, events: Events) -> Removed:
    directory, branch_kept = removal.job.directory, removal.branch_kept
    goes = removal.branch and not branch_kept
    if goes and (why := remove_branch(git, removal.branch, removal.tip)):
        return Removed(removal.job.id, f"its branch was not removed: {why}")
    for taken in removal.taken:
        remove_taken_folder(Path(taken.folder))
        forget_taken(directory, taken.node)
    sweep_pool(directory.pool, events)
    _remove_records(home, removal.job)
    return Removed(removal.job.id, branch_kept=branch_kept)


def _remove_records(home: Home, job: KnownJob) -> None:
    """Remove the records; those of the current job as those of an archived one."""
    folder = home.job.archive(job.id) if job.where is Where.CURRENT else job.directory.path
    aside = folder.with_name(f"{GONE}{os.urandom(6).hex()}")
    with files.os_errors_stop(folder):
        folder.rename(aside)
    discard_or_stop(aside)
    for one in _rest(home, job):
        discard_or_stop(one)


def _rest(home: Home, job: KnownJob) -> list[Path]:
    """Return what a bench has besides jobs, when the last one of it, or of a task, was removed."""
    if not (job.is_bench_plan and job.bench and job.group):
        return []
    if any(one.bench == job.bench for one in known_jobs(home)):
        return [job.group] if job.group != job.bench else []
    return JobDirectory(job.bench).records() if job.bench == home.bench else [job.bench]


def _remove_left_over(home: Home) -> None:
    """Remove records that a killed command began to remove."""
    in_benches = [group for bench in benches(home) for group in groups(bench)]
    for place in (home.path / "jobs", *in_benches, *(group / "runs" for group in in_benches)):
        for folder in place.glob(f"{GONE}*"):
            discard_or_stop(folder)
