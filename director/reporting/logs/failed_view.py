"""The failed nodes in short: of each the last attempt, what its gate said and what its agent."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from director.agents.steps import StepKind
from director.model.printable import one_line
from director.model.secrets import Redactor
from director.model.testing.headline import headline
from director.records.job_directory import JobDirectory
from director.records.logs import recorded
from director.reporting.logs.job_logs import log_path
from director.reporting.logs.log_view import words_of
from director.reporting.logs.node_log import AttemptLog, NodeLog
from director.reporting.logs.printer import end_of, shown_path, steps_of
from director.reporting.logs.step_view import INDENT, prose, quoted, shortened
from director.reporting.terminal.style import Paint, Style


class LastAttempt(NamedTuple):
    """How the last attempt at a node ended; ``output`` is the useful end of what the gate said.

    ``log`` is the file of that output (None: there is none), ``words`` the agent's last.
    """

    headline: str
    output: list[str]
    log: Path | None
    words: str


def last_attempt(log: NodeLog, directory: JobDirectory, redactor: Redactor) -> LastAttempt:
    """Return how the last attempt of a log ended."""
    if not log.attempts:
        return LastAttempt(one_line(log.error), [], None, "")
    last = log.attempts[-1]
    path = gate_output(last, directory)
    output = end_of(path) if path else []
    said = last.failure.headline if last.failure else headline("\n".join(output)).text
    if last.failure and last.failure.excerpt:
        output = shortened(last.failure.excerpt).strip("\n").split("\n")
    words = last_words(last, directory, redactor)
    return LastAttempt(one_line(shortened(said or last.lesson or log.error)), output, path, words)


def gate_output(attempt: AttemptLog, directory: JobDirectory) -> Path | None:
    """Return the file with the output that the attempt failed for; None where no gate ran."""
    name = attempt.failure.log if attempt.failure else ""
    name = name or next((one.log for one in reversed(attempt.gates) if one.log), "")
    return log_path(directory, name) if name else None


def last_words(attempt: AttemptLog, directory: JobDirectory, redactor: Redactor) -> str:
    """Return what the agent of an attempt wrote last, "" for nothing."""
    for call in reversed(attempt.work):
        steps = steps_of(log_path(directory, call.log), call.model, redactor) if call.log else []
        for step in reversed(steps):
            if step.kind is StepKind.TEXT and step.detail.strip():
                return shortened(step.detail).strip()
    return ""


def failed_lines(
    logs: Iterable[NodeLog], directory: JobDirectory, root: Path, style: Style, redactor: Redactor
) -> Iterator[str]:
    """Give a block for each log."""
    for log in logs:
        found, last = last_attempt(log, directory, redactor), log.attempts[-1:]
        yield ""
        about = f" · attempt {last[0].number}: {words_of(last[0].outcome)}" if last else ""
        yield style.painted(f"✗ {log.node}{about}", Paint.RED)
        yield from prose(style, found.headline)
        yield from quoted(style, found.output)
        if found.words:
            yield f"{INDENT}it says:"
            yield from prose(style, found.words, INDENT * 2)
        if found.log:
            yield style.painted(f"{INDENT}output {shown_path(found.log, root)}", Paint.DIM)
        yield style.painted(f"{INDENT}agent  director logs {log.node}", Paint.DIM)


def failed_json(
    logs: Iterable[NodeLog], directory: JobDirectory, redactor: Redactor
) -> list[dict[str, Any]]:
    """Return the same for programs."""
    return [_as_json(log, last_attempt(log, directory, redactor)) for log in logs]


def _as_json(log: NodeLog, found: LastAttempt) -> dict[str, Any]:
    return {
        "node": log.node,
        "attempt": log.attempts[-1].number if log.attempts else 0,
        "headline": found.headline,
        "output": found.output,
        "log": recorded(found.log) if found.log else "",
        "says": found.words,
    }
