"""``director logs``: what agents did and gates said, as people read it."""

import argparse
import threading

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.output import add_color_flag, style_of_output
from director.command_line.result import Result
from director.command_line.screens.log_parts import (
    Asked,
    log_result,
    output,
    print_log,
    printer_of,
)
from director.model.errors import ExitCode, RequestError
from director.model.format import counted
from director.model.naming import known_node
from director.model.plan import Plan
from director.model.reason import Reason
from director.model.state import NodeStatus
from director.records.job_directory import JobDirectory
from director.records.known_jobs import job_called
from director.records.resolutions import LAND
from director.reporting.logs.job_logs import INTEGRATION, PLAN, read_log, read_logs
from director.reporting.logs.node_log import AttemptLog, IntegrationLog, NodeLog, PlanLog

EXAMPLES = (
    ("director logs slug", "what agents did at the node slug, step by step"),
    ("director logs slug --gate", "the output of the last gate there"),
    ("director logs slug --follow", "watch an agent at work"),
    ("director logs --failed", "why nodes failed: the last attempt of each"),
)
LANDING = "land"
PAUSE_SECS = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``logs``."""
    parser.add_argument(
        "node",
        metavar="NODE",
        nargs="?",
        help=f"a node, or the beginning of its id; `{PLAN}`: the calls of planning; "
        f"`{INTEGRATION}`: the integration gates; `{LANDING}`: the calls of `land --resolve`",
    )
    parser.add_argument(
        "--attempt", metavar="N", type=int, help="this attempt only (default: all, in order)"
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--follow", action="store_true", help="follow until the node ends, or ctrl-C"
    )
    shown.add_argument("--raw", action="store_true", help="the events as the agent CLI wrote them")
    shown.add_argument(
        "--gate", action="store_true", help="the gate's output (of the last attempt)"
    )
    shown.add_argument("--prompt", action="store_true", help="the prompt (of the last attempt)")
    shown.add_argument(
        "--failed", action="store_true", help="the last attempt of every failed node, in brief"
    )
    parser.add_argument(
        "--job", metavar="JOB", help="an archived job, or one of a bench (default: the current one)"
    )
    add_color_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the logs; reads records only."""
    _check(args)
    home = find_home(args, context)
    directory = job_called(home, args.job)
    if not directory.has_records():
        raise RequestError(f"there is no job in {directory.path}", 'begin with `director plan "…"`')
    plan = directory.load_plan() if directory.plan.exists() else None
    if args.failed:
        return _show_failed(args, context, directory, plan)
    log = _log_of(args.node, plan)
    if args.follow:
        return _follow(Asked(args, context, directory, plan, log, None))
    read_log(directory, log)
    asked = Asked(args, context, directory, plan, log, _attempt(args, log))
    if args.json:
        return context.finish(args, log_result(asked))
    return print_log(asked)


def _check(args: argparse.Namespace) -> None:
    """Raise RequestError for flags that do not go together."""
    problem = ""
    if not args.node and not args.failed:
        problem = "name a node, `plan` or `integration`"
    elif args.node and args.failed:
        problem = "--failed shows all failed nodes: leave out the node"
    elif args.attempt is not None and (args.follow or args.node in (PLAN, INTEGRATION)):
        problem = "--attempt needs a node, and cannot be combined with --follow"
    elif args.json and (args.follow or args.raw):
        problem = "--json cannot be combined with --follow or --raw"
    elif args.node == PLAN and args.gate:
        problem = "planning has no gate of its own"
    elif args.node == INTEGRATION and (args.raw or args.prompt):
        problem = "integration gates have neither prompts nor events"
    if problem:
        raise RequestError(problem, "see `director logs --help`", Reason.USAGE)


def _log_of(word: str, plan: Plan | None) -> NodeLog:
    """Return an empty log of what ``word`` names."""
    if word in (PLAN, INTEGRATION):
        return (PlanLog if word == PLAN else IntegrationLog)(word)
    if word in (LANDING, LAND) and (plan is None or word not in plan):
        return NodeLog(LAND)
    if plan is None:
        raise RequestError(
            f"there is no node {word} yet: the job is still being planned",
            "`director logs plan` shows the calls so far",
        )
    return NodeLog(known_node(plan, word).id)


def _attempt(args: argparse.Namespace, log: NodeLog) -> AttemptLog | None:
    """Return the attempt that was asked for; RequestError where there is none."""
    if args.attempt is None:
        return None
    if (found := log.attempt(args.attempt)) and args.attempt > 0:
        return found
    made = sorted({one.number for one in log.numbered})
    raise RequestError(
        f"{log.node} has no attempt {args.attempt}",
        f"there are: {', '.join(map(str, made))}" if made else "none was made yet",
        Reason.USAGE,
    )


def _follow(asked: Asked) -> int:
    from director.reporting.logs.following import LogFollower
    from director.reporting.terminal.streams import reader_is_gone

    never, cancellation = threading.Event(), asked.context.cancellation

    def pause() -> bool:
        asked.context.out.flush()
        never.wait(PAUSE_SECS)
        return cancellation.requested or reader_is_gone(asked.context.out)

    printer = printer_of(asked, asked.context.out)
    LogFollower(asked.directory, asked.log, printer).follow(pause)
    return int(ExitCode.INTERRUPTED) if cancellation.requested else ExitCode.DONE


def _show_failed(
    args: argparse.Namespace, context: Context, directory: JobDirectory, plan: Plan | None
) -> int:
    from director.reporting.logs.failed_view import failed_json, failed_lines

    failed = []
    if plan:
        state = directory.load_state(plan)
        failed = [node for node in plan.nodes if node.id in state.ids(NodeStatus.FAILED)]
    logs = read_logs(directory, [node.id for node in failed])
    if args.json:
        data = failed_json(logs, directory, context.redactor)
        job_id = plan.job_id if plan else None
        return context.finish(args, Result("", {"failed": data}, job_id=job_id))
    with output(context) as out:
        style = style_of_output(args, context)
        print(f"{counted(len(failed), 'node')} failed", file=out)
        for line in failed_lines(logs, directory, directory.root, style, context.redactor):
            print(context.redactor.text(style.plain(line)), file=out)
    return ExitCode.DONE
