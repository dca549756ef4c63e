"""``director logs``: what agents did and gates said, as people read it."""

import argparse
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.output import add_color_flag, style_of_output
from director.command_line.result import Result
from director.model.errors import ExitCode, RequestError
from director.model.format import counted
from director.model.naming import known_node
from director.model.plan import Plan
from director.model.reason import Reason
from director.model.state import NodeStatus
from director.records.job_directory import JobDirectory
from director.records.known_jobs import job_called
from director.records.resolutions import LAND
from director.reporting.logs.job_logs import INTEGRATION, PLAN, log_path, read_log, read_logs
from director.reporting.logs.node_log import AttemptLog, IntegrationLog, NodeLog, PlanLog
from director.reporting.logs.step_view import quoted

EXAMPLES = (
    ("director logs slug", "what agents did at the node slug, step by step"),
    ("director logs slug --gate", "the output of the last gate there"),
    ("director logs slug --follow", "watch an agent at work"),
    ("director logs --failed", "why nodes failed, of each the last attempt"),
)
LANDING = "land"
PAUSE_SECS = 0.2
LOOKS_EVERY = 500  # lines between looks at whether the output is still read
PARTS = ("raw", "gate", "prompt")


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
        "--follow", action="store_true", help="continue until the node ends, or ctrl-C"
    )
    shown.add_argument("--raw", action="store_true", help="the events as the agent CLI wrote them")
    shown.add_argument(
        "--gate", action="store_true", help="the gate's output (of the last attempt)"
    )
    shown.add_argument("--prompt", action="store_true", help="the prompt (of the last attempt)")
    shown.add_argument(
        "--failed", action="store_true", help="of all failed nodes the last attempt, in short"
    )
    parser.add_argument(
        "--job", metavar="JOB", help="an archived job, or one of a bench (default: the current one)"
    )
    add_color_flag(parser)
    add_common_flags(parser)


class _Asked(NamedTuple):
    """What is to be shown: of which job and node; ``plan`` None: there is none yet."""

    args: argparse.Namespace
    context: Context
    directory: JobDirectory
    plan: Plan | None
    log: NodeLog
    one: AttemptLog | None  # of ``--attempt``

    @property
    def job_id(self) -> str | None:
        return self.plan.job_id if self.plan else None


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
        return _follow(_Asked(args, context, directory, plan, log, None))
    read_log(directory, log)
    asked = _Asked(args, context, directory, plan, log, _attempt(args, log))
    if args.json:
        return context.finish(args, _as_json(asked))
    return _print(asked)


def _check(args: argparse.Namespace) -> None:
    """Raise RequestError for flags that do not go together."""
    problem = ""
    if not args.node and not args.failed:
        problem = "name a node, `plan` or `integration`"
    elif args.node and args.failed:
        problem = "--failed shows all failed nodes: leave out the node"
    elif args.attempt is not None and (args.follow or args.node in (PLAN, INTEGRATION)):
        problem = "--attempt goes with a node, and not with --follow"
    elif args.json and (args.follow or args.raw):
        problem = "--json goes neither with --follow nor with --raw"
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


def _print(asked: _Asked) -> int:
    with _output(asked.context) as out:
        for part in PARTS:
            if getattr(asked.args, part):
                _PRINTERS[part](asked, out)
                return ExitCode.DONE
        _print_steps(asked, out)
    return ExitCode.DONE


@contextmanager
def _output(context: Context) -> Iterator[IO[str]]:
    from director.processes.pager import paged

    with suppress(BrokenPipeError), paged(context.out, context.env) as out:
        yield out
        out.flush()


def _print_steps(asked: _Asked, out: IO[str]) -> None:
    log = asked.log
    if asked.one:
        log.attempts = [asked.one]
    if isinstance(log, IntegrationLog):
        _print_integration(asked, out)
    elif log.attempts:
        _printer(asked, out).advance(log, over=True)
    else:
        print(f"{log.node}: nothing on record yet", file=out)


def _printer(asked: _Asked, out: IO[str]) -> Any:
    from director.reporting.logs.printer import LogPrinter
    from director.reporting.terminal.streams import reader_is_gone

    said = itertools.count(1)

    def say(line: str) -> None:
        print(line, file=out)
        if next(said) % LOOKS_EVERY == 0 and reader_is_gone(out):
            raise BrokenPipeError  # the rest of a long log is not read

    context, directory = asked.context, asked.directory
    style, root = style_of_output(asked.args, context), directory.root
    return LogPrinter(directory, root, style, context.redactor, say)


