"""``director plan``: from a task to a plan with frozen tests."""

from __future__ import annotations

import argparse

from director.command_line.context import (
    Context,
    add_common_flags,
    add_events_flag,
    add_parallel_flag,
    find_repository,
    home_of,
    wants_json,
)
from director.command_line.dialogs.approving import ask_until_done
from director.command_line.dialogs.task_text import (
    add_task_arguments,
    edited_task,
    given_task,
    given_wishes,
)
from director.command_line.dialogs.terminal import Terminal, terminal_of
from director.command_line.output import add_output_flags, columns
from director.command_line.result import Result
from director.command_line.screens.plan_result import as_json, laid_out, plan_result, questions_text
from director.command_line.workspace import load_config, open_workspace
from director.job.context import Workspace
from director.model.errors import RequestError
from director.model.reason import Reason
from director.planning.context import PlanOptions
from director.planning.current_job import CONTINUE, left_to_do, named, next_command
from director.planning.deciding import DecisionNeededError
from director.planning.pipeline import PlanReport, plan_job, report_on, resume_job
from director.records import files
from director.reporting.terminal.style import USUAL
from director.repositories.history import History
from director.repositories.repository import Repository

EXAMPLES = (
    (
        'director plan "add a --json flag to the export command"',
        "plan a task; wait for approval of the spec, then of the plan",
    ),
    ("director plan --continue", "approve what is waiting, as it is on disk now"),
    (
        'director plan --revise "keep the old flag as an alias"',
        "have what is waiting changed as you say",
    ),
)
MODES = {
    "task": "a task",
    "file": "--file",
    "approve": "--continue",
    "resume": "--resume",
    "revise": "--revise",
    "drop": "--drop",
    "show": "--show",
}
"""What says what ``plan`` is to do, by the names of the arguments: one of them at a time."""

REFUSED = {
    "approve": ("new",),
    "resume": ("auto", "no_critique", "allow_broken_gates", "answer"),
    "revise": ("new", "auto", "no_critique", "answer"),
    "drop": ("new", "auto", "no_critique", "answer"),
    "show": ("new", "auto", "no_critique", "allow_broken_gates", "answer"),
    "task": ("answer",),
    "file": ("answer",),
}
"""Flags that make no sense beside another: what ``plan`` is to do → their names."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``plan``."""
    add_task_arguments(parser)
    _add_what_to_do(parser)
    _add_which_job(parser)
    _add_how_far(parser)
    add_parallel_flag(parser, "how many nodes' tests are written at once")
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def _add_what_to_do(parser: argparse.ArgumentParser) -> None:
    """Add the flags about what is waiting for approval."""
    parser.add_argument(
        "--continue",
        dest="approve",
        action="store_true",
        help="approve what is waiting, as it is on disk now, and continue",
    )
    parser.add_argument(
        "--revise",
        metavar="TEXT",
        help="have the waiting spec or plan changed as TEXT says; - reads standard input",
    )
    parser.add_argument(
        "--drop",
        metavar="NODE",
        action="append",
        default=[],
        help="remove a node that no other depends on from the plan (may be repeated)",
    )
    parser.add_argument(
        "--show", action="store_true", help="show the spec or the plan again, and change nothing"
    )
    parser.add_argument(
        "--answer",
        metavar='"N: TEXT"',
        action="append",
        default=[],
        help="answer question N of the planner, by the letter of an option or in words, and "
        "continue (may be repeated)",
    )


def _add_which_job(parser: argparse.ArgumentParser) -> None:
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


