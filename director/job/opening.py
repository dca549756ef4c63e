"""Opening a job: its tools are put together, and what a killed run left behind is undone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from director.agents.backend import AgentContext
from director.agents.callers import Callers, open_callers
from director.agents.client import AgentClient, interruptible_sleep, unpriced_models
from director.agents.recorder import CallRecorder
from director.agents.registry import AGENT_FOLDERS, BACKENDS, backends_of, tier_of
from director.agents.templates import load_template
from director.agents.wanted import WantedModel, wanted_models
from director.job.commits import Commits
from director.job.context import JobContext, Setting
from director.job.import_check import ImportCheck
from director.job.merge_queue import MergeQueue
from director.job.provided import provisions_of
from director.job.publishing import Publisher
from director.job.site import Site, site_of
from director.job.stage import read_stage
from director.model.config import Config
from director.model.errors import DirectorError, RequestError, StoppedError
from director.model.roles import Agent
from director.model.secrets import Redactor, secrets_in
from director.processes.launchers.launcher import Launcher, Surroundings
from director.processes.launchers.registry import launcher_of
from director.processes.supervisor import Processes
from director.records.call_notes import CallNotes, forget_places
from director.records.events import Events, Kind, journal
from director.records.files import redact_file
from director.records.job_directory import Home, JobDirectory
from director.records.ledger import Ledger
from director.records.worktrees_record import was_killed
from director.repositories.job_repository import (
    JobRepository,
    open_job_repository,
    remove_stale_locks,
)
from director.repositories.repository import OWN_NAME, Repository
from director.repositories.signing import Signer
from director.repositories.soundness import discard_damaged
from director.worktrees.gates import Gates
from director.worktrees.given import Sources, find_sources
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_environment, pool_folder, sweep_old_pools


@contextmanager
def open_job(
    setting: Setting,
    directory: JobDirectory,
    config: Config,
    job_id: str,
    branch: str,
    wanted_later: Sequence[WantedModel] = (),
) -> Iterator[JobContext]:
    """Give the context of a job whose lock the caller holds.

    Models that are ``wanted_later`` must be known before the first call, as the job's own.

    Processes that a killed run left behind are ended first, and its worktrees taken over; on the
    way out the worktrees go, or are kept for the next command, and the branch is published,
    whatever happened in between.
    """
    opening = _Opening.of(setting, directory, config, job_id, branch)
    directory, events = opening.directory, opening.events
    opening.recover()
    opening.warn()
    env = pool_environment(config.launcher, setting.env)
    sweep_old_pools(env)
    with (
        _explaining_removal(setting.home, directory, branch),
        pool_folder(directory.pool, env, events) as folder,
    ):
        site = site_of(setting.repository, config, opening.surroundings, folder)
        repository = opening.repository(site)
        gates = opening.gates(site)
        withheld = config.env.withheld(setting.env)
        given = provisions_of(config, opening.sources, repository, gates, events, withheld)
        pool = Pool(repository, folder, given, guarded=site.sandbox.mechanism is not None)
        with (
            _keeping(pool, wanted=setting.keeps_worktrees),
            open_callers(opening.agent_context(site, pool, wanted_later)) as callers,
        ):
            site.sandbox.try_out(opening.processes, site.gate_env, folder, directory.logs)
            job = JobContext(
                job_id=job_id,
                directory=directory,
                config=config,
                repository=repository,
                pool=pool,
                gates=gates,
                agents=opening.agents(callers),
                events=events,
                publisher=Publisher(repository, events),
                queue=MergeQueue(repository, setting.cancellation),
                confinement=site.sandbox.name,
                machine=site.sandbox.launcher.machine,
                import_check=opening.import_check(site),
                commits=opening.commits(repository, site),
            )
            job.commits.try_out()
            callers.begin()
            try:
                yield job
            finally:
                job.publisher.close()
                _restore_journal(job)


@dataclass(frozen=True)
class _Opening:
    """A job that is being opened, and what its tools are made of."""

    setting: Setting
    directory: JobDirectory
    config: Config
    job_id: str
    branch: str
    sources: Sources
    redactor: Redactor
    events: Events
    processes: Processes

    @classmethod
    def of(
        cls, setting: Setting, directory: JobDirectory, config: Config, job_id: str, branch: str
    ) -> _Opening:
        sources = find_sources(setting.repository, config.worktree)
        redactor = redactor_of(setting, directory, config, sources)
        clean = JobDirectory(directory.path, redactor)
        events = setting.events.without(redactor).also(journal(clean.events))
        processes = Processes(job_id, setting.cancellation)
        return cls(setting, clean, config, job_id, branch, sources, redactor, events, processes)

    @property
    def surroundings(self) -> Surroundings:
        """What the launcher of the job finds."""
        setting = self.setting
        root, job = setting.repository.root, self.directory.repository
        return Surroundings(self.job_id, setting.env, root, job)

    def recover(self) -> None:
        """Undo what a killed run left behind, but for its worktrees."""
        directory, user = self.directory, self.setting.repository
        launcher = launcher_of(self.config.launcher, self.surroundings)
        self.setting.cancellation.last_resorts.append(partial(_kill_all, launcher))
        _sweep(self.processes, launcher, self.events)
        remove_stale_locks(directory.repository, user, self.branch)
        if not was_killed(directory.pool):
            forget_places(directory.calls)
        else:
            _clean_logs(directory, self.redactor)
            discard_damaged(directory.repository / "objects", user.object_format)

    def warn(self) -> None:
        """Give the notices that the user's settings call for."""
        _warn_of_unpriced_models(self.config, self.events)
        _tell_of_promises(self.config, self.events)

    def repository(self, site: Site) -> JobRepository:
        """Return the job repository; notices say what is wrong with it, or with the sandbox.

        Who commits is asked of the repository that commits: git is not asked twice.
        """
        _warn_of_anonymous_commits(self.setting, site.repository, self.events)
        if notice := site.sandbox.missing:
            self.events.emit(Kind.NOTICE, message=notice)
        job = open_job_repository(self.directory.repository, site.repository, self.branch)
        for message in job.notices:
            self.events.emit(Kind.NOTICE, message=message)
        return job

    def commits(self, job: JobRepository, site: Site) -> Commits:
        """Return what makes the commits of the job branch."""
        policy, settings = self.config.git, site.repository.settings
        stage = read_stage(self.directory)
        task = stage.task if stage else self.directory.load_plan().task
        signer = Signer(settings.everywhere if settings else {}) if policy.sign else None
        return Commits(job, self.job_id, task, policy, signer)

    def agent_context(self, site: Site, pool: Pool, later: Sequence[WantedModel]) -> AgentContext:
        """Return what agent CLIs work with."""
        root = site.repository.root
        return AgentContext(
            processes=self.processes,
            env=self.setting.env,
            root=root,
            config=self.config,
            templates={agent: load_template(agent, root, AGENT_FOLDERS) for agent in Agent},
            sandbox=site.sandbox,
            recorder=CallRecorder(
                self.directory.logs, self.config.limits.stall_timeout_secs, self.redactor
            ),
            events=self.events,
            beside=pool.agents / "server",
            notes=pool.notes / "shell",
            memory=self.setting.home.models,
            wanted=(*wanted_models(self.config), *later),
        )

    def gates(self, site: Site) -> Gates:
        """Return what runs gates."""
        limit, logs = self.config.limits.node_timeout_secs, self.directory.logs
        return Gates(self.processes, site.gate_env, logs, limit, site.sandbox, self.redactor)

    def import_check(self, site: Site) -> ImportCheck:
        """Return what knows whether tests would test a worktree."""
        given = (*self.sources.roots, *self.sources.linked)
        return ImportCheck(site.checkout, site.gate_env, bool(self.config.worktree.setup), given)

    def agents(self, callers: Callers) -> AgentClient:
        """Return what asks roles. It reads the notes of a killed run, before any agent runs."""
        cancellation = self.setting.cancellation
        return AgentClient(
            callers,
            self.config,
            Ledger(self.directory.costs, self.config.limits.cost_ceiling_usd),
            CallNotes(self.directory.calls),
            self.events,
            cancellation,
            interruptible_sleep(cancellation),
        )