def _print_integration(asked: _Asked, out: IO[str]) -> None:
    from director.reporting.logs.log_view import gate_lines
    from director.reporting.logs.printer import end_of, shown_path

    printer = _printer(asked, out)
    gates = [gate for attempt in asked.log.attempts for gate in attempt.gates]
    if not gates:
        print("the integration gates have not run", file=out)
    for gate in gates:
        path = log_path(asked.directory, gate.log)
        printer.lines(gate_lines(gate, shown_path(path, printer.root), printer.style))
        if asked.args.gate:
            _print_file(asked, out, gate.log)
        elif gate.verdict != "green":
            printer.lines(quoted(printer.style, end_of(path)))


def _print_raw(asked: _Asked, out: IO[str]) -> None:
    """Print the events as they are; to a terminal without what would steer it."""
    from director.model.printable import printable
    from director.reporting.logs.printer import lines_of

    terminal, redactor = asked.context.out.isatty(), asked.context.redactor
    for attempt in [asked.one] if asked.one else asked.log.attempts:
        for call in attempt.calls:
            for line in lines_of(log_path(asked.directory, call.log or "no log")):
                text = redactor.text(line)
                print(printable(text) if terminal else text, file=out)


def _print_gate(asked: _Asked, out: IO[str]) -> None:
    if isinstance(asked.log, IntegrationLog):
        return _print_integration(asked, out)
    _print_file(asked, out, _gate_file(asked))
    return None


def _gate_file(asked: _Asked) -> str:
    """Return the name of the output that says why the attempt ended as it did."""
    for attempt in [asked.one] if asked.one else reversed(asked.log.attempts):
        failing = attempt.failure.log if attempt.failure else ""
        if failing or (attempt.gates and attempt.gates[-1].log):
            return failing or attempt.gates[-1].log
    which = f"attempt {asked.one.number} of {asked.log.node}" if asked.one else asked.log.node
    next_step = f"`director logs {asked.log.node}` shows what there is"
    raise RequestError(f"no gate is on record for {which}", next_step)


def _print_prompt(asked: _Asked, out: IO[str]) -> None:
    names = _prompts(asked)
    for name in names:
        if len(names) > 1:
            print(f"──── {name}", file=out)
        _print_file(asked, out, name)


def _prompts(asked: _Asked) -> list[str]:
    """Return the names of the prompts asked for: of planning all, of a node the last attempt's."""
    from director.records.logs import prompt_of

    attempts = [asked.one] if asked.one else asked.log.attempts
    planning = isinstance(asked.log, PlanLog)
    calls = [one for attempt in attempts for one in (attempt.calls if planning else attempt.work)]
    found = [prompt_of(log_path(asked.directory, one.log)).name for one in calls if one.log]
    if not found:
        raise RequestError(f"no prompt is on record for {asked.log.node}", "it was not asked yet")
    return found if planning else found[-1:]


def _print_file(asked: _Asked, out: IO[str], name: str) -> None:
    from director.model.printable import printable
    from director.reporting.logs.printer import lines_of

    path = log_path(asked.directory, name)
    if not path.exists():
        raise RequestError(f"{path} is gone", "what is on record of it is in `director status`")
    for line in lines_of(path):
        print(asked.context.redactor.text(printable(line)), file=out)


_PRINTERS = {"raw": _print_raw, "gate": _print_gate, "prompt": _print_prompt}


def _follow(asked: _Asked) -> int:
    from director.reporting.logs.following import LogFollower
    from director.reporting.terminal.streams import reader_is_gone

    never, cancellation = threading.Event(), asked.context.cancellation

    def pause() -> bool:
        asked.context.out.flush()
        never.wait(PAUSE_SECS)
        return cancellation.requested or reader_is_gone(asked.context.out)

    printer = _printer(asked, asked.context.out)
    LogFollower(asked.directory, asked.log, printer).follow(pause)
    return int(ExitCode.INTERRUPTED) if cancellation.requested else ExitCode.DONE


def _as_json(asked: _Asked) -> Result:
    from director.reporting.logs.as_json import log_json

    attempts = [asked.one] if asked.one else asked.log.attempts
    data = log_json(asked.log, attempts, asked.directory, asked.context.redactor)
    if asked.args.gate and not isinstance(asked.log, IntegrationLog):
        data["gate"] = _text(asked, _gate_file(asked))
    if asked.args.prompt:
        data["prompts"] = [_text(asked, name) for name in _prompts(asked)]
    return Result("", data, job_id=asked.job_id)


def _text(asked: _Asked, name: str) -> dict[str, str]:
    from director.records.logs import recorded
    from director.reporting.logs.printer import lines_of

    path = log_path(asked.directory, name)
    return {"log": recorded(path), "text": "\n".join(lines_of(path))}


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
    with _output(context) as out:
        style = style_of_output(args, context)
        print(f"{counted(len(failed), 'node')} failed", file=out)
        for line in failed_lines(logs, directory, directory.root, style, context.redactor):
            print(context.redactor.text(style.plain(line)), file=out)
    return ExitCode.DONE
