"""``director bench``: one task, or several, under several profiles, as often as you say."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from director.benching.bench import BenchOptions, bench_job, extend_bench, no_bench
from director.benching.records import BenchRecords
from director.benching.tasks import read_tasks
from director.command_line.context import (
    Context,
    add_common_flags,
    add_events_flag,
    add_parallel_flag,
    find_home,
    positive,
)
from director.command_line.output import add_output_flags
from director.command_line.screens.bench_result import print_earlier, result_of
from director.command_line.workspace import load_config, open_workspace
from director.commands.auto import dollars
from director.commands.run import add_attempts_flag
from director.model.comparison import BASELINE
from director.model.config import Config
from director.model.errors import RequestError
from director.model.experiment import Asked
from director.model.plan_reader import NODE_ID
from director.model.reason import Reason
from director.records.job_directory import Home

EXAMPLES = (
    (
        'director bench "sort imports" --profiles all-frontier,cheap --repeat 6',
        "compare two profiles on one task, six times",
    ),
    (
        "director bench --tasks tasks --profiles a,b --repeat 3 --max-cost 20",
        "on each task in a folder, for 20 US dollars at most",
    ),
    ("director bench --show", "show what the last bench says"),
    ("director bench --more 4", "repeat the last bench four more times, on the same plan"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``bench``."""
    parser.add_argument(
        "task",
        metavar="TASK",
        nargs="?",
        help="what is to be done: planned once, run under each profile",
    )
    parser.add_argument(
        "--tasks", metavar="DIR", type=Path, help="several tasks: a file for each (.md, .txt)"
    )
    parser.add_argument(
        "--profiles", metavar="A,B,C", help="names of .director/profiles/<name>.toml"
    )
    parser.add_argument(
        "--plan-profile",
        metavar="P",
        help=f"the profile that plans (default: {BASELINE} if listed, else the first)",
    )
    parser.add_argument(
        "--repeat",
        metavar="N",
        type=positive,
        help="run each profile N times, in turns (default: 1, which decides nothing; "
        "intervals need 6)",
    )
    parser.add_argument(
        "--max-cost",
        metavar="USD",
        type=dollars,
        help="spend no more than this in all; a repeat begins only if there is room for it",
    )
    _add_earlier(parser)
    add_parallel_flag(parser, "how many nodes are worked on at once")
    add_attempts_flag(parser)
    parser.add_argument("--markdown", action="store_true", help="print the result as Markdown")
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def _add_earlier(parser: argparse.ArgumentParser) -> None:
    earlier = parser.add_argument_group("the last bench").add_mutually_exclusive_group()
    earlier.add_argument("--show", action="store_true", help="show what it says; run nothing")
    earlier.add_argument(
        "--again", action="store_true", help="do it again from the beginning, with a new plan"
    )
    earlier.add_argument(
        "--more", metavar="K", type=positive, help="add K repeats to it, on the plan that it has"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Plan once, run each profile, print the comparison."""
    if args.markdown and (args.json or args.events):
        raise _usage("--markdown and --json are two forms of one result", "give one of them")
    if args.show or args.again or args.more:
        return _last(args, context)
    options = _options(args, context, _names(args), _tasks(args, context))
    workspace = open_workspace(args, context)
    return context.finish(args, result_of(args, context, bench_job(workspace, options)))


def _last(args: argparse.Namespace, context: Context) -> int:
    """Show the last bench, do it again, or more of it."""
    if args.task or args.tasks or args.profiles or args.plan_profile:
        given = "--show" if args.show else "--again" if args.again else "--more"
        raise _usage(f"{given} is about the last bench", "leave the task and the profiles out")
    if args.show:
        return print_earlier(args, context)
    experiment = BenchRecords(find_home(args, context)).experiment()
    if experiment is None:
        raise no_bench()
    asked = experiment.asked
    options = _options_of(args, context, asked)
    workspace = open_workspace(args, context)
    work = extend_bench if args.more else bench_job
    if args.again:
        BenchRecords(workspace.home).end()
    return context.finish(args, result_of(args, context, work(workspace, options)))


def _options_of(args: argparse.Namespace, context: Context, asked: Asked) -> BenchOptions:
    """Return the options of the last bench; flags that are given take the place of its own."""
    args.plan_profile = asked.plan_profile
    args.parallel = asked.parallel if args.parallel == 1 else args.parallel
    args.max_attempts = args.max_attempts or asked.max_attempts
    args.max_cost = args.max_cost or asked.max_cost
    if args.more and args.repeat:
        raise _usage("--more says how many repeats are added", "leave --repeat out")
    args.repeat = asked.repeats + args.more if args.more else args.repeat or asked.repeats
    return _options(args, context, list(asked.profiles), dict(asked.tasks))


def _names(args: argparse.Namespace) -> list[str]:
    if args.profiles is None:
        raise _usage("--profiles is missing", "for example: --profiles all-frontier,cheap")
    names = list(dict.fromkeys(name.strip() for name in args.profiles.split(",") if name.strip()))
    if not names:
        raise _usage("--profiles names no profile", "for example: --profiles all-frontier,cheap")
    return names


def _tasks(args: argparse.Namespace, context: Context) -> dict[str, str]:
    """Return name → text of what is to be done; "" is the name of the only task."""
    if args.tasks is not None:
        if args.task is not None:
            raise _usage("a task and --tasks", "give one of them")
        tasks = read_tasks(args.tasks)
    elif args.task is None:
        raise _usage("there is no task", "say what is to be done, or name a folder with --tasks")
    else:
        tasks = {"": args.task.strip()}
    if not all(tasks.values()):
        raise RequestError("the task is empty", "describe the task in a sentence or more")
    return {name: context.redactor.text(text) for name, text in tasks.items()}


def _options(
    args: argparse.Namespace, context: Context, names: Sequence[str], tasks: Mapping[str, str]
) -> BenchOptions:
    plan_profile = args.plan_profile or (BASELINE if BASELINE in names else names[0])
    home = find_home(args, context)
    loaded = {name: _load(home, name) for name in dict.fromkeys([*names, plan_profile])}
    return BenchOptions(
        tasks=tasks,
        profiles={name: loaded[name] for name in names},
        plan_profile=plan_profile,
        planner=loaded[plan_profile],
        parallel=args.parallel,
        max_attempts=args.max_attempts,
        repeats=args.repeat or 1,
        max_cost=args.max_cost,
    )


def _usage(what: str, next_step: str) -> RequestError:
    return RequestError(what, next_step, Reason.USAGE)


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
