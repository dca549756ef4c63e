"""What happens as plain lines, for pipes and logs: what begins, what fails, what is done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from director.model.format import clock, counted, duration, money
from director.model.integration_gates import GREEN
from director.model.printable import one_line
from director.model.reason import Reason
from director.model.roles import Role
from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.records.job_directory import FOLDER
from director.reporting.live import workflow_commands
from director.reporting.live.progress import Progress, Work
from director.reporting.live.stages import CRITIQUE
from director.reporting.live.taking_in import headline_of
from director.reporting.live.words import clock_of, words_of
from director.reporting.terminal.cells import cut, wrapped

WIDTH = 80  # cells
INDENT = " " * 10  # the time and two blanks
QUIET_SECS = 60.0  # without a line, before one says what is happening
LONGEST_DOING = 60  # cells
LONGEST_HEADLINE = 200
TOLD = frozenset({
    Kind.JOB_STARTED, Kind.JOB_ARCHIVED, Kind.STAGE_ENTERED, Kind.CRITIQUE, Kind.BASE_GATE,
    Kind.PREFLIGHT, Kind.PLAN_REJECTED, Kind.TESTS_REJECTED, Kind.TESTS_ADMITTED, Kind.SETUP,
    Kind.PROVIDER_FAULT, Kind.RUN_STARTED, Kind.ESCALATED, Kind.MERGED, Kind.INTEGRATION_GATE,
    Kind.LANDING_GATE,
    Kind.BLAME, Kind.REPAIR, Kind.RUN_ENDED, Kind.BENCH_PROFILE_STARTED,
    Kind.BENCH_PROFILE_ENDED, Kind.NOTICE,
})  # fmt: skip
"""Kinds of events that are told in their own words."""

TITLES = (Kind.STAGE_ENTERED, Kind.RUN_STARTED)  # of groups, where lines can be folded
ANNOTATED_BEFORE = (Reason.NODE_FAILED, Reason.INTEGRATION_RED)  # with the node, or the gate


class Lines:
    """Prints a line for what happens, and one that says what is happening after a long silence.

    ``clock`` gives seconds, ``local_time`` the time of day for a line that no event brings.
    """

    def __init__(
        self,
        stream: IO[str],
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
        local_time: Callable[[], str] = lambda: time.strftime("%H:%M:%S"),
    ) -> None:
        self.lock = threading.Lock()
        self._stream = stream
        self._progress = progress
        self._clock = clock
        self._local_time = local_time
        self._last = clock()
        self._over = threading.Event()
        self._heart: threading.Thread | None = None

    def take(self, event: Event) -> None:
        """Print what there is to say of an event that ``progress`` has taken in."""
        for text in texts_of(event, self._progress):
            self.say(clock_of(event), text)

    def say(self, moment: str, text: str) -> None:
        """Print ``text`` with a time of day, in lines that fit."""
        for line in wrapped(f"{moment}  {text}", WIDTH, INDENT):
            self.write(workflow_commands.harmless(line))

    def write(self, line: str) -> None:
        """Print a line as it is; a reader that is gone is no reason to stop."""
        self._last = self._clock()
        try:
            print(line, file=self._stream, flush=True)
        except (OSError, ValueError):
            return

    def beat(self) -> float:
        """Say what is happening after a long silence; returns in how many seconds to ask again."""
        with self.lock:
            left = self._last + QUIET_SECS - self._clock()
            if left > 0:
                return left
            self.say(self._local_time(), going_on(self._progress))
            return QUIET_SECS

    def begin(self) -> None:
        """Begin to look whether it is quiet."""
        self._last = self._clock()
        self._over.clear()
        self._heart = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._heart.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        if self._heart:
            self._heart.join()

    def _go_on(self) -> None:
        left = QUIET_SECS
        while not self._over.wait(left):
            left = self.beat()


def printing(lines: Lines, take: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener for ``lines`` that hands events to ``take``."""

    def listen(event: Event) -> None:
        with lines.lock:
            take(event)
        if event.kind is Kind.OPENED:
            lines.begin()
        elif event.kind is Kind.CLOSED:
            lines.end()

    return listen


def texts_of(event: Event, progress: Progress) -> Iterator[str]:
    """Give what there is to say of an event, each in a printable line."""
    node = f"{event.node}: " if event.node else ""
    if say := _OWN.get(event.kind):
        yield from (f"{node}{text}" for text in say(event.data, progress))
    elif event.kind in TOLD and (said := words_of(event)):
        yield f"{node}{said}"


def going_on(progress: Progress) -> str:
    """Return what is happening, and for how long."""
    if not progress.work:
        return f"still at work: {progress.step or 'checking what came back'}"
    now = time.time()
    return f"still running: {'; '.join(_work(one, now) for one in progress.work.values())}"


