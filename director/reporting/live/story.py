"""What of a job stays on the terminal when the live view is gone: a line for what is finished."""

from __future__ import annotations

from director.model.cost import Cost
from director.model.format import clock, counted
from director.model.integration_gates import GREEN
from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.screen import why_failed
from director.reporting.live.stages import ANSWERS
from director.reporting.live.words import words_of
from director.reporting.terminal.cells import cut, filled, wrapped
from director.reporting.terminal.style import Paint, Style

LABEL = 16  # cells
COMPLETED = "completed"  # how a call ends that brought an answer
TOLD = frozenset({
    Kind.NOTICE, Kind.CRITIQUE, Kind.PROVIDER_FAULT, Kind.PLAN_REJECTED, Kind.TESTS_REJECTED,
    Kind.BLAME, Kind.REPAIR, Kind.JOB_ARCHIVED, Kind.JOB_STARTED, Kind.BENCH_PROFILE_STARTED,
    Kind.BENCH_PROFILE_ENDED, Kind.RESOLUTION,
})  # fmt: skip
"""Kinds of events that are told in their own words."""

GATES = frozenset({Kind.BASE_GATE, Kind.PREFLIGHT, Kind.SETUP, Kind.INTEGRATION_GATE})


def story(event: Event, progress: Progress, style: Style, width: int) -> list[str]:
    """Return the lines that stay of ``event``, which ``progress`` has taken in; often: none."""
    marks, node = style.marks, progress.nodes.get(event.node or "")
    match event.kind:
        case Kind.NODE_ENDED if node and node.status is NodeStatus.DONE:
            return _lines(style, width, marks.done, Paint.GREEN, node.id, how_done(node))
        case Kind.NODE_ENDED if node and node.status is NodeStatus.FAILED:
            return _lines(style, width, marks.failed, Paint.RED, node.id, why_failed(node))
        case Kind.TESTS_ADMITTED:
            tests = len(event.data["tests"])
            should = "they should be" if tests > 1 else "it should be"
            said = f"{counted(tests, 'test file')}, red as {should}"
            return _lines(style, width, marks.done, Paint.GREEN, str(event.node), said)
        case Kind.CALL_ENDED if event.node is None and event.data["outcome"] == COMPLETED:
            label = ANSWERS.get((progress.stage_name, event.data["agent"]))
            cost = Cost.of([event.data["cost"]]).in_words()
            said = f"{clock(event.data['wall_secs'])}, {cost}"
            return _lines(style, width, marks.done, Paint.GREEN, label, said) if label else []
        case kind if kind in GATES or kind in TOLD:
            return _told(event, style, width)
    return []


def _told(event: Event, style: Style, width: int) -> list[str]:
    said, verdict = words_of(event), _verdict(event)
    if said is None or (event.kind in (Kind.PREFLIGHT, Kind.SETUP) and verdict == GREEN):
        return []
    text = style.plain(f"{event.node}: {said}" if event.node else said)
    if verdict is None:
        return list(wrapped(f"{style.marks.dot} {text}", width, "  "))
    good = verdict == GREEN
    mark, paint = (style.marks.done, Paint.GREEN) if good else (style.marks.failed, Paint.YELLOW)
    lines = list(wrapped(f"{mark} {text}", width, "  "))
    return [style.painted(mark, paint) + lines[0][len(mark) :], *lines[1:]]


def _verdict(event: Event) -> str | None:
    """Return how a gate or the like ended; None for what is no such thing."""
    found = event.data.get("outcome" if event.kind is Kind.PREFLIGHT else "verdict")
    return str(found) if event.kind in GATES else None


def _lines(style: Style, width: int, mark: str, paint: Paint, label: str, text: str) -> list[str]:
    name = filled(cut(style.plain(label), max(LABEL, width // 3), style.marks.ellipsis), LABEL)
    said = cut(style.plain(f"{name} {text}"), width - 2, style.marks.ellipsis)
    return [f"{style.painted(mark, paint)} {said}"]


def how_done(node: NodeProgress) -> str:
    """Return who did a node, in how many attempts, how long it took and what it cost."""
    if not node.tier:
        return "done already: its tests pass without a call"
    tries = counted(node.attempts, "attempt")
    return f"{node.tier}, {tries}, {clock(node.wall_secs)}, {node.cost.in_words()}"