def _restore_journal(job: JobContext) -> None:
    if job.repository.restore_journal():
        message = f"{job.directory.tips} was changed while director worked: it was restored"
        job.events.emit(Kind.NOTICE, message=message)


@contextmanager
def _keeping(pool: Pool, *, wanted: bool) -> Iterator[None]:
    """Note what of the worktrees can be kept, when nothing works in them any more."""
    try:
        yield
    except RequestError:  # something is to be corrected, perhaps what setup needs
        pool.doubt()
        raise
    finally:
        with suppress(DirectorError, OSError):  # then they are removed
            pool.keep(wanted=wanted)


@contextmanager
def _explaining_removal(home: Home, directory: JobDirectory, branch: str) -> Iterator[None]:
    """Name the reason when work fails because somebody removed the records meanwhile.

    Writing made some of them again, but not the lock, which is older than all.
    """
    try:
        yield
    except (StoppedError, OSError):
        if directory.lock.exists():
            raise
        if home.path.exists():
            home.prepare()
        raise StoppedError(
            f"{directory.path} was removed while director worked",
            f"restore it and run the command again; what had merged is on {branch}",
        ) from None


def check_prerequisites(setting: Setting, config: Config) -> None:
    """Raise RequestError for what would stop a new job at once: said before anything is moved."""
    setting.repository.check_room()
    for backend in backends_of(config.tiers.values()):
        backend.check(config, setting.env)
    for agent in Agent:
        load_template(agent, setting.repository.root, AGENT_FOLDERS)


