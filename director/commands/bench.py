"""``director bench``: one task under several profiles."""

from __future__ import annotations

import argparse

from director.benching.bench import BenchOptions, BenchReport, bench_job
from director.command_line.context import (
    Context,
    add_common_flags,
    add_events_flag,
    add_parallel_flag,
)
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.workspace import load_config, open_workspace
from director.commands.run import add_attempts_flag
from director.model.comparison import BASELINE
from director.model.config import Config
from director.model.errors import ExitCode, RequestError
from director.model.format import counted
from director.model.plan_reader import NODE_ID
from director.records.job_directory import Home
from director.reporting.bench_table import render_bench

EXAMPLES = (
    (
        'director bench "sort imports" --profiles all-frontier,cheap',
        "compare two profiles on one task",
    ),
    ('director bench "sort imports" --profiles a,b,c --parallel 4', "with four nodes at a time"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``bench``."""
    parser.add_argument("task", help="what is to be done: planned once, run under each profile")
    parser.add_argument(
        "--profiles", metavar="A,B,C", required=True, help="names of .director/profiles/<name>.toml"
    )
    parser.add_argument(
        "--plan-profile",
        metavar="P",
        help=f"the profile that plans (default: {BASELINE} if listed, else the first)",
    )
    add_parallel_flag(parser, "nodes worked on at once")
    add_attempts_flag(parser)
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan once, run each profile, print the comparison."""
    if not args.task.strip():
        raise RequestError("the task is empty", "say in a sentence or more what is to be done")
    names = list(dict.fromkeys(name.strip() for name in args.profiles.split(",") if name.strip()))
    if not names:
        raise RequestError(
            "--profiles names no profile", "for example: --profiles all-frontier,cheap"
        )
    plan_profile = args.plan_profile or (BASELINE if BASELINE in names else names[0])
    workspace = open_workspace(args, context)
    loaded = {name: _load(workspace.home, name) for name in dict.fromkeys([*names, plan_profile])}
    report = bench_job(
        workspace,
        BenchOptions(
            task=context.redactor.text(args.task.strip()),
            profiles={name: loaded[name] for name in names},
            plan_profile=plan_profile,
            planner=loaded[plan_profile],
            parallel=args.parallel,
            max_attempts=args.max_attempts,
        ),
    )
    return context.finish(args, _result(report))


def _result(report: BenchReport) -> Result:
    """Return what the bench came to; profiles that did not finish are named."""
    summary = report.to_json()
    behind = [row.profile for row in report.rows if not row.ok]
    what = f"{counted(len(report.rows), 'profile')} compared"
    next_step = ""
    if behind:
        what += f"; not finished: {', '.join(behind)}"
        next_step = "see why in the table, then run the command again"
    return Result(
        render_bench(summary),
        summary,
        ExitCode.DONE if report.ok else ExitCode.WORK_FAILED,
        what,
        next_step,
        next((row.reason for row in report.rows if not row.ok), None),
        job_id=report.job_id,
    )


def _load(home: Home, name: str) -> Config:
    if not NODE_ID.fullmatch(name):
        raise RequestError(
            f"{name!r} is not a profile's name", "use letters, digits, '-', '_', '.'"
        )
    path = home.profile(name)
    if not path.exists():
        known = sorted(one.stem for one in path.parent.glob("*.toml"))
        raise RequestError(
            f"there is no profile {name!r} ({path})",
            f"profiles there: {', '.join(known)}" if known else f"copy {home.config} to it",
        )
    return load_config(path)
