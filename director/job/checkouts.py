"""Clean checkouts of a finished job's commits, in a repository made for them alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from director.job.context import JobInputs
from director.job.job_worktrees import (
    JobWorktrees,
    WorktreesOptions,
    launcher_at,
    open_worktrees,
)
from director.job.switching import unswitched
from director.model.plan import Plan
from director.processes.removal import NotRemovedError, discard, discard_or_stop
from director.records.events import Events
from director.records.files import redact_file
from director.records.job_directory import JobDirectory
from director.records.worktrees_record import kept_worktrees, may_hold_work
from director.repositories.job_repository import JobRepository, create_job_repository
from director.repositories.repository import Repository
from director.worktrees.pool_folders import sweep_pool

OWN = "worktrees.json"  # the record of worktrees that nothing else uses


def sweep_checkouts(directory: JobDirectory, folder: Path, events: Events) -> None:
    """Remove what a killed command left of its clean checkouts; the caller has the job's lock."""
    _sweep(directory, folder, events)
    with suppress(NotRemovedError):
        discard(folder)


def _sweep(directory: JobDirectory, folder: Path, events: Events) -> None:
    if folder.is_symlink() or not folder.is_dir():  # whatever has that name is in the way
        discard_or_stop(folder)
    own = folder / OWN
    if may_hold_work(own):
        for log in directory.logs.glob("*"):  # it had no time to take the secrets out
            redact_file(log, directory.redactor)
    sweep_pool(own, events)


@contextmanager
def clean_checkouts(
    inputs: JobInputs, plan: Plan, tip: str, folder: Path
) -> Iterator[JobWorktrees]:
    """Give a repository made in ``folder`` for this, worktrees of it, and gates as a run has them.

    Its branch is at ``tip``. Worktrees that an earlier command of the job kept are used, and
    kept for the next one, but not what gates built in them. The job's own repository is left alone.
    Gates have the same variables, sandbox and provisions as in a run, and no secrets in their logs.
    The folder is gone afterwards.
    """
    directory = inputs.directory
    path, own = folder / "job.git", folder / OWN
    inputs.processes.sweep()  # what a killed command of the job left: the caller has its lock
    launcher_at(inputs, directory.repository).sweep()
    _sweep(directory, folder, inputs.workspace.events)
    record = directory.pool if kept_worktrees(directory.pool) else own
    borrowed = [directory.repository / "objects"] if directory.repository.is_dir() else []

    def create(user: Repository) -> JobRepository:
        return create_job_repository(path, user, plan.job_branch, tip, borrowed)

    try:
        options = WorktreesOptions(path, record, create, keeps=record != own)
        with unswitched(directory), open_worktrees(inputs, options) as worktrees:
            worktrees.pool.forget_builds()
            yield worktrees
    finally:
        with suppress(NotRemovedError):
            discard(folder)
