"""Which job is the current one: begun for a new task, set aside, brought back.

One job at a time lies in ``.director``; others wait in ``jobs/<id>``. One that is not finished
gives way only when that is asked for.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from director.agents.registry import starter_files
from director.job.amendment import refuse_amending
from director.job.context import Workspace
from director.job.opening import check_prerequisites
from director.job.seal import differences, read_seal
from director.job.stage import PlanStage, Stage, read_stage, stands_at, write_stage
from director.model.config import Config
from director.model.errors import RequestError
from director.model.state import NodeStatus
from director.records import json_lines
from director.records.clock import now
from director.records.events import Kind, journal
from director.records.job_directory import JobDirectory
from director.records.known_jobs import known_job
from director.repositories.job_repository import create_job_repository
from director.repositories.repository import BRANCH_PREFIX
from director.worktrees.pool_folders import sweep_pool

CONTINUE = "director plan --continue"
RUN = "director run"


def to_change(directory: JobDirectory) -> PlanStage:
    """Return the current job; RequestError where there is none, or a node is being amended."""
    current = _current(directory)
    if current is None:
        raise no_job()
    refuse_amending(directory)
    return current


def no_job() -> RequestError:
    """Return the error where nothing is planned."""
    return RequestError("there is no plan to continue", 'begin with `director plan "<task>"`')


def to_continue(directory: JobDirectory) -> PlanStage:
    """Return the current job, to continue planning; RequestError when that cannot be done."""
    current = to_change(directory)
    if current.stage is Stage.READY and not _edited(directory):
        raise RequestError("the plan is ready", f"continue with `{RUN}`")
    return current


def _edited(directory: JobDirectory) -> bool:
    """Whether a ready plan differs from what was approved, or tests were put out to be edited."""
    seal = read_seal(directory)
    changed = seal is None or any(differences(seal, directory.load_plan()))
    return changed or directory.tests.exists()


def for_task(
    workspace: Workspace, directory: JobDirectory, config: Config, task: str, *, new: bool
) -> PlanStage:
    """Return the job for ``task``: the current one, or a new one that takes its place.

    The same task on the same commit is the same request again, while it is being planned: nothing
    is paid for twice. RequestError when another job is not finished, unless ``new``.
    """
    base = workspace.repository.head()
    try:
        current = _current(directory)
    except RequestError:
        current = None  # cannot be continued; its records are put aside with the rest
    again = None if new or current is None or current.stage is Stage.READY else current
    if again and (again.task, again.base_commit) != (task, base):
        again = None
    if again is None and not new:
        _refuse_unfinished(directory, current, 'director plan --new "<task>"')
    # Before the old job is moved: a request that cannot be carried out must change nothing.
    check_prerequisites(workspace, config)
    workspace.repository.complete(base)
    if again is not None:
        return again
    _put_aside(workspace, directory, current)
    return _begin(workspace, directory, task, base)


def continued(workspace: Workspace, directory: JobDirectory, task: str) -> PlanStage | None:
    """Return the current job where it is that of ``task`` on ``HEAD``, and is not finished."""
    current = read_stage(directory)
    asked = (task, workspace.repository.head())
    if current is None or (current.task, current.base_commit) != asked:
        return None
    finished = current.stage is Stage.READY and left_to_do(directory, current) is None
    return None if finished else current


def bring_back(
    workspace: Workspace, directory: JobDirectory, job_id: str, *, new: bool
) -> PlanStage:
    """Make an archived job the current one, and archive the one that was.

    ``job_id`` may be the beginning of one. RequestError when there is no such job, or the current
    one is not finished, unless ``new``.
    """
    current = _current(directory)
    if current is not None and current.job_id == job_id:
        return current
    job_id = known_job(workspace.home, job_id).id
    if current is not None and current.job_id == job_id:
        return current
    stage = _archived(directory, job_id)
    if not new:
        _refuse_unfinished(directory, current, f"director plan --resume {job_id} --new")
    _put_aside(workspace, directory, current)
    directory.restore(job_id)
    return stage


def left_to_do(directory: JobDirectory, stage: PlanStage) -> str | None:
    """Say what keeps a job from being finished, or return None.

    A job that nothing was paid for yet has nothing to lose: it counts as finished.
    """
    if stage.stage is not Stage.READY:
        paid = json_lines.read_lines(directory.costs) or any(directory.calls.glob("*.json"))
        return stands_at(stage) if paid else None
    try:
        state = directory.load_state(directory.load_plan())
    except RequestError as error:
        return error.what
    done = len(state.ids(NodeStatus.DONE))
    return f"{done} of {len(state.nodes)} nodes are done" if done < len(state.nodes) else None


def next_command(stage: PlanStage) -> str:
    """Return the command that continues a job."""
    return RUN if stage.stage is Stage.READY else CONTINUE


def named(stage: PlanStage) -> str:
    """Return a job's id and its task in one line."""
    task = " ".join(stage.task.split())
    return f"{stage.job_id} ({task if len(task) <= 60 else f'{task[:59]}…'})"


def _current(directory: JobDirectory) -> PlanStage | None:
    """Return the current job; one that a kill left in two places is put together again."""
    current = read_stage(directory)
    if current is not None:
        directory.restore(current.job_id)
    return current


def _archived(directory: JobDirectory, job_id: str) -> PlanStage:
    known = directory.archived()
    stage = read_stage(known[job_id]) if job_id in known else None
    if stage is None:
        listed = ", ".join(sorted(known)) or "there are none"
        raise RequestError(f"there is no archived job {job_id}", f"archived jobs: {listed}")
    return stage


def _refuse_unfinished(directory: JobDirectory, current: PlanStage | None, aside: str) -> None:
    left = left_to_do(directory, current) if current else None
    if current is None or left is None:
        return
    raise RequestError(
        f"job {named(current)} is not finished: {left}",
        f"`{next_command(current)}` continues it; "
        f"`{aside}` sets it aside, and says how to come back",
    )


def _put_aside(workspace: Workspace, directory: JobDirectory, current: PlanStage | None) -> None:
    """Archive whatever job there is, also one whose records are damaged or incomplete."""
    if not directory.has_records():
        return
    job_id = current.job_id if current else f"unknown-{_new_id()}"
    unfinished = current is not None and left_to_do(directory, current) is not None
    sweep_pool(directory.pool)
    archived = directory.archive(job_id)
    workspace.events.emit(
        Kind.JOB_ARCHIVED, job_id=job_id, folder=str(archived), unfinished=unfinished
    )


def _begin(workspace: Workspace, directory: JobDirectory, task: str, base: str) -> PlanStage:
    job_id = _new_id()
    branch = f"{BRANCH_PREFIX}job-{job_id}"
    create_job_repository(directory.repository, workspace.repository, branch, base)
    stage = PlanStage(Stage.SPEC, job_id, task, base, branch, now(), authored_from=base)
    write_stage(directory, stage)
    events = workspace.events.also(journal(directory.events))
    uncommitted = workspace.repository.uncommitted(starter_files())
    events.emit(Kind.JOB_STARTED, job_id=job_id, base=base, branch=branch, uncommitted=uncommitted)
    return stage


def _new_id() -> str:
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
