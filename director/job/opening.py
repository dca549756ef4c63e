"""Opening a job: its tools are put together, and what a killed run left behind is undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial

from director.agents.backend import AgentContext
from director.agents.callers import open_callers
from director.agents.client import AgentClient, interruptible_sleep, unpriced_models
from director.agents.recorder import CallRecorder
from director.agents.registry import AGENT_FOLDERS, backends_of, tier_of
from director.agents.templates import load_template
from director.agents.wanted import WantedModel, wanted_models
from director.job.commits import Commits
from director.job.context import JobContext, Materials, Setting
from director.job.merge_queue import MergeQueue
from director.job.publishing import Publisher
from director.job.site import launcher_at
from director.job.stage import PlanStage
from director.job.workplace import Place, Workplace, open_workplace
from director.model.config import Config
from director.model.errors import DirectorError, StoppedError
from director.model.plan import Plan
from director.model.roles import Agent
from director.processes.launchers.launcher import Launcher
from director.records.call_notes import CallNotes, forget_places
from director.records.events import journal
from director.records.files import redact_file
from director.records.job_directory import JobDirectory
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
from director.worktrees.pool_folders import pool_environment, sweep_old_pools


@contextmanager
def open_job(
    setting: Setting,
    directory: JobDirectory,
    config: Config,
    known: PlanStage | Plan,
    wanted_later: Sequence[WantedModel] = (),
) -> Iterator[JobContext]:
    """Give the context of a job whose lock the caller holds; ``known`` says which job it is.

    Models that are ``wanted_later`` must be known before the first call, as the job's own.

    Processes that a killed run left behind are ended first, and its worktrees taken over. The way
    out is the way in, backwards, whatever happened in between: the branch is published, agents
    end, and the worktrees go, or are kept for the next command.
    """
    materials = Materials.of(setting, directory, config, known.job_id)
    directory = materials.directory
    events = materials.events.also(journal(directory.events))
    materials = replace(materials, events=events)
    _recover(materials, known.job_branch)
    sweep_old_pools(pool_environment(config.launcher, setting.env))

    def open_repository(user: Repository) -> JobRepository:
        return open_job_repository(directory.repository, user, known.job_branch)

    place = Place(directory.repository, directory.pool, open_repository, setting.keeps_worktrees)
    with ExitStack() as opened:
        opened.enter_context(_explaining_removal(materials, known.job_branch))
        workplace = opened.enter_context(open_workplace(materials, place))
        for message in _notices(materials, workplace):
            events.notice(message)
        site, repository = workplace.site, workplace.repository
        settings = site.repository.settings
        signer = Signer(settings.everywhere if settings else {}) if config.git.sign else None
        commits = Commits(repository, known.job_id, known.task, config.git, signer)
        commits.try_out()
        agents = opened.enter_context(_agents(materials, workplace, wanted_later))
        publisher = opened.enter_context(_publishing(materials, repository))
        yield JobContext(
            job_id=known.job_id,
            directory=directory,
            config=config,
            repository=repository,
            pool=workplace.pool,
            gates=workplace.gates,
            agents=agents,
            events=events,
            publisher=publisher,
            queue=MergeQueue(repository, setting.cancellation),
            confinement=site.sandbox.name,
            machine=site.sandbox.launcher.machine,
            import_check=site.import_check,
            commits=commits,
            checks=setting.checks,
        )


def check_prerequisites(setting: Setting, config: Config) -> None:
    """Raise RequestError for what would stop a new job at once: said before anything is moved."""
    setting.repository.check_room()
    for backend in backends_of(config.tiers.values()):
        backend.check(config, setting.env)
    for agent in Agent:
        load_template(agent, setting.repository.root, AGENT_FOLDERS)


@contextmanager
def _agents(
    materials: Materials, workplace: Workplace, wanted_later: Sequence[WantedModel]
) -> Iterator[AgentClient]:
    """Give what asks roles. It reads the notes of a killed run, before any agent runs."""
    setting, directory, config = materials.setting, materials.directory, materials.config
    root, pool, limits = workplace.site.repository.root, workplace.pool, config.limits
    context = AgentContext(
        processes=materials.processes,
        env=setting.env,
        root=root,
        config=config,
        templates={agent: load_template(agent, root, AGENT_FOLDERS) for agent in Agent},
        sandbox=workplace.site.sandbox,
        recorder=CallRecorder(directory.logs, limits.stall_timeout_secs, directory.redactor),
        events=materials.events,
        beside=pool.agents / "server",
        notes=pool.notes / "shell",
        memory=setting.home.models,
        wanted=(*wanted_models(config), *wanted_later),
    )
    with open_callers(context) as callers:
        client = AgentClient(
            callers,
            config,
            Ledger(directory.costs, limits.cost_ceiling_usd),
            CallNotes(directory.calls),
            materials.events,
            setting.cancellation,
            interruptible_sleep(setting.cancellation),
        )
        callers.begin()
        yield client


@contextmanager
def _publishing(materials: Materials, repository: JobRepository) -> Iterator[Publisher]:
    """Give what publishes the branch; at the end the branch and its journal are as director's."""
    publisher = Publisher(repository, materials.events)
    try:
        yield publisher
    finally:
        publisher.close()
        if repository.restore_journal():
            tips = materials.directory.tips
            materials.events.notice(f"{tips} was changed while director worked: it was restored")


