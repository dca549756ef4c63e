"""``director plan``: from a task to a plan with frozen tests."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from director.commands.context import Context, add_common_flags, add_events_flag, add_parallel_flag
from director.commands.output import add_output_flags
from director.commands.result import Result
from director.commands.workspace import load_config, open_workspace
from director.job.context import Workspace
from director.job.stage import Stage
from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.format import counted
from director.model.integration_gates import as_before, not_counting
from director.planning.context import PlanOptions
from director.planning.current_job import GO_ON, left_to_do, named, next_command
from director.planning.pipeline import PlanReport, plan_job, resume_job

BYTE_ORDER_MARK = "\ufeff"
EXAMPLES = (
    (
        'director plan "add a --json flag to the export command"',
        "plan a task; wait for approval of the spec, then of the plan",
    ),
    ("director plan --continue", "approve what is waiting, as it is on disk now"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``plan``."""
    parser.add_argument("task", nargs="?", help="what is to be done; - reads standard input")
    parser.add_argument("--file", metavar="F", type=Path, help="read the task from a file")
    parser.add_argument(
        "--continue",
        dest="approve",
        action="store_true",
        help="approve what lies at the gate, as it is on disk now, and continue",
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="set aside a job that is not finished, instead of refusing to begin another",
    )
    parser.add_argument(
        "--resume",
        metavar="JOB",
        help="make an archived job the current one again, and say how to continue it",
    )
    parser.add_argument(
        "--auto",
        action="store_true",
        help="do not wait at gates: the planner criticises its own work instead, once per gate",
    )
    parser.add_argument(
        "--no-critique", action="store_true", help="do not wait at gates, and no critique either"
    )
    parser.add_argument(
        "--allow-broken-gates",
        action="store_true",
        help="go on where [gates], or the existing tests, cannot run in a fresh worktree",
    )
    add_parallel_flag(parser, "nodes whose tests are written at once")
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan up to the next gate, or to the end, and say how to go on."""
    options = PlanOptions(
        task=_task(args, context),
        approve=args.approve,
        auto=args.auto or args.no_critique,
        critique=not args.no_critique,
        parallel=args.parallel,
        new=args.new,
        allow_broken_gates=args.allow_broken_gates,
    )
    workspace = open_workspace(args, context)
    if args.resume is not None:
        return _resume(args, context, workspace)
    config = load_config(workspace.home.config)
    report = plan_job(workspace, workspace.home.job, config, options)
    return context.finish(args, _result(report, _as_text(report)))


def _result(report: PlanReport, text: str) -> Result:
    """Return where planning stands; ``next`` is the command that continues it."""
    command = next_command(report.stage)
    return Result(
        text,
        _as_json(report),
        what=_what(report),
        next_step=command,
        next_command=tuple(command.split()),
        job_id=report.stage.job_id,
    )


def _what(report: PlanReport) -> str:
    """Return one sentence for where planning stands."""
    match report.stage.stage:
        case Stage.SPEC_APPROVAL:
            return "The spec waits for approval (gate 1)"
        case Stage.PLAN_APPROVAL:
            return "The plan waits for approval (gate 2)"
        case Stage.READY:
            return f"The plan is ready: {counted(len(report.nodes), 'node')}, tests frozen and red"
    return "Planning is not finished"


def _resume(args: argparse.Namespace, context: Context, workspace: Workspace) -> int:
    """Bring an archived job back and say where it stands; a gate is passed by --continue only."""
    report = resume_job(workspace, workspace.home.job, args.resume, new=args.new)
    stage = report.stage
    where = left_to_do(report.directory, stage) or "nothing is left to do"
    text = f"Job {named(stage)} is the current one again: {where}.\n"
    return context.finish(args, _result(report, f"{text}Continue with: {next_command(stage)}"))


def _task(args: argparse.Namespace, context: Context) -> str | None:
    given = [args.task is not None, args.file is not None, args.approve, args.resume is not None]
    if sum(given) != 1:
        raise RequestError(
            "plan needs a task, or --file, or --continue, or --resume, and only one of them",
            'for example: director plan "add a --json flag to the list command"',
        )
    if args.approve and args.new:
        raise RequestError(
            "--new begins another job, --continue continues this one", "leave one of them out"
        )
    if args.approve or args.resume is not None:
        return None
    text = context.redactor.text(_read_task(args, context))
    if not text.strip():
        raise RequestError("the task is empty", "say in a sentence or more what is to be done")
    return text.strip()


def _read_task(args: argparse.Namespace, context: Context) -> str:
    if args.file is None and args.task != "-":
        return str(args.task)
    source = args.file or "standard input"
    try:
        given = args.file.read_text(encoding="utf-8") if args.file else context.stdin.read()
        return str(given).removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise RequestError(f"cannot read {source}: {error.strerror}", "name another") from None
    except UnicodeDecodeError:
        raise RequestError(f"{source} is not text (UTF-8)", "name another") from None


def _look_at(report: PlanReport) -> list[str]:
    directory = report.directory
    if not report.paused:
        return []
    if report.stage.stage is Stage.SPEC_APPROVAL:
        return [str(directory.spec)]
    base, branch = report.stage.base_commit[:12], report.stage.job_branch
    return [str(directory.plan), f"git diff {base} {branch}", str(directory.tests)]


def _as_json(report: PlanReport) -> dict[str, Any]:
    return {
        "task": report.stage.task,
        "stage": report.stage.stage,
        "paused": report.paused,
        "job_branch": report.stage.job_branch,
        "base_commit": report.stage.base_commit,
        "nodes": [node.id for node in report.nodes],
        "test_support": [{"node": node_id, "path": path} for node_id, path in _support(report)],
        "base_gates": report.stage.base_gates or {},
        "base_gates_words": _gates(report),
        "preflight": encode(report.stage.preflight) if report.stage.preflight else None,
        "cost_usd": report.cost.total,
        **report.cost.totals(),
        "look_at": _look_at(report),
    }


def _as_text(report: PlanReport) -> str:
    spent = f"so far: {report.cost.in_words()}"
    match report.stage.stage:
        case Stage.SPEC_APPROVAL:
            (spec,) = _look_at(report)
            return f"Gate 1: read {spec} and edit it as you like ({spent}).\nContinue with: {GO_ON}"
        case Stage.PLAN_APPROVAL:
            plan, diff, tests = _look_at(report)
            return (
                f"Gate 2: read {plan} and `{diff}` (the tests), "
                f"edit the tests in {tests} ({spent}).\n{_told(report)}{_not_counting(report)}"
                f"Continue with: {GO_ON}"
            )
    nodes = counted(len(report.nodes), "node")
    return (
        f"The plan is ready: {nodes}, tests frozen and red ({spent}).\nContinue with: director run"
    )


def _gates(report: PlanReport) -> str:
    """Return which gates are red or broken on the base, in words; "": none is."""
    return as_before(not_counting(report.stage.base_gates or {}))


def _not_counting(report: PlanReport) -> str:
    """Return the line that says which gates judge no work, or ""."""
    named = _gates(report)
    return f"These gates fail on the base and judge no work: {named}.\n" if named else ""


def _support(report: PlanReport) -> list[tuple[str, str]]:
    return [(node.id, path) for node in report.nodes for path in node.test_support]


def _told(report: PlanReport) -> str:
    """Return the line that says which nodes may change how tests run, or ""."""
    named = ", ".join(f"{path} ({node_id})" for node_id, path in _support(report))
    return f"Nodes may change files that decide how tests run: {named}.\n" if named else ""
