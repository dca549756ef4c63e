"""What a command works on and with: the workspace, what a job is opened from, the open job."""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from director.agents.client import AgentClient
from director.agents.registry import BACKENDS, key_variables
from director.job.commits import Commits
from director.job.import_check import ImportCheck
from director.job.merge_queue import MergeQueue
from director.job.publishing import Publisher
from director.model.checks import ChecksOf, checks_of
from director.model.config import Config
from director.model.secrets import secrets_in
from director.processes.cancellation import Cancellation
from director.processes.machine import Machine
from director.processes.supervisor import Processes
from director.records.events import Events
from director.records.job_directory import Home, JobDirectory
from director.repositories.job_repository import JobRepository
from director.repositories.repository import Repository
from director.worktrees.gates import Gates
from director.worktrees.pool import Pool
from director.worktrees.user_files import Sources, find_sources


class Opened(NamedTuple):
    """A job that was opened: its records, and who is told of it, its journal among them."""

    job_id: str
    directory: JobDirectory
    events: Events


class Workspace(NamedTuple):
    """The user's repository and its ``.director``, with who is told of events and who may cancel.

    ``told`` are the notices that the command has given and need not repeat for another job.
    ``keeps_worktrees``: another command of the job may follow, so prepared worktrees are kept.
    ``checks`` says what candidates must pass. ``opened`` are the jobs that were, the last one last.
    """

    repository: Repository
    home: Home
    env: Mapping[str, str]
    events: Events
    cancellation: Cancellation
    told: set[str]
    opened: list[Opened]
    keeps_worktrees: bool = True
    checks: ChecksOf = checks_of


class JobInputs(NamedTuple):
    """What a job is opened from: workspace, records, configuration.

    ``sources`` are what worktrees are given of the user's files. Neither ``directory`` nor
    ``events`` lets a secret of these, of the environment or of the configuration through.
    """

    workspace: Workspace
    directory: JobDirectory
    config: Config
    sources: Sources
    events: Events
    processes: Processes

    @classmethod
    def of(
        cls, workspace: Workspace, directory: JobDirectory, config: Config, job_id: str
    ) -> "JobInputs":
        """Return the inputs; RequestError for files that cannot be given to worktrees."""
        sources = find_sources(workspace.repository, config.worktree)
        found = secrets_in(workspace.env, os.path.exists, key_variables(config))
        ordinary = {one.name for one in BACKENDS}  # words of the records
        found = {name: value for name, value in found.items() if value.lower() not in ordinary}
        redactor = directory.redactor.also({**sources.secrets, **config.secrets, **found})
        clean = JobDirectory(directory.path, redactor)
        events = workspace.events.without(redactor)
        return cls(
            workspace, clean, config, sources, events, Processes(job_id, workspace.cancellation)
        )


class JobContext(NamedTuple):
    """One job with its tools. ``confinement`` says in words what confines agents and gates.

    ``machine`` measures what there is to work on. ``import_check`` refuses tests that do not import
    the worktree's code. ``checks`` as in Workspace.
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
    checks: ChecksOf
