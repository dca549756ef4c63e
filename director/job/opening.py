"""Opening a job: its tools are put together, and what a killed run left behind is undone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from director.agents.backend import WantedModel
from director.agents.client import AgentClient
from director.agents.registry import AGENT_FOLDERS, backends_of
from director.agents.templates import load_template
from director.job.commits import Commits, signer_of
from director.job.context import JobContext, JobInputs, Opened, Workspace
from director.job.job_agents import open_agents
from director.job.job_worktrees import JobWorktrees, WorktreesOptions, launcher_at, open_worktrees
from director.job.merge_queue import MergeQueue
from director.job.publishing import Publisher
from director.job.stage import PlanStage
from director.job.switching import unswitched
from director.job.unpriced import unpriced_notice
from director.model.commit_policy import CommitPolicy
from director.model.config import Config
from director.model.errors import DirectorError, StoppedError
from director.model.plan import Plan
from director.model.roles import Agent
from director.processes.launchers.launcher import Launcher
from director.records.call_notes import forget_places, written_places
from director.records.clock import now
from director.records.events import Kind, journal
from director.records.files import redact_file
from director.records.job_directory import JobDirectory
from director.records.live_file import live_file
from director.records.lock import Holder, read_holder
from director.records.worktrees_record import may_hold_work
from director.repositories.job_repository import (
    JobRepository,
    open_job_repository,
    remove_stale_locks,
)
from director.repositories.repository import OWN_NAME, Repository
from director.repositories.soundness import discard_damaged
from director.worktrees.pool_folders import pool_environment, sweep_old_pools


@contextmanager
def open_job(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    known: PlanStage | Plan,
    wanted_later: Sequence[WantedModel] = (),
    folder: Path | None = None,
) -> Iterator[JobContext]:
    """Give the context of a job whose lock the caller holds; ``known`` says which job it is.

    Models that are ``wanted_later`` must be known before the first call, as the job's own.
    ``folder``: where its worktrees are made, and stay (None: where the job has them).

    Processes that a killed run left behind are ended first, and its worktrees taken over. The way
    out is the way in, backwards, whatever happened in between: the branch is published, agents
    end, and the worktrees go, or are kept for the next command.
    """
    inputs = JobInputs.of(workspace, directory, config, known.job_id)
    with _told(inputs, known) as told, _opened(told, known, wanted_later, folder) as job:
        yield job


@contextmanager
def _told(inputs: JobInputs, known: PlanStage | Plan) -> Iterator[JobInputs]:
    """Give the inputs with all who are told of events; they hear when it begins and when it ends.

    What shows the job on a terminal relies on hearing the end, whatever happens.
    """
    directory, limits = inputs.directory, inputs.config.limits
    holder = read_holder(directory.lock) or Holder(os.getpid(), "director", now())
    with live_file(directory.live, holder) as live:
        events = inputs.events.also(journal(directory.events)).also(live)
        inputs.workspace.opened.append(Opened(known.job_id, directory, events))
        try:
            events.emit(
                Kind.OPENED,
                job_id=known.job_id,
                task=known.task,
                directory=str(directory.path),
                planned=isinstance(known, Plan),
                max_attempts=limits.max_attempts,
                ceiling_usd=limits.cost_ceiling_usd,
            )
            yield inputs._replace(events=events)
        finally:
            events.emit(Kind.CLOSED)


@contextmanager
def _opened(
    inputs: JobInputs,
    known: PlanStage | Plan,
    wanted_later: Sequence[WantedModel],
    folder: Path | None,
) -> Iterator[JobContext]:
    """Give the job's context, its tools open."""
    workspace, directory, config = inputs.workspace, inputs.directory, inputs.config
    events = inputs.events
    _recover(inputs, known.job_branch)
    sweep_old_pools(pool_environment(config.launcher, workspace.env))

    def open_repository(user: Repository) -> JobRepository:
        return open_job_repository(directory.repository, user, known.job_branch)

    options = WorktreesOptions(
        directory.repository, directory.pool, open_repository, workspace.keeps_worktrees, folder
    )
    with ExitStack() as opened:  # a stack: if one of them cannot be opened, the others still close
        opened.enter_context(_explaining_removal(inputs, known.job_branch))
        opened.enter_context(unswitched(directory))
        opened.enter_context(_telling_of_drain(inputs))
        worktrees = opened.enter_context(open_worktrees(inputs, options))
        for message in _notices(inputs, worktrees):
            events.notice(message)
        commits = _commits(worktrees.repository, known, config.git)
        agents = opened.enter_context(open_agents(inputs, worktrees, wanted_later))
        worktrees.pool.hold(written_places(directory.calls))
        publisher = opened.enter_context(_publishing(inputs, worktrees.repository))
        yield _context(inputs, worktrees, agents, publisher, commits)