def _sweep(processes: Processes, launcher: Launcher, events: Events) -> None:
    if ended := processes.sweep() + launcher.sweep():
        events.emit(
            Kind.NOTICE, message=f"processes that a killed run left behind were ended: {ended}"
        )


def _kill_all(launcher: Launcher) -> None:
    """End what runs elsewhere, as far as that can be done at once (the second ctrl-C)."""
    with suppress(DirectorError):
        launcher.sweep()


def _clean_logs(directory: JobDirectory, redactor: Redactor) -> None:
    """Take secrets out of the logs that a killed run had no time to clean."""
    for log in directory.logs.glob("*"):
        redact_file(log, redactor)


def redactor_of(
    setting: Setting, directory: JobDirectory, config: Config, sources: Sources
) -> Redactor:
    """Return what takes the secrets of environment, configuration and copied files out of texts."""
    found = secrets_in(setting.env, os.path.exists, config.secret_variables)
    ordinary = {one.name for one in BACKENDS}  # words of the records
    found = {name: value for name, value in found.items() if value.lower() not in ordinary}
    return directory.redactor.also({**sources.secrets, **config.secrets, **found})


def _warn_of_anonymous_commits(setting: Setting, commits: Repository, events: Events) -> None:
    message = (
        f"git does not know who you are (user.name, user.email): commits are made by {OWN_NAME}"
    )
    if commits.is_anonymous and message not in setting.told:
        setting.told.add(message)
        events.emit(Kind.NOTICE, message=message)


def _warn_of_unpriced_models(config: Config, events: Events) -> None:
    if not config.limits.cost_ceiling_usd:
        return
    for model, roles in unpriced_models(config).items():
        cli = tier_of(model).backend
        sees = "does not see its cost"
        if cli.promises.reported_cost:
            sees = f"sees only what {cli.title} reports for it"
        message = f"no [pricing] for {model} ({', '.join(roles)}): the cost ceiling {sees}"
        events.emit(Kind.NOTICE, message=message)


def _tell_of_promises(config: Config, events: Events) -> None:
    """Say what a CLI of the tiers cannot promise: the gate and the sandbox make up for it."""
    for one in backends_of(config.tiers.values()):
        if missing := one.promises.missing():
            message = f"{one.title} cannot promise {', '.join(missing)}"
            events.emit(Kind.NOTICE, message=message)
