"""One run of a bench: a job of its own that begins at the frozen tests."""

from typing import Any, NamedTuple

from director.benching.records import BenchRecords
from director.job.context import Workspace
from director.job.ending import End, tell_end
from director.job.seal import check_seal, seal_plan
from director.job.stage import read_stage, write_stage
from director.model.codec.encoding import encode
from director.model.comparison import Row, row_of
from director.model.config import Config
from director.model.errors import (
    AGAIN,
    DirectorError,
    DrainedError,
    ExitCode,
    InterruptedRunError,
)
from director.model.experiment import Sample, Turn
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.repositories.job_repository import create_job_repository, open_job_repository
from director.running.run import RunOptions, run_job


class OneRun(NamedTuple):
    """A run to do: ``config`` is its profile's."""

    turn: Turn
    config: Config
    options: RunOptions


def do_run(workspace: Workspace, records: BenchRecords, one: OneRun) -> Sample:
    """Do a run, or the rest of one; whatever stops it, but a signal, stands in its row.

    Raises InterruptedRunError and DrainedError.
    """
    turn, directory = one.turn, records.run(one.turn)
    resumed = directory.state.exists()
    where: dict[str, Any] = {"task": turn.task, "repeat": turn.repeat}
    workspace.events.emit(Kind.BENCH_PROFILE_STARTED, profile=turn.profile, **where)
    row = _row_of(workspace, records, one, directory)
    _tell_end(workspace, directory, row)
    if (metrics := files.read_text(directory.metrics)) is not None:
        files.write_text(records.metrics_copy(turn), metrics)
    workspace.events.emit(Kind.BENCH_PROFILE_ENDED, **{**encode(row), **where})
    return Sample(turn, _job_id(records, turn), row, resumed)


def _row_of(
    workspace: Workspace, records: BenchRecords, one: OneRun, directory: JobDirectory
) -> Row:
    name = one.turn.profile
    try:
        _prepare(workspace, records.planned(one.turn.task), directory, one.turn.name)
        report = run_job(workspace, directory, one.config, one.options)
        if isinstance(report.stop, InterruptedRunError | DrainedError):
            raise report.stop
        error = report.stop.what if report.stop else None
        return row_of(name, report.metrics, error, report.reason)
    except (InterruptedRunError, DrainedError):
        raise
    except DirectorError as error:
        return Row(profile=name, error=error.what, reason=error.reason)


def _job_id(records: BenchRecords, turn: Turn) -> str:
    stage = read_stage(records.planned(turn.task))
    return f"{stage.job_id}-{turn.name}" if stage else ""


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
    """Give the run a job of its own that begins at the frozen tests."""
    plan = planned.load_plan()
    if directory.plan.exists():
        return
    seal = check_seal(planned, plan)
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
    seal_plan(directory, own, frozen.tip(), seal.merge_gate)
    directory.save_plan(own)
