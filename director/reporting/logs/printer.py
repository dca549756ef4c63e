"""Prints the logs of a node, of planning or of the integration gates, as far as they have come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from director.agents.events_file import EventsFollower
from director.agents.registry import tier_of
from director.agents.steps import Step, StepReader
from director.model.secrets import Redactor
from director.records.files import open_to_read
from director.records.job_directory import JobDirectory
from director.reporting.logs import log_view
from director.reporting.logs.job_logs import log_path, name_logs
from director.reporting.logs.node_log import AttemptLog, CallLog, FaultLog, GateLog, Item, NodeLog
from director.reporting.logs.step_view import step_lines, telling_lines
from director.reporting.terminal.style import Style

TAIL_BYTES = 256 * 1024  # of an output: what fails is said at its end

Say = Callable[[str], None]


class CallFollower(EventsFollower):
    """Follows a call's events, telling each step to ``tell``; ``steps`` knows what is under way."""

    def __init__(
        self, path: Path, model: str, redactor: Redactor, tell: Callable[[Step], None]
    ) -> None:
        backend = tier_of(model).backend
        self.steps: StepReader = backend.steps()
        self._tell = tell
        super().__init__(path, backend.reader(), redactor, self._take_event)

    def _take_event(self, event: dict[str, Any]) -> None:
        for step in self.steps.take(event):
            self._tell(step)


@dataclass
class LogPrinter:
    """Prints a log to ``say``, line by line; called again, it continues where it stood.

    ``root`` is the folder that paths are shown relative to.
    """

    directory: JobDirectory
    root: Path
    style: Style
    redactor: Redactor
    say: Say
    _attempt: int = 0
    _item: int = 0
    _heading: bool = False
    _told: str = ""
    _call: CallFollower | None = field(default=None)

    def advance(self, log: NodeLog, *, over: bool) -> None:
        """Print what is new. ``over``: nothing more will come."""
        name_logs(log, self.directory)
        while self._attempt < len(log.attempts):
            attempt = log.attempts[self._attempt]
            if not self._heading:
                self._begin(attempt)
            while self._item < len(attempt.items):
                if not self._show(attempt.items[self._item], over):
                    return
                self._item += 1
            last = self._attempt + 1 == len(log.attempts)
            if last and not over and not attempt.outcome:
                return
            self._end(attempt)

    def lines(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for line in lines:
            self.say(self.redactor.text(self.style.plain(line)))

    def _begin(self, attempt: AttemptLog) -> None:
        self._heading, self._told = True, attempt.outcome
        if attempt.number:
            self._blank()
            self.lines([log_view.attempt_heading(attempt, self.style)])

    def _blank(self) -> None:
        if self._attempt or self._item:
            self.say("")

    def _end(self, attempt: AttemptLog) -> None:
        self.lines(log_view.attempt_end(attempt, self.style))
        self._attempt, self._item, self._heading = self._attempt + 1, 0, False

    def _show(self, item: Item, over: bool) -> bool:
        """Print an item as far as it has come; returns whether that is all of it."""
        match item:
            case CallLog():
                return self._show_call(item, over)
            case GateLog():
                where = shown_path(log_path(self.directory, item.log), self.root)
                self.lines(log_view.gate_lines(item, where if item.log else "", self.style))
            case FaultLog():
                self.lines(log_view.fault_lines(item, self.style))
            case _:
                self.lines(log_view.review_lines(item, self.style))
        return True

    def _show_call(self, call: CallLog, over: bool) -> bool:
        if self._call is None:
            if not (call.log or call.outcome or over):
                return False  # it is about to begin
            if not call.works:
                self._blank()
                self.lines([log_view.call_heading(call, self.style)])
            path = log_path(self.directory, call.log or "no log")
            self._call = CallFollower(path, call.model, self.redactor, self._tell)
        ended = bool(call.outcome)  # asked first: what is written before the end is read below
        self._call.poll()
        if not (ended or over):
            return False
        for step in self._call.steps.under_way():
            self._tell(step)
        if not self._call.size:
            self.lines(["there is no log of this call"] if not call.log else [])
        self.lines(log_view.call_end(call, self.style))
        self._call = None
        return True

    def _tell(self, step: Step) -> None:
        self.lines(step_lines(step, self.style))


def shown_path(path: Path, root: Path) -> str:
    """Return a path as people type it from the folder ``root``."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def steps_of(path: Path, model: str, redactor: Redactor) -> list[Step]:
    """Return all steps of a call."""
    found: list[Step] = []
    follower = CallFollower(path, model, redactor, found.append)
    follower.poll()
    return [*found, *follower.steps.under_way()]


def end_of(path: Path) -> list[str]:
    """Return the lines of a gate's output that say most; none where there is no such file."""
    try:
        with open_to_read(path) as stream:
            stream.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return telling_lines(stream.read().decode(errors="replace"))
    except OSError:
        return []


def lines_of(path: Path) -> Iterator[str]:
    """Give the lines of a text as they are, without their ends; none where there is no file."""
    try:
        with open_to_read(path) as stream:
            for line in stream:
                yield line.decode(errors="replace").removesuffix("\n")
    except OSError:
        return
