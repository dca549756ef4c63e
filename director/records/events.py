"""Events: everything as it happens. The journal keeps them; the console is a view of them."""

import threading
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from director.model.secrets import NOTHING_SECRET, Redactor
from director.records import json_lines
from director.records.clock import now


class Kind(StrEnum):
    """The kinds of events, as ``events.jsonl`` spells them."""

    JOB_STARTED = "job_started"
    JOB_ARCHIVED = "job_archived"
    STAGE_ENTERED = "stage_entered"
    APPROVAL_NEEDED = "approval_needed"
    CRITIQUE = "critique"
    QUESTIONS = "questions"
    DECIDED = "decided"
    REVISED = "revised"
    BASE_GATE = "base_gate"
    PREFLIGHT = "preflight"
    PLAN_REJECTED = "plan_rejected"
    TESTS_REJECTED = "tests_rejected"
    TESTS_ADMITTED = "tests_admitted"
    SETUP = "setup"
    CALL_STARTED = "call_started"
    CALL_PROGRESS = "call_progress"
    CALL_ENDED = "call_ended"
    PROVIDER_FAULT = "provider_fault"
    RUN_STARTED = "run_started"
    NODE_STARTED = "node_started"
    ATTEMPT_STARTED = "attempt_started"
    ATTEMPT_FAILED = "attempt_failed"
    ESCALATED = "escalated"
    GATE = "gate"
    REVIEW = "review"
    MERGED = "merged"
    AMENDED = "amended"
    TAKEN = "taken"
    GIVEN = "given"
    DROPPED = "dropped"
    NODE_ENDED = "node_ended"
    INTEGRATION_GATE = "integration_gate"
    BLAME = "blame"
    REBASED = "rebased"
    REPAIR = "repair"
    LANDING_GATE = "landing_gate"
    RESOLUTION = "resolution"
    LANDED = "landed"
    PUBLISHED = "published"
    RUN_ENDED = "run_ended"
    STOPPED = "stopped"
    BENCH_PROFILE_STARTED = "bench_profile_started"
    BENCH_PROFILE_ENDED = "bench_profile_ended"
    NOTICE = "notice"
    OPENED = "opened"  # a job: work on it begins
    CLOSED = "closed"  # however it ended


# News for a moment: not needed later.
PASSING = frozenset({Kind.CALL_PROGRESS, Kind.OPENED, Kind.CLOSED})


class Event(NamedTuple):
    """One thing that happened; ``data`` holds what the kind needs, JSON values only."""

    kind: Kind
    ts: str
    node: str | None = None
    data: Mapping[str, Any] = {}

    def to_json(self) -> dict[str, Any]:
        """Return a line of ``events.jsonl``."""
        return {"ts": self.ts, "kind": self.kind.value, "node": self.node, **self.data}


Listener = Callable[[Event], None]


class Events:
    """What a use case is handed: tells every listener, one event at a time, and no secret."""

    def __init__(
        self, listeners: Iterable[Listener] = (), redactor: Redactor = NOTHING_SECRET
    ) -> None:
        self._listeners = list(listeners)
        self._redactor = redactor
        self._lock = threading.Lock()

    def emit(self, kind: Kind, node: str | None = None, **data: Any) -> None:
        """Tell all listeners; callable from any thread."""
        event = Event(kind, now(), node, self._redactor.value(data))
        with self._lock:
            for listener in self._listeners:
                listener(event)

    def notice(self, message: str) -> None:
        """Tell all listeners one line for the user."""
        self.emit(Kind.NOTICE, message=message)

    def also(self, listener: Listener) -> "Events":
        """Return an ``Events`` that tells ``listener`` too."""
        return Events([*self._listeners, listener], self._redactor)

    def without(self, redactor: Redactor) -> "Events":
        """Return an ``Events`` that tells the same listeners, without those secrets."""
        return Events(self._listeners, redactor)


def journal(path: Path) -> Listener:
    """Return a listener that appends each event to ``path`` (JSONL), but for passing ones."""

    def listen(event: Event) -> None:
        if event.kind not in PASSING:
            json_lines.append_line(path, event.to_json(), durable=False)

    return listen
