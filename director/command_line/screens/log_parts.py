"""What ``logs`` prints of one node, of planning or of the integration gates: all, or one part."""

import argparse
import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any, NamedTuple

from director.command_line.context import Context
from director.command_line.output import style_of_output
from director.command_line.result import Result
from director.model.errors import ExitCode, RequestError
from director.model.plan import Plan
from director.records.job_directory import JobDirectory
from director.reporting.logs.job_logs import log_path
from director.reporting.logs.node_log import AttemptLog, IntegrationLog, NodeLog, PlanLog
from director.reporting.logs.step_view import quoted

LOOKS_EVERY = 500  # lines between looks at whether the output is still read
PARTS = ("raw", "gate", "prompt")


class Asked(NamedTuple):
    """What is to be shown: of which job and node; ``plan`` None: there is none yet."""

    args: argparse.Namespace
    context: Context
    directory: JobDirectory
    plan: Plan | None
    log: NodeLog
    one: AttemptLog | None  # of ``--attempt``

    @property
    def job_id(self) -> str | None:
        """The job's id, once there is a plan."""
        return self.plan.job_id if self.plan else None

    @property
    def attempts(self) -> list[AttemptLog]:
        """The attempts to be shown, in order."""
        return [self.one] if self.one else self.log.attempts


def print_log(asked: Asked) -> int:
    """Print what is asked for; returns the exit code. RequestError: it is not on record."""
    with output(asked.context) as out:
        for part in PARTS:
            if getattr(asked.args, part):
                _PRINTERS[part](asked, out)
                return ExitCode.DONE
        _print_steps(asked, out)
    return ExitCode.DONE


@contextmanager
def output(context: Context) -> Iterator[IO[str]]:
    """Give where logs are printed, through a pager on a terminal; a reader may leave early."""
    from director.processes.pager import paged

    with suppress(BrokenPipeError), paged(context.out, context.env) as out:
        yield out
        out.flush()


def _print_steps(asked: Asked, out: IO[str]) -> None:
    log = asked.log
    if asked.one:
        log.attempts = [asked.one]
    if isinstance(log, IntegrationLog):
        _print_integration(asked, out)
    elif log.attempts:
        printer_of(asked, out).advance(log, over=True)
    else:
        print(f"{log.node}: nothing on record yet", file=out)


def printer_of(asked: Asked, out: IO[str]) -> Any:
    """Return what prints the steps of a log to ``out``, line by line."""
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


def _print_integration(asked: Asked, out: IO[str]) -> None:
    from director.reporting.logs.log_view import gate_lines
    from director.reporting.logs.printer import end_of, shown_path

    printer = printer_of(asked, out)
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


def _print_raw(asked: Asked, out: IO[str]) -> None:
    """Print the events as they are; to a terminal without what would steer it."""
    from director.model.printable import printable
    from director.reporting.logs.printer import lines_of

    terminal, redactor = asked.context.out.isatty(), asked.context.redactor
    for attempt in asked.attempts:
        for call in attempt.calls:
            for line in lines_of(log_path(asked.directory, call.log or "no log")):
                text = redactor.text(line)
                print(printable(text) if terminal else text, file=out)


def _print_gate(asked: Asked, out: IO[str]) -> None:
    if isinstance(asked.log, IntegrationLog):
        return _print_integration(asked, out)
    _print_file(asked, out, _gate_file(asked))
    return None


def _gate_file(asked: Asked) -> str:
    """Return the name of the output that says why the attempt ended as it did."""
    for attempt in reversed(asked.attempts):
        failing = attempt.failure.log if attempt.failure else ""
        if failing or (attempt.gates and attempt.gates[-1].log):
            return failing or attempt.gates[-1].log
    which = f"attempt {asked.one.number} of {asked.log.node}" if asked.one else asked.log.node
    next_step = f"`director logs {asked.log.node}` shows what there is"
    raise RequestError(f"no gate is on record for {which}", next_step)


def _print_prompt(asked: Asked, out: IO[str]) -> None:
    names = _prompts(asked)
    for name in names:
        if len(names) > 1:
            print(f"──── {name}", file=out)
        _print_file(asked, out, name)


def _prompts(asked: Asked) -> list[str]:
    """Return the names of the prompts asked for: of planning all, of a node the last attempt's."""
    from director.records.logs import prompt_of

    attempts = asked.attempts
    planning = isinstance(asked.log, PlanLog)
    calls = [one for attempt in attempts for one in (attempt.calls if planning else attempt.work)]
    found = [prompt_of(log_path(asked.directory, one.log)).name for one in calls if one.log]
    if not found:
        raise RequestError(f"no prompt is on record for {asked.log.node}", "no model was asked yet")
    return found if planning else found[-1:]


def _print_file(asked: Asked, out: IO[str], name: str) -> None:
    from director.model.printable import printable
    from director.reporting.logs.printer import lines_of

    path = log_path(asked.directory, name)
    if not path.exists():
        raise RequestError(
            f"{path} no longer exists", "`director status` shows what is on record of it"
        )
    for line in lines_of(path):
        print(asked.context.redactor.text(printable(line)), file=out)


_PRINTERS = {"raw": _print_raw, "gate": _print_gate, "prompt": _print_prompt}


def log_result(asked: Asked) -> Result:
    """Return what is asked for as JSON."""
    from director.reporting.logs.as_json import log_json

    attempts = asked.attempts
    data = log_json(asked.log, attempts, asked.directory, asked.context.redactor)
    if asked.args.gate and not isinstance(asked.log, IntegrationLog):
        data["gate"] = _text(asked, _gate_file(asked))
    if asked.args.prompt:
        data["prompts"] = [_text(asked, name) for name in _prompts(asked)]
    return Result("", data, job_id=asked.job_id)


def _text(asked: Asked, name: str) -> dict[str, str]:
    from director.records.logs import recorded
    from director.reporting.logs.printer import lines_of

    path = log_path(asked.directory, name)
    return {"log": recorded(path), "text": "\n".join(lines_of(path))}
