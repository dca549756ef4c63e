"""The workbench: everything that work on one job needs, opened together and closed together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from director.agents.crew import Crew, patient_pause, unpriced_models
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
from director.workspace.git_settings import freeze_settings
from director.workspace.given import Sources, find_sources
from director.workspace.job_repository import (
    JobRepository,
    open_job_repository,
    remove_stale_locks,
)
from director.workspace.pool import Pool, pool_folder
from director.workspace.processes import Processes
from director.workspace.repository import Repository
from director.workspace.sandbox import NOTHING, Sandbox, choose_mechanism, grounds_of, home_of

BYTECODE = "PYTHONPYCACHEPREFIX"  # compiled code outside the worktree: anybody's, of anything


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
    """One job with its tools. ``confinement`` says in words what agents and gates are kept by."""

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
    confinement: str


@contextmanager
def open_workbench(
    setting: Setting, directory: JobDirectory, config: Config, job_id: str, branch: str
) -> Iterator[Workbench]:
    """Give the workbench of a job whose lock the caller holds.

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
    _warn_of_unpriced_models(config, events)
    remove_stale_locks(directory.repository, setting.repository, branch)
    limit = config.limits.node_timeout_secs
    with pool_folder(directory.pool, env) as folder:
        site = site_of(setting, directory.repository, config, folder)
        _tell_if_free(site.sandbox, events)
        job = open_job_repository(directory.repository, site.repository, branch)
        opencode = OpenCode(
            processes, env, site.repository.root, config, directory.logs, site.sandbox, redactor
        )
        gates = Gates(processes, site.gate_env, directory.logs, limit, site.sandbox, redactor)
        pool = Pool(job, folder, provisions_of(config, sources, job, gates, events))
        ledger = Ledger(directory.costs, config.limits.cost_ceiling_usd)
        notes, pause = CallNotes(directory.calls), patient_pause(setting.cancellation)
        with opencode.serving(pool.agents / "server", events):
            site.sandbox.try_out(processes, site.gate_env, folder, directory.logs)
            bench = Workbench(
                job_id=job_id,
                directory=directory,
                config=config,
                job=job,
                pool=pool,
                gates=gates,
                crew=Crew(opencode, config, ledger, notes, events, setting.cancellation, pause),
                events=events,
                publisher=Publisher(job, events),
                queue=MergeQueue(job, setting.cancellation),
                confinement=site.sandbox.name,
            )
            try:
                yield bench
            finally:
                bench.publisher.close()


@dataclass(frozen=True)
class Site:
    """What agents and gates of one command find: the repository as git sees it, the sandbox.

    ``gate_env`` are the variables of gates and setup; git's configuration is the one that was
    there before any agent ran.
    """

    repository: Repository
    sandbox: Sandbox
    gate_env: Mapping[str, str]


def site_of(setting: Setting, repository: Path, config: Config, folder: Path) -> Site:
    """Return the site for worktrees in ``folder``, of the bare repository at ``repository``."""
    env, user, policy = setting.env, setting.repository, config.sandbox
    home = home_of(env)
    settings = freeze_settings(user.git, home, folder / "notes" / "git")
    mechanism = choose_mechanism(policy, env)
    grounds = None
    if mechanism:
        kept = (user.root, user.common_dir, user.objects, repository)
        grounds = grounds_of(policy, kept, folder, env)
    places = {"git": repository, "repo": user.root, "home": home}
    sandbox = Sandbox(policy, {k: str(v) for k, v in places.items()}, mechanism, grounds)
    shown = {name: value for name, value in config.env.of(env).items() if name != BYTECODE}
    return Site(user.reading(settings), sandbox, {**shown, **settings.variables})


def _tell_if_free(sandbox: Sandbox, events: Events) -> None:
    if sandbox.policy.mode == "auto" and sandbox.name == NOTHING:
        events.emit(
            Kind.NOTICE,
            message="agents and gates are not confined: neither Landlock nor bubblewrap works here",
        )


def check_prerequisites(setting: Setting) -> None:
    """Raise RequestError for what would stop a new job at once: said before anything is moved."""
    setting.repository.check_room()
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


def _warn_of_unpriced_models(config: Config, events: Events) -> None:
    if not config.limits.cost_ceiling_usd:
        return
    for model, roles in unpriced_models(config).items():
        events.emit(
            Kind.NOTICE,
            message=f"no [pricing] for {model} ({', '.join(roles)}): "
            "the cost ceiling sees only what OpenCode reports for it",
        )
