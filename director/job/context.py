"""The context of a job: all that work on it needs, opened together and closed together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from director.agents.client import AgentClient
from director.job.commits import Commits
from director.job.import_check import ImportCheck
from director.job.merge_queue import MergeQueue
from director.job.publishing import Publisher
from director.model.config import Config
from director.processes.cancellation import Cancellation
from director.processes.machine import Machine
from director.records.events import Events
from director.records.job_directory import Home, JobDirectory
from director.repositories.job_repository import (
    JobRepository,
)
from director.repositories.repository import Repository
from director.worktrees.gates import Gates
from director.worktrees.pool import Pool


@dataclass(frozen=True)
class Setting:
    """Where a command works: the user's repository, its ``.director``, who listens, who stops.

    ``told`` are the notices that the command has given and need not repeat for another job.
    ``keeps_worktrees``: another command of the job may follow, so prepared worktrees are kept.
    """

    repository: Repository
    home: Home
    env: Mapping[str, str]
    events: Events
    cancellation: Cancellation
    told: set[str] = field(default_factory=set)
    keeps_worktrees: bool = True


@dataclass(frozen=True)
class JobContext:
    """One job with its tools. ``confinement`` says in words what confines agents and gates.

    ``machine`` measures what there is to work on. ``import_check`` refuses tests that do not import
    the code of the worktree.
    """

    job_id: str
    directory: JobDirectory
    config: Config
    repository: JobRepository
    pool: Pool
    gates: Gates
    agents: AgentClient
    events: Events
    publisher: Publisher
    queue: MergeQueue
    confinement: str
    machine: Callable[[], Machine]
    import_check: ImportCheck
    commits: Commits
