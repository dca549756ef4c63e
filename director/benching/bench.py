"""``bench``: plan once, then run the same frozen branch under each profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from director.agents.backend import wanted_models
from director.job.context import Workspace
from director.job.ending import End, tell_end
from director.job.opening import check_prerequisites
from director.job.seal import check_seal, seal_plan
from director.job.stage import PlanStage, Stage, read_stage, write_stage
from director.model.codec.encoding import encode
from director.model.comparison import Row, reductions, row_of
from director.model.config import Config
from director.model.errors import (
    AGAIN,
    DirectorError,
    DrainedError,
    ExitCode,
    InterruptedRunError,
)
from director.planning.context import PlanOptions
from director.planning.pipeline import plan_job
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.ledger import cost_of_calls, read_calls
from director.records.lock import job_lock
from director.repositories.job_repository import create_job_repository, open_job_repository
from director.running.run import RunOptions, run_job
from director.worktrees.pool_folders import sweep_pool


@dataclass(frozen=True)
class BenchOptions:
    """What to compare. ``profiles`` maps names to configurations, in the order to run them;

    ``planner`` is the configuration of ``plan_profile``, which need not be one of them.
    ``parallel`` None: chosen for each job by itself.
    """

    task: str
    profiles: Mapping[str, Config]
    plan_profile: str
    planner: Config
    parallel: int | None = 1
    max_attempts: int | None = None


@dataclass(frozen=True)
class BenchReport:
    """What came of a bench. ``plan_cost`` in US dollars, None: unknown.

    ``plan_cost_known`` is the part of it that is known, ``plan_unpriced_calls`` are the rest.
    """

    task: str
    plan_profile: str
    plan_cost: float | None
    plan_cost_known: float
    plan_unpriced_calls: int
    job_id: str
    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether every profile finished every node with green integration gates."""
        return all(row.ok for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``bench/summary.json``."""
        return {**encode(self), "cost_reduction_pct": reductions(self.rows)}


def bench_job(workspace: Workspace, options: BenchOptions) -> BenchReport:
    """Plan with the plan profile, run under each profile, and return the comparison.

    A profile that fails has its error in its row. A bench that was killed goes on where it
    stopped. Raises what planning raises, InterruptedRunError, DrainedError.
    """
    folder = workspace.home.bench
    workspace = replace(workspace, keeps_worktrees=False)  # each of its jobs has one run
    with job_lock(folder / "lock", "director bench"):
        planned = JobDirectory(folder / "plan", workspace.home.redactor)
        for config in options.profiles.values():  # before anything is paid for
            check_prerequisites(workspace, config)
        stage = _plan_once(workspace, planned, options)
        rows = [_run_profile(workspace, planned, options, name) for name in options.profiles]
        planning = cost_of_calls(read_calls(planned.costs))
        report = BenchReport(
            task=options.task,
            plan_profile=options.plan_profile,
            plan_cost=planning.total,
            plan_cost_known=planning.to_json()["cost_known"],
            plan_unpriced_calls=planning.unpriced_calls,
            job_id=stage.job_id,
            rows=tuple(rows),
        )
        files.write_json(folder / "summary.json", report.to_json())
        return report


def _plan_once(workspace: Workspace, planned: JobDirectory, options: BenchOptions) -> PlanStage:
    """Return the ready plan: that of an unfinished bench of the same task, else a new one."""
    stage = read_stage(planned)
    if stage is not None:
        asked = (options.task, workspace.repository.head())
        same = (stage.task, stage.base_commit) == asked
        summary = files.read_json(workspace.home.bench / "summary.json") or {}
        ended = stage.stage is Stage.READY and summary.get("job_id") == stage.job_id
        if same and not ended and stage.stage is Stage.READY:
            return stage
        if ended or not same:
            sweep_pool(planned.pool)
            JobDirectory(workspace.home.bench).archive(stage.job_id)
    profiles = options.profiles.items()
    models = [one for name, config in profiles for one in wanted_models(config, name)]
    wanted = PlanOptions(
        task=options.task, auto=True, parallel=options.parallel, wanted_later=tuple(models)
    )
    return plan_job(workspace, planned, options.planner, wanted).stage


def _run_profile(
    workspace: Workspace, planned: JobDirectory, options: BenchOptions, name: str
) -> Row:
    """Run one profile; whatever stops it, but a signal, stands in its row."""
    directory = JobDirectory(workspace.home.bench / "runs" / name, workspace.home.redactor)
    workspace.events.emit(Kind.BENCH_PROFILE_STARTED, profile=name)
    try:
        _prepare(workspace, planned, directory, name)
        wanted = RunOptions(parallel=options.parallel, max_attempts=options.max_attempts)
        report = run_job(workspace, directory, options.profiles[name], wanted)
        if isinstance(report.stop, InterruptedRunError | DrainedError):
            raise report.stop
        error = report.stop.what if report.stop else None
        row = row_of(name, report.metrics, error, report.reason)
    except (InterruptedRunError, DrainedError):
        raise
    except DirectorError as error:
        row = Row(profile=name, error=error.what, reason=error.reason)
    _tell_end(workspace, directory, row)
    if (metrics := files.read_text(directory.metrics)) is not None:
        files.write_text(workspace.home.bench / f"{name}.metrics.jsonl", metrics)
    workspace.events.emit(Kind.BENCH_PROFILE_ENDED, **encode(row))
    return row


def _tell_end(workspace: Workspace, directory: JobDirectory, row: Row) -> None:
    """Put on the profile's record how its job ended; the bench itself belongs to the plan's."""
    opened = workspace.opened
    if not opened or opened[-1].directory.path != directory.path:
        return
    what = row.error or f"{row.done} of {row.n_nodes} nodes are done"
    code = ExitCode.DONE if row.ok else ExitCode.WORK_FAILED
    tell_end(workspace, End("bench", row.reason, what, "" if row.ok else AGAIN, code))
    opened.pop()


def _prepare(
    workspace: Workspace, planned: JobDirectory, directory: JobDirectory, name: str
) -> None:
    """Give the profile a job of its own that begins at the frozen tests."""
    plan = planned.load_plan()
    if directory.plan.exists():
        return
    check_seal(planned, plan)
    frozen = open_job_repository(planned.repository, workspace.repository, plan.job_branch)
    job_id, branch = f"{plan.job_id}-{name}", f"{plan.job_branch}-{name}"
    create_job_repository(
        directory.repository,
        workspace.repository,
        branch,
        frozen.tip(),
        [planned.repository / "objects"],
    )
    if stage := read_stage(planned):  # what the gates said of the base holds for all profiles
        write_stage(directory, stage._replace(job_id=job_id, job_branch=branch))
    own = plan._replace(job_id=job_id, job_branch=branch)
    seal_plan(directory, own, frozen.tip())
    directory.save_plan(own)
