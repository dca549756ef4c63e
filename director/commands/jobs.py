"""``director jobs``: all jobs of the repository, and which of them is the current one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from director.command_line.context import (
    Context,
    add_common_flags,
    find_repository,
    home_of,
    wants_json,
)
from director.command_line.output import add_color_flag, style_of_output
from director.command_line.result import Result
from director.model.errors import RequestError
from director.model.format import counted
from director.model.reason import Reason
from director.records.known_jobs import known_jobs
from director.reporting.job_list import ListedJob, list_jobs
from director.reporting.job_table import jobs_json, render_jobs

EXAMPLES = (
    ("director jobs", "list all jobs, archived ones and those of benches too"),
    ("director jobs --resume 20261121-0800", "make an archived job the current one again"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``jobs``."""
    parser.add_argument(
        "--resume",
        metavar="JOB",
        help="make an archived job (its id, or the beginning of it) the current one again",
    )
    parser.add_argument(
        "--new",
        action="store_true",
        help="with --resume: set aside a current job that is not finished, instead of refusing",
    )
    add_color_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """List the jobs, or bring one back."""
    if args.resume is not None:
        return _resume(args, context)
    if args.new:
        raise RequestError("--new needs --resume", "leave it out", Reason.USAGE)
    repository = find_repository(args, context)
    jobs = list_jobs(known_jobs(home_of(repository, context)), repository.git)
    return context.finish(args, _result(args, context, jobs))


def _resume(args: argparse.Namespace, context: Context) -> int:
    from director.command_line.workspace import open_workspace
    from director.commands.plan import resumed  # all of planning: slow to import

    workspace = open_workspace(args, context)
    return context.finish(args, resumed(workspace, args.resume, new=args.new))


def _result(args: argparse.Namespace, context: Context, jobs: Sequence[ListedJob]) -> Result:
    now = time.time()
    current = next((one.id for one in jobs if one.current), None)
    return Result(
        "" if wants_json(args) else render_jobs(jobs, style_of_output(args, context), now),
        {"jobs": jobs_json(jobs, now)},
        what=counted(len(jobs), "job"),
        job_id=current,
    )