def _add_how_far(parser: argparse.ArgumentParser) -> None:
    """Add the flags about what planning waits for, and what it stops at."""
    parser.add_argument(
        "--auto",
        action="store_true",
        help="do not wait for approvals: the planner criticises its spec and its plan instead, "
        "once each",
    )
    parser.add_argument(
        "--no-critique",
        action="store_true",
        help="like --auto, but without the critiques",
    )
    parser.add_argument(
        "--allow-broken-gates",
        action="store_true",
        help="continue where [gates], or the existing tests, cannot run in a fresh worktree",
    )
    parser.add_argument("--no-input", action="store_true", help="ask nothing, even on a terminal")


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan up to the next approval, or to the end, and say how to continue."""
    terminal = terminal_of(args, context)
    mode = _mode(args, terminal)
    if mode == "show":
        return context.finish(args, _show(args, context))
    workspace = open_workspace(args, context)
    if mode == "resume":
        return context.finish(args, resumed(workspace, args.resume, new=args.new))
    config = load_config(workspace.home.config)
    options = _options(args, context, workspace, terminal, mode)

    def work(wanted: PlanOptions) -> PlanReport:
        return plan_job(workspace, workspace.home.job, config, wanted)

    try:
        report = work(options)
    except DecisionNeededError as error:
        return undecided(args, context, error)
    files.remove(workspace.home.message)
    asks = terminal is not None and not options.auto
    if terminal and asks:
        report = ask_until_done(terminal, report, options, work)
    known = asks and context.out.isatty()
    return context.finish(args, plan_result(report, columns(context), shown=asks, known=known))


def undecided(args: argparse.Namespace, context: Context, error: DecisionNeededError) -> int:
    """End with the planner's questions, where no person may answer. Returns the exit code."""
    report = report_on(error.directory)
    if not wants_json(args):
        context.say(questions_text(report.stage.questions, columns(context)))
    said = Result(
        "",
        {**as_json(report), "error": error.what},
        error.exit_code,
        error.what,
        error.next_step,
        error.reason,
        tuple(CONTINUE.split()),
        report.stage.job_id,
    )
    return context.fail(args, said)


def _mode(args: argparse.Namespace, terminal: Terminal | None) -> str:
    """Return what ``plan`` is to do, as MODES names it; "": the task is yet to be written.

    RequestError where nothing, or more than one thing, is said, or a flag makes no sense with it.
    """
    given = [name for name in MODES if getattr(args, name) not in (None, False, [])]
    if not given and args.answer:
        args.approve, given = True, ["approve"]
    if not given and terminal:
        given = [""]
    if len(given) != 1:
        raise RequestError(
            "plan needs a task, or one of --file, --continue, --revise, --drop, --show and "
            "--resume, and only one of them",
            'for example: director plan "add a --json flag to the list command"',
            Reason.USAGE,
        )
    mode = given[0]
    if mode == "drop" and not all(map(str.strip, args.drop)):
        raise RequestError("--drop: which node?", "name it: `director plan --drop NODE`")
    for name in REFUSED.get(mode or "task", ()):
        if getattr(args, name):
            flag = f"--{name.replace('_', '-')}"
            raise RequestError(
                f"{flag} cannot be combined with {MODES.get(mode, 'a task')}",
                "leave one of them out",
                Reason.USAGE,
            )
    return mode


def _options(
    args: argparse.Namespace,
    context: Context,
    workspace: Workspace,
    terminal: Terminal | None,
    mode: str,
) -> PlanOptions:
    """Return what planning is asked for; the task, or the wish, is read where it stands."""
    task = given_task(args, context) if mode in ("task", "file") else None
    if terminal and not mode:
        task = edited_task(terminal, workspace.home.message)
    return PlanOptions(
        task=task,
        approve=args.approve,
        revise=given_wishes(args, context) if mode == "revise" else "",
        drop=tuple(args.drop),
        answers=tuple(args.answer),
        auto=args.auto or args.no_critique,
        critique=not args.no_critique,
        parallel=args.parallel,
        new=args.new,
        allow_broken_gates=args.allow_broken_gates,
    )


def _show(args: argparse.Namespace, context: Context) -> Result:
    """Show what there is of the spec or the plan; only reads."""
    repository = find_repository(args, context)
    report = report_on(home_of(repository, context).job)
    return plan_result(report, columns(context), tests=_tests(repository, report))


def _tests(repository: Repository, report: PlanReport) -> dict[str, str]:
    """Return the texts of the plan's tests: as they are laid out, else as on the job branch."""
    history = History(repository.git)
    tip = history.tip_of(report.stage.job_branch)
    paths = {path for node in report.nodes for path in node.tests}
    found = history.contents(tip, paths) if tip else {}
    on_branch = {path: content.decode(errors="replace") for path, content in found.items()}
    return {**on_branch, **laid_out(report)}


def resumed(workspace: Workspace, job: str, *, new: bool) -> Result:
    """Bring an archived job back and say where it stands; what waits is passed by --continue.

    ``new`` sets aside a current job that is not finished.
    """
    report = resume_job(workspace, workspace.home.job, job, new=new)
    stage = report.stage
    where = left_to_do(report.directory, stage) or "nothing is left to do"
    what = f"Job {named(stage)} is the current one again: {where}"
    text = f"{what}.\nNext: {next_command(stage)}"
    return plan_result(report, USUAL, shown=True)._replace(text=text, what=what)
