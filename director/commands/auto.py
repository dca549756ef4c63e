"""``director auto``: plan without approvals, then run."""

from __future__ import annotations

import argparse
import math
import shlex
from collections.abc import Mapping
from typing import Any

from director.command_line.context import (
    Context,
    add_common_flags,
    add_events_flag,
    add_parallel_flag,
    wants_json,
)
from director.command_line.dialogs.task_text import add_task_arguments, given_task
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.screens.job_screen import screen_of
from director.command_line.screens.plan_result import plan_result
from director.command_line.workspace import load_config, open_workspace
from director.commands.plan import undecided
from director.commands.run import add_attempts_flag, result_of
from director.job.context import Workspace
from director.job.stage import Stage
from director.model.config import Config
from director.model.errors import RequestError, StoppedError
from director.model.format import money
from director.model.reason import Reason
from director.planning.context import PlanOptions
from director.planning.current_job import continued
from director.planning.deciding import DecisionNeededError, refuse_answers
from director.planning.pipeline import PlanReport, plan_job, report_on
from director.records.ledger import cost_of_calls, read_calls
from director.reporting.terminal.style import USUAL
from director.running.run import RunOptions, RunReport, run_job

EXAMPLES = (
    (
        'director auto "add a --json flag to the export command" --max-cost 2',
        "plan and run a task for two US dollars at most, without questions",
    ),
    (
        'director auto "add a --json flag to the export command" --json',
        "the same for a program: one JSON object at the end",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``auto``."""
    add_task_arguments(parser)
    parser.add_argument(
        "--max-cost",
        metavar="USD",
        type=dollars,
        help="the most that plan and run may cost together, this time, in US dollars (default: as "
        "configured; the lower of the two counts)",
    )
    parser.add_argument(
        "--answer",
        metavar='"N: TEXT"',
        action="append",
        default=[],
        help="answer question N of the planner, where it asked (may be repeated)",
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="set aside a job that is not finished, instead of refusing to begin another",
    )
    parser.add_argument(
        "--allow-broken-gates",
        action="store_true",
        help="continue where [gates], or the existing tests, cannot run in a fresh worktree",
    )
    add_parallel_flag(parser, "how many nodes are worked on at once")
    add_attempts_flag(parser)
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def dollars(text: str) -> float:
    """Return an amount of US dollars above 0 (argparse type)."""
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount of US dollars above 0")
    return amount


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan, run, print what both came to, and return how that ended.

    The same task again continues where it stopped.
    """
    task = _task(args, context)
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    limited = _limited(args, workspace, config, task)
    try:
        planned = _plan(args, workspace, limited, task)
    except DecisionNeededError as error:
        return undecided(args, context, error)
    except StoppedError as error:
        error.next_step = _advice(args, error.reason, error.next_step, limited, config, task)
        raise
    options = RunOptions(parallel=args.parallel, max_attempts=args.max_attempts)
    report = run_job(workspace, workspace.home.job, limited, options)
    if stop := report.stop:
        stop.next_step = _advice(args, stop.reason, stop.next_step, limited, config, task)
    text = "" if wants_json(args) else _screen(args, context, workspace, report)
    done = result_of(report, text)
    return context.finish(args, done._replace(data=_data(planned, done)))


def _screen(
    args: argparse.Namespace, context: Context, workspace: Workspace, report: RunReport
) -> str:
    """Return the screen of the job, which ``status`` shows from now on."""
    directory = workspace.home.job
    return screen_of(args, context, directory, stop=report.stop, unpublished=report.unpublished)


def _task(args: argparse.Namespace, context: Context) -> str:
    if (args.task is None) == (args.file is None):
        raise RequestError(
            "auto needs a task, or --file, and only one of them",
            'for example: director auto "add a --json flag to the list command" --max-cost 2',
            Reason.USAGE,
        )
    return given_task(args, context)


def _limited(args: argparse.Namespace, workspace: Workspace, config: Config, task: str) -> Config:
    """Return the configuration with the ceiling of this time: above what was spent before."""
    if args.max_cost is None:
        return config
    before = 0.0
    if not args.new and continued(workspace, workspace.home.job, task):
        before = cost_of_calls(read_calls(workspace.home.job.costs)).usd
    most = before + args.max_cost
    configured = config.limits.cost_ceiling_usd
    ceiling = min(most, configured) if configured else most
    return config._replace(limits=config.limits._replace(cost_ceiling_usd=ceiling))


def _plan(args: argparse.Namespace, workspace: Workspace, config: Config, task: str) -> PlanReport:
    """Plan up to the end, unless that is done."""
    directory = workspace.home.job
    before = None if args.new else continued(workspace, directory, task)
    if args.answer:
        refuse_answers(before)
    if before and before.stage is Stage.READY:
        return report_on(directory)
    options = PlanOptions(
        task=task,
        auto=True,
        critique=False,
        answers=tuple(args.answer),
        by_file=True,
        parallel=args.parallel,
        new=args.new,
        allow_broken_gates=args.allow_broken_gates,
    )
    return plan_job(workspace, directory, config, options)


def _advice(
    args: argparse.Namespace,
    reason: Reason | None,
    next_step: str,
    limited: Config,
    config: Config,
    task: str,
) -> str:
    """Return the next step; where ``--max-cost`` was the ceiling, it is what can be raised."""
    reached, configured = limited.limits.cost_ceiling_usd, config.limits.cost_ceiling_usd
    if reason is not Reason.CEILING or reached == configured:
        return next_step
    again = shlex.join(["director", "auto", *_words(args, task)])
    return f"`{again}` continues for {money(args.max_cost)} more; `director run` without a limit"


def _words(args: argparse.Namespace, task: str) -> list[str]:
    source = ["--file", str(args.file)] if args.file else [task]
    return [*source, "--max-cost", f"{args.max_cost:g}"]


def _data(planned: PlanReport, done: Result) -> Mapping[str, Any]:
    """Return what ``--json`` says: of the run, and of the plan below ``plan``."""
    return {**done.data, "plan": plan_result(planned, USUAL, shown=True).data}
