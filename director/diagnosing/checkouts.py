"""Worktrees for a diagnosis: as a job would have them, beside all jobs, gone afterwards."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from director.diagnosing.subject import Found
from director.job.base_tests import Base
from director.job.context import JobInputs, Workspace
from director.job.job_worktrees import JobWorktrees, WorktreesOptions, open_worktrees
from director.model.errors import DirectorError
from director.model.patterns import lazy_pattern
from director.processes.removal import discard
from director.records.job_directory import JobDirectory
from director.records.lock import is_held, job_lock
from director.repositories.job_repository import JobRepository, create_job_repository
from director.repositories.repository import BRANCH_PREFIX, Repository
from director.worktrees.pool_folders import pool_environment, sweep_pool, worktrees_folder

NAME = lazy_pattern(r"doctor-[0-9a-f]{12}")


@dataclass(frozen=True)
class Checkouts:
    """A commit of the user's in worktrees, and what runs in them."""

    inputs: JobInputs
    worktrees: JobWorktrees
    base: Base


@contextmanager
def open_checkouts(found: Found, commit: str) -> Iterator[Checkouts]:
    """Give worktrees of ``commit``, with sandbox, provisions and variables as a job has them.

    Nothing is written into the user's repository, and all of it is removed afterwards. Raises what
    ``open_worktrees`` does.
    """
    subject, config = found.subject, found.settings.config
    name = f"doctor-{secrets.token_hex(6)}"
    folder = worktrees_folder(pool_environment(config.launcher, subject.env)) / name
    directory = JobDirectory(folder, subject.redactor)
    workspace = Workspace(
        found.repository,
        found.home,
        subject.env,
        subject.events,
        subject.cancellation,
        told=set(),
        opened=[],
        keeps_worktrees=False,
    )

    def create(user: Repository) -> JobRepository:
        branch = f"{BRANCH_PREFIX}{name}"
        return create_job_repository(directory.repository, user, branch, commit)

    try:
        with job_lock(directory.lock, "director doctor"):
            inputs = JobInputs.of(workspace, directory, config, name)
            options = WorktreesOptions(directory.repository, directory.pool, create, keeps=False)
            with open_worktrees(inputs, options) as worktrees:
                yield Checkouts(inputs, worktrees, _base(found, inputs, worktrees, commit))
    finally:
        with suppress(DirectorError):
            sweep_pool(directory.pool)
        shutil.rmtree(folder, ignore_errors=True)


def _base(found: Found, inputs: JobInputs, worktrees: JobWorktrees, commit: str) -> Base:
    return Base(
        commit,
        found.repository,
        worktrees.repository,
        worktrees.pool,
        worktrees.gates,
        worktrees.site.import_check,
        inputs.events,
        found.settings.config,
        found.home.config,
        inputs.directory.path,
    )


def remove_abandoned(folder: Path) -> None:
    """Remove what diagnoses left in ``folder`` that were killed."""
    for place in folder.glob("doctor-*") if folder.is_dir() else ():
        if NAME.fullmatch(place.name) and not is_held(place / "lock"):
            with suppress(DirectorError, OSError):
                sweep_pool(JobDirectory(place).pool)
                discard(place)