def _work(work: Work, now: float) -> str:
    tried = f"attempt {work.attempt}" if work.attempt else ""
    facts = [work.role.replace("_", " "), tried, clock(now - work.since)]
    said = ", ".join(filter(None, facts))
    doing = cut(work.doing, LONGEST_DOING)
    return f"{work.label} ({said}{f': {doing}' if doing else ''})"


def _call(data: Mapping[str, Any], progress: Progress) -> Iterator[str]:
    who = data["role"] if data["role"] == Role.ESCALATION else data["agent"]
    attempt = data.get("attempt")
    most = progress.max_attempts if progress.is_run and attempt else 0
    of = f" of {most}" if attempt and attempt <= most else ""
    tried = f", attempt {attempt}{of}" if attempt else ""
    work = progress.work.get(data["agent"])
    what = " a critique" if work and work.label == CRITIQUE else ""
    yield f"{who} begins{what}{tried} ({data['model']})"


def _attempt(data: Mapping[str, Any], progress: Progress) -> Iterator[str]:
    yield f"attempt {data['attempt']} failed: {cut(headline_of(data), LONGEST_HEADLINE)}"
    log = str((data.get("failure") or {}).get("log") or "")
    if log:
        yield f"see {place_of(log, progress)}"


def _node(data: Mapping[str, Any], progress: Progress) -> Iterator[str]:
    tier = f"{data['tier']} tier" if data["tier"] else "no call needed"
    tries = counted(data["attempts"], "attempt")
    facts = f"[{tier}, {tries}, {money(data['cost'])}, {duration(data['wall_secs'])}]"
    if data["status"] != NodeStatus.FAILED:
        yield f"{str(data['status']).upper()} {facts}"
        return
    yield f"FAILED: {cut(headline_of(data), LONGEST_HEADLINE)} {facts}"
    log = str((data.get("failure") or {}).get("log") or "")
    if log:
        yield f"see {place_of(log, progress)}"


def _review(data: Mapping[str, Any], _progress: Progress) -> Iterator[str]:
    if data["blocked"]:
        yield f"review asks for changes: {one_line(str(data['summary']))}"


def place_of(log: str, progress: Progress) -> str:
    """Return a log of the job as a path below the repository."""
    parts = Path(progress.directory).parts
    below = parts[parts.index(FOLDER) :] if FOLDER in parts else parts[-1:]
    return str(Path(*below, one_line(log)))


_OWN: dict[Kind, Callable[[Mapping[str, Any], Progress], Iterator[str]]] = {
    Kind.CALL_STARTED: _call,
    Kind.ATTEMPT_FAILED: _attempt,
    Kind.NODE_ENDED: _node,
    Kind.REVIEW: _review,
}


class Workflow:
    """Folds lines into groups, and annotates what failed, as GitHub Actions shows them."""

    def __init__(self, lines: Lines, progress: Progress) -> None:
        self._lines = lines
        self._progress = progress
        self._open = False

    def take(self, event: Event) -> None:
        """Print an event's lines, in the group where they belong."""
        after = event.kind is Kind.NODE_ENDED and self._progress.lanes == 1
        if after or event.kind is Kind.CLOSED:
            self._end_group()
        elif title := self._title(event):
            self._end_group()
            self._lines.write(workflow_commands.group(title))
            self._open = True
        if event.kind not in TITLES:
            self._lines.take(event)
        if mistake := _mistake(event):
            self._lines.write(workflow_commands.error(*mistake))

    def _end_group(self) -> None:
        if self._open:
            self._lines.write(workflow_commands.END_GROUP)
        self._open = False

    def _title(self, event: Event) -> str | None:
        """Return the title of the group that an event begins, if any."""
        if event.kind in TITLES:
            return words_of(event)
        if event.kind is Kind.NODE_STARTED and self._progress.lanes == 1:
            return f"node {event.node}: {words_of(event)}"
        gates = event.kind is Kind.INTEGRATION_GATE and not self._open
        return "integration gates" if gates else None


def _mistake(event: Event) -> tuple[str, str] | None:
    """Return title and message of the annotation that an event deserves, if any."""
    data = event.data
    if event.kind is Kind.NODE_ENDED and data["status"] == NodeStatus.FAILED:
        return f"node {event.node} failed", headline_of(data)
    if event.kind is Kind.INTEGRATION_GATE and data["verdict"] != GREEN:
        said = headline_of(data) or one_line(str(data["reason"]))
        return f"integration gate {data['name']} is {data['verdict']}", said
    if event.kind is Kind.STOPPED and data["reason"] not in (None, *ANNOTATED_BEFORE):
        return "director stopped", one_line(str(data["what"]))
    return None