def _context(
    inputs: JobInputs,
    worktrees: JobWorktrees,
    agents: AgentClient,
    publisher: Publisher,
    commits: Commits,
) -> JobContext:
    site, repository = worktrees.site, worktrees.repository
    return JobContext(
        job_id=commits.job_id,
        directory=inputs.directory,
        config=inputs.config,
        repository=repository,
        pool=worktrees.pool,
        gates=worktrees.gates,
        agents=agents,
        events=inputs.events,
        publisher=publisher,
        queue=MergeQueue(repository, inputs.workspace.cancellation),
        confinement=site.sandbox.name,
        machine=site.sandbox.launcher.machine,
        import_check=site.import_check,
        commits=commits,
        checks=inputs.workspace.checks,
    )


def check_prerequisites(workspace: Workspace, config: Config) -> None:
    """Raise RequestError for what would stop a new job at once: said before anything is moved."""
    workspace.repository.check_room()
    for backend in backends_of(config.tiers.values()):
        backend.check(config, workspace.env)
    for agent in Agent:
        load_template(agent, workspace.repository.root, AGENT_FOLDERS)


def _commits(repository: JobRepository, known: PlanStage | Plan, policy: CommitPolicy) -> Commits:
    """Return what makes the job's commits; SigningError where they cannot be signed."""
    signer = signer_of(repository, policy)
    commits = Commits(repository, known.job_id, known.task, policy, signer)
    commits.try_out()
    return commits


@contextmanager
def _publishing(inputs: JobInputs, repository: JobRepository) -> Iterator[Publisher]:
    """Give what publishes the branch; at the end the branch and its journal are as director's."""
    publisher = Publisher(repository, inputs.events)
    try:
        yield publisher
    finally:
        publisher.close()
        if repository.restore_journal():
            tips = inputs.directory.tips
            inputs.events.notice(f"{tips} was changed while director was working: it was restored")


@contextmanager
def _telling_of_drain(inputs: JobInputs) -> Iterator[None]:
    """Give a notice when an end is asked for after the calls under way."""
    told = inputs.workspace.cancellation.told_of_drain

    def tell() -> None:
        inputs.events.notice("asked to stop: current calls finish first, nothing more is started")

    told.append(tell)
    try:
        yield
    finally:
        told.remove(tell)


@contextmanager
def _explaining_removal(inputs: JobInputs, branch: str) -> Iterator[None]:
    """Name the reason when work fails because the records were removed meanwhile.

    Writing made some of them again, but not the lock, which is older than all.
    """
    directory, home = inputs.directory, inputs.workspace.home
    try:
        yield
    except (StoppedError, OSError):
        if directory.lock.exists():
            raise
        if home.path.exists():
            home.prepare()
        raise StoppedError(
            f"{directory.path} was removed while director was working",
            f"restore it and run the command again; what had merged is on {branch}",
        ) from None


def _recover(inputs: JobInputs, branch: str) -> None:
    """Undo what a killed run left behind, but for its worktrees."""
    directory, user = inputs.directory, inputs.workspace.repository
    launcher = launcher_at(inputs, directory.repository)
    inputs.workspace.cancellation.last_resorts.append(partial(_kill_all, launcher))
    if ended := inputs.processes.sweep() + launcher.sweep():
        inputs.events.notice(f"processes that a killed run left behind were ended: {ended}")
    remove_stale_locks(directory.repository, user, branch)
    if not may_hold_work(directory.pool):
        forget_places(directory.calls)
        return
    for log in directory.logs.glob("*"):  # it had no time to take the secrets out
        redact_file(log, directory.redactor)
    discard_damaged(directory.repository / "objects", user.object_format)


def _kill_all(launcher: Launcher) -> None:
    """End what runs elsewhere, as far as that can be done at once (the second ctrl-C)."""
    with suppress(DirectorError):
        launcher.sweep()


def _notices(inputs: JobInputs, worktrees: JobWorktrees) -> Iterator[str]:
    """Give what the user is to know: of prices, agents, commits, the sandbox, and repaired damage.

    Who commits is asked of the repository that commits: git is not asked twice.
    """
    config, told = inputs.config, inputs.workspace.told
    if unpriced := unpriced_notice(config, inputs.directory):
        yield unpriced
    for one in backends_of(config.tiers.values()):  # gate and sandbox make up for it
        if lacking := one.promises.missing():
            yield f"{one.title} cannot promise {', '.join(lacking)}"
    who = "git does not know who you are (user.name, user.email): commits are made by"
    if worktrees.site.repository.is_anonymous and who not in told:
        told.add(who)
        yield f"{who} {OWN_NAME}"
    if missing := worktrees.site.sandbox.missing:
        yield missing
    if gap := worktrees.site.sandbox.gap:
        yield gap
    yield from worktrees.repository.notices
