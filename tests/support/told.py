"""Events of a job as it is worked on, for those who show them."""

from __future__ import annotations

from typing import Any

from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.taking_in import moment, take_in

START = "2026-01-02T03:00:00.000Z"
MODEL = "p/m"


def at(secs: float) -> float:
    """Return the moment so many seconds after the start."""
    return moment(START) + secs


def event(kind: Kind, node: str | None = None, secs: int = 0, **data: Any) -> Event:
    """Return an event so many seconds after the start."""
    return Event(kind, f"2026-01-02T03:{secs // 60:02d}:{secs % 60:02d}.000Z", node, data)


def opened(secs: int = 0, **data: Any) -> Event:
    """A job is opened."""
    told = {"job_id": "20260102-030000-5622", "task": "Add a table of contents", "directory": "/r"}
    limits = {"max_attempts": 3, "ceiling_usd": 5.0, "planned": True}
    return event(Kind.OPENED, None, secs, **{**told, **limits, **data})


def call(node: str | None, secs: int, role: str = "executor", attempt: int | None = 1) -> Event:
    """A call begins."""
    agent = "executor" if role == "escalation" else role.replace("_", "-")
    told = {"role": role, "agent": agent, "model": MODEL, "attempt": attempt}
    return event(Kind.CALL_STARTED, node, secs, **told)


def uses(node: str | None, secs: int, tool: str, argument: str, **data: Any) -> Event:
    """An agent uses a tool."""
    told = {"role": "executor", "agent": "executor", "model": MODEL, "attempt": 1, "tokens": 9}
    said = {**told, "tool": tool, "argument": argument, "cost": None, **data}
    return event(Kind.CALL_PROGRESS, node, secs, **said)


def answers(node: str | None, secs: int, cost: float | None = 0.01, **data: Any) -> Event:
    """A call ends."""
    told = {"role": "executor", "agent": "executor", "model": MODEL, "attempt": 1, "cost": cost}
    said = {"outcome": "completed", "reason": "", "tokens": 9, "wall_secs": 2.0, "log": "l"}
    return event(Kind.CALL_ENDED, node, secs, **{**told, **said, **data})


def attempt(node: str, secs: int, number: int = 1, tier: str = "executor") -> Event:
    """An attempt begins."""
    return event(Kind.ATTEMPT_STARTED, node, secs, attempt=number, tier=tier, model=MODEL)


def ends(node: str, secs: int, status: str = "done", **data: Any) -> Event:
    """A node ends."""
    told = {"status": status, "tier": "executor", "attempts": 1, "cost": 0.01, "wall_secs": 60.0}
    return event(Kind.NODE_ENDED, node, secs, **{**told, "error": None, **data})


def a_run(*, done: int = 0, lanes: int = 2, **waits_for: tuple[str, ...]) -> Progress:
    """Return a run with so many nodes done, and others by what they wait for."""
    progress = Progress("run")
    take_in(progress, opened())
    nodes = [NodeProgress(f"done-{number}") for number in range(done)]
    for one in nodes:
        one.status, one.wall_secs = NodeStatus.DONE, 60.0
    progress.know([*nodes, *(NodeProgress(name, "", wanted) for name, wanted in waits_for.items())])
    take_in(progress, event(Kind.RUN_STARTED, parallel=lanes))
    return progress


def take(progress: Progress, *events: Event) -> Progress:
    """Let ``progress`` take in events, and return it."""
    for one in events:
        take_in(progress, one)
    return progress


def a_busy_run() -> Progress:
    """Return the run of the README: nine done, two running, one failed, two blocked."""
    waiting: tuple[str, ...] = ()
    progress = a_run(
        done=9, contents=waiting, anchors=waiting, links=waiting, cli=("links",), readme=("cli",)
    )
    began = (event(Kind.NODE_STARTED, one, title=one) for one in ("contents", "anchors", "links"))
    return take(
        progress,
        *began,
        attempt("contents", 20, 2),
        call("contents", 20, attempt=2),
        uses("contents", 30, "edit", "src/toc.py", cost=0.0009),
        attempt("anchors", 60, 4, "escalation"),
        call("anchors", 60, "escalation", 4),
        uses("anchors", 62, "bash", "python3 -m unittest tests.test_toc", cost=0.0311),
        ends("links", 90, "failed", attempts=3, error="test_link (AssertionError)"),
    )
