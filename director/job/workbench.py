"""The workbench: everything that work on one job needs, opened together and closed together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from director.agents.crew import Crew, patient_pause, unpriced_models
from director.agents.models import ModelCheck, Wanted, wanted_models
from director.agents.opencode import OpenCode, find_program
from director.agents.templates import load_template
from director.job.merge_queue import MergeQueue
from director.job.provided import provisions_of
from director.job.publishing import Publisher
from director.model.config import Config
from director.model.roles import Agent
from director.model.secrets import Redactor, secrets_in
from director.records.call_notes import CallNotes
from director.records.events import Events, Kind, journal
from director.records.files import redact_file
from director.records.job_directory import Home, JobDirectory
from director.records.ledger import Ledger
from director.workspace.cancellation import Cancellation
from director.workspace.gates import Gates
from director.workspace.given import Sources, find_sources
from director.workspace.job_repository import (
    JobRepository,
    open_job_repository,
    remove_stale_locks,
)
from director.workspace.pool import Pool, open_pool
from director.workspace.processes import Processes
from director.workspace.repository import Repository
from director.workspace.sandbox import Sandbox


@dataclass(frozen=True)
class Setting:
    """Where a command works: the user's repository, its ``.director``, who listens, who stops."""

    repository: Repository
    home: Home
    env: Mapping[str, str]
    events: Events
    cancellation: Cancellation


@dataclass(frozen=True)
class Workbench:
    """One job with its tools."""

    job_id: str
    directory: JobDirectory
    config: Config
    job: JobRepository
    pool: Pool
    gates: Gates
    crew: Crew
    events: Events
    publisher: Publisher
    queue: MergeQueue


@contextmanager
def open_workbench(
    setting: Setting,
    directory: JobDirectory,
    config: Config,
    job_id: str,
    branch: str,
    wanted_later: Sequence[Wanted] = (),
) -> Iterator[Workbench]:
    """Give the workbench of a job whose lock the caller holds.

    Models that are ``wanted_later`` must be known before the first call, as the job's own.

    Processes that a killed run left behind are ended first, and its worktrees taken over; on the
    way out the worktrees go and the branch is published, whatever happened in between.
    """
    env = setting.env
    sources = find_sources(setting.repository, config.worktree)
    redactor = redactor_of(setting, directory, config, sources)
    directory = JobDirectory(directory.path, redactor)
    events = setting.events.without(redactor).also(journal(directory.events))
    processes = Processes(job_id, setting.cancellation)
    _sweep(processes, events)
    _clean_logs(directory, redactor)
    remove_stale_locks(directory.repository, setting.repository, branch)
    job = open_job_repository(directory.repository, setting.repository, branch)
    root = setting.repository.root
    sandbox = sandbox_of(setting, directory.repository, config)
    opencode = OpenCode(processes, env, root, config, directory.logs, sandbox, redactor)
    ledger = Ledger(directory.costs, config.limits.cost_ceiling_usd)
    notes = CallNotes(directory.calls)
    pause = patient_pause(setting.cancellation)
    _warn_of_unpriced_models(config, events)
    shown, limit = config.env.of(env), config.limits.node_timeout_secs
    gates = Gates(processes, shown, directory.logs, limit, sandbox, redactor)
    provisions = provisions_of(config, sources, job, gates, events)
    with (
        open_pool(job, directory.pool, env, provisions) as pool,
        opencode.serving(pool.folder / "opencode", events),
    ):
        sandbox.try_out(processes, shown, pool.folder, directory.logs)
        models = ModelCheck(
            [*wanted_models(config), *wanted_later],
            partial(opencode.listed_models, pool.folder / "models"),
            opencode.memory(setting.home.models),
            events,
        )
        models.begin()
        check = models.check
        bench = Workbench(
            job_id=job_id,
            directory=directory,
            config=config,
            job=job,
            pool=pool,
            gates=gates,
            crew=Crew(opencode, config, ledger, notes, events, setting.cancellation, pause, check),
            events=events,
            publisher=Publisher(job, events),
            queue=MergeQueue(job, setting.cancellation),
        )
        try:
            yield bench
        finally:
            models.close()
            bench.publisher.close()


def check_prerequisites(setting: Setting) -> None:
    """Raise RequestError for what would stop a new job at once: said before anything is moved."""
    setting.repository.identity()
    find_program(setting.env)
    for agent in Agent:
        load_template(agent, setting.repository.root)


def _sweep(processes: Processes, events: Events) -> None:
    if ended := processes.sweep():
        events.emit(Kind.NOTICE, message=f"ended {ended} processes that a killed run left behind")


def _clean_logs(directory: JobDirectory, redactor: Redactor) -> None:
    """Take secrets out of the logs that a killed run had no time to clean."""
    if directory.pool.exists():
        for log in directory.logs.glob("*"):
            redact_file(log, redactor)


def redactor_of(
    setting: Setting, directory: JobDirectory, config: Config, sources: Sources
) -> Redactor:
    """Return what takes the secrets of environment, configuration and copied files out of texts."""
    found = secrets_in(setting.env, os.path.exists, config.secret_variables)
    return directory.redactor.also({**sources.secrets, **config.secrets, **found})


def sandbox_of(setting: Setting, repository: Path, config: Config) -> Sandbox:
    """Return the configured sandbox, for worktrees of the bare repository at ``repository``."""
    home = setting.env.get("HOME") or Path.home()
    places = {"git": repository, "repo": setting.repository.root, "home": home}
    return Sandbox(config.sandbox, {name: str(place) for name, place in places.items()})


def _warn_of_unpriced_models(config: Config, events: Events) -> None:
    if not config.limits.cost_ceiling_usd:
        return
    for model, roles in unpriced_models(config).items():
        events.emit(
            Kind.NOTICE,
            message=f"no [pricing] for {model} ({', '.join(roles)}): "
            "the cost ceiling sees only what OpenCode reports for it",
        )