@contextmanager
def _explaining_removal(materials: Materials, branch: str) -> Iterator[None]:
    """Name the reason when work fails because somebody removed the records meanwhile.

    Writing made some of them again, but not the lock, which is older than all.
    """
    directory, home = materials.directory, materials.setting.home
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


def _recover(materials: Materials, branch: str) -> None:
    """Undo what a killed run left behind, but for its worktrees."""
    directory, user = materials.directory, materials.setting.repository
    launcher = launcher_at(materials, directory.repository)
    materials.setting.cancellation.last_resorts.append(partial(_kill_all, launcher))
    if ended := materials.processes.sweep() + launcher.sweep():
        materials.events.notice(f"processes that a killed run left behind were ended: {ended}")
    remove_stale_locks(directory.repository, user, branch)
    if not was_killed(directory.pool):
        forget_places(directory.calls)
        return
    for log in directory.logs.glob("*"):  # it had no time to take the secrets out
        redact_file(log, directory.redactor)
    discard_damaged(directory.repository / "objects", user.object_format)


def _kill_all(launcher: Launcher) -> None:
    """End what runs elsewhere, as far as that can be done at once (the second ctrl-C)."""
    with suppress(DirectorError):
        launcher.sweep()


def _notices(materials: Materials, workplace: Workplace) -> Iterator[str]:
    """Give what the user is to know: of prices, agents, commits, the sandbox, and repaired damage.

    Who commits is asked of the repository that commits: git is not asked twice.
    """
    config, told = materials.config, materials.setting.told
    unpriced = unpriced_models(config) if config.limits.cost_ceiling_usd else {}
    for model, roles in unpriced.items():
        cli = tier_of(model).backend
        reports = f"sees only what {cli.title} reports for it"
        sees = reports if cli.promises.reported_cost else "does not see its cost"
        yield f"no [pricing] for {model} ({', '.join(roles)}): the cost ceiling {sees}"
    for one in backends_of(config.tiers.values()):  # gate and sandbox make up for it
        if lacking := one.promises.missing():
            yield f"{one.title} cannot promise {', '.join(lacking)}"
    who = "git does not know who you are (user.name, user.email): commits are made by"
    if workplace.site.repository.is_anonymous and who not in told:
        told.add(who)
        yield f"{who} {OWN_NAME}"
    if missing := workplace.site.sandbox.missing:
        yield missing
    yield from workplace.repository.notices
