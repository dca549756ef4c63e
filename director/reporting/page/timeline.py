"""When what happened: rows of calls, gates, reviews and merges, in lanes. Pure, from the journal.

Times are seconds since 1970. A journal spans days without work: it falls into sessions,
between which nothing was under way.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from director.model.roles import Role
from director.records.events import Kind
from director.reporting.status.times import seconds_of

IDLE_SECS = 120.0  # without anything under way: another session begins
PLANNING = "planning"
INTEGRATION = "integration"
OVER = frozenset({Kind.RUN_STARTED, Kind.STOPPED})
"""Kinds of events when nothing can be under way any more: what still is was killed."""


class Doing(StrEnum):
    """What a moment of a row went into."""

    CALL = "call"
    GATE = "gate"
    REVIEW = "review"
    MERGE = "merge"
    WAITING = "waiting"


class Span(NamedTuple):
    """A stretch of time, and what it went into."""

    doing: Doing
    began: float
    ended: float


class Row(NamedTuple):
    """One node's time in a lane, or a call of planning. ``node`` "": it is about none."""

    label: str
    node: str
    began: float
    ended: float
    spans: tuple[Span, ...]
    lane: int = 0

    @property
    def secs(self) -> float:
        """How long it took."""
        return self.ended - self.began

    def spent(self) -> dict[Doing, float]:
        """Return the seconds that went into each kind of work; what is left was waiting."""
        found = dict.fromkeys(Doing, 0.0)
        for span in self.spans:
            found[span.doing] += span.ended - span.began
        found[Doing.WAITING] = max(0.0, self.secs - sum(found.values()))
        return found


class Session(NamedTuple):
    """Rows that belong together; ``lanes`` is how many were at work side by side."""

    rows: tuple[Row, ...]
    lanes: int

    @property
    def began(self) -> float:
        """When its first row begins."""
        return min(row.began for row in self.rows)

    @property
    def ended(self) -> float:
        """When its last row ends."""
        return max(row.ended for row in self.rows)

    def spent(self) -> dict[Doing, float]:
        """Return the seconds of all rows that went into each kind of work."""
        found = dict.fromkeys(Doing, 0.0)
        for row in self.rows:
            for doing, secs in row.spent().items():
                found[doing] += secs
        return found


def sessions_in(
    events: Iterable[Mapping[str, Any]], now: float | None = None
) -> tuple[Session, ...]:
    """Return the sessions that a journal tells of.

    ``now``: a process is at work, and what has no end yet lasts until then.
    """
    reader = _Reader()
    for event in events:
        reader.take(event)
    reader.close(now)
    rows = sorted(reader.rows, key=lambda row: row.began)
    return tuple(_in_lanes(group) for group in _grouped(rows))


def _grouped(rows: Iterable[Row]) -> Iterator[list[Row]]:
    group: list[Row] = []
    end = 0.0
    for row in rows:
        if group and row.began - end > IDLE_SECS:
            yield group
            group = []
        end = max(end, row.ended) if group else row.ended
        group.append(row)
    if group:
        yield group


def _in_lanes(rows: Iterable[Row]) -> Session:
    """Put each row in the first lane that is free when it begins."""
    free: list[float] = []  # lane → when its last row ends
    placed = []
    for row in rows:
        lane = next((at for at, end in enumerate(free) if end <= row.began), len(free))
        free[lane : lane + 1] = [row.ended]
        placed.append(row._replace(lane=lane))
    return Session(tuple(placed), len(free))


@dataclass
class _Open:
    """A node that is being worked on."""

    node: str
    began: float
    last: float
    spans: list[Span] = field(default_factory=list)
    call: tuple[Doing, float] | None = None

    def add(self, doing: Doing, began: float, ended: float) -> None:
        """Add a stretch; one that begins before the last one has ended is cut."""
        after = self.spans[-1].ended if self.spans else self.began
        began = max(began, after)
        if ended > began:
            self.spans.append(Span(doing, began, ended))
        self.last = max(self.last, ended)

    def row(self, ended: float | None = None) -> Row:
        """Return what became of it."""
        end = self.last if ended is None else max(ended, self.last)
        if self.call and ended is not None:
            self.add(*self.call, end)
        return Row(self.node, self.node, self.began, end, tuple(self.spans))


class _Reader:
    """Takes in a journal, line by line."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._open: dict[str, _Open] = {}
        self._planning: dict[tuple[str, str], float] = {}  # node and role → since when
        self._last = 0.0

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one event; those without a moment are passed over."""
        at = seconds_of(str(event.get("ts", "")))
        if at is None:
            return
        node, kind = str(event.get("node") or ""), event.get("kind")
        if kind in OVER:
            self.close(None)
        elif kind == Kind.NODE_STARTED:
            self._open[node] = _Open(node, at, at)
        elif kind == Kind.NODE_ENDED and node in self._open:
            self.rows.append(self._open.pop(node).row(at))
        elif kind in (Kind.CALL_STARTED, Kind.CALL_ENDED):
            self._call(event, node, at, started=kind == Kind.CALL_STARTED)
        elif kind == Kind.GATE and node in self._open:
            self._open[node].add(Doing.GATE, at - _secs(event), at)
        elif kind == Kind.MERGED and node in self._open:
            self._open[node].add(Doing.MERGE, self._open[node].last, at)
        elif kind in (Kind.INTEGRATION_GATE, Kind.BASE_GATE):
            self._gate(event, at, str(kind))
        self._last = at

    def _call(self, event: Mapping[str, Any], node: str, at: float, *, started: bool) -> None:
        role = str(event.get("role", ""))
        own = self._open.get(node) if role != Role.TEST_AUTHOR else None
        if own is None:
            self._plan(event, node, role, at, started=started)
            return
        doing = Doing.REVIEW if role == Role.REVIEWER else Doing.CALL
        if started:
            own.call, own.last = (doing, at), max(own.last, at)
            return
        began = own.call[1] if own.call else at - _secs(event)
        own.call = None
        own.add(doing, began, at)

    def _plan(
        self, event: Mapping[str, Any], node: str, role: str, at: float, *, started: bool
    ) -> None:
        """Take in a call of planning, which has a row of its own."""
        if started:
            self._planning[node, role] = at
            return
        began = self._planning.pop((node, role), at - _secs(event))
        about = f" of {node}" if node else ""
        agent = str(event.get("agent") or role)
        self.rows.append(_row(f"{PLANNING}: {agent}{about}", node, Doing.CALL, began, at))

    def _gate(self, event: Mapping[str, Any], at: float, kind: str) -> None:
        """Take in a gate that is about no node; nothing else happens while it runs."""
        began = min(self._last or at, at)
        name = f"{INTEGRATION if kind == Kind.INTEGRATION_GATE else 'base'}: {event.get('name')}"
        if at - began <= IDLE_SECS or self.rows:
            self.rows.append(_row(name, "", Doing.GATE, began, at))

    def close(self, now: float | None) -> None:
        """End what is under way: at ``now``, else at the last that was heard of it."""
        for one in self._open.values():
            self.rows.append(one.row(now))
        for (node, role), began in self._planning.items():
            if now is not None:
                self.rows.append(_row(f"{PLANNING}: {role}", node, Doing.CALL, began, now))
        self._open, self._planning = {}, {}


def _row(label: str, node: str, doing: Doing, began: float, ended: float) -> Row:
    ended = max(began, ended)
    return Row(label, node, began, ended, (Span(doing, began, ended),))


def _secs(event: Mapping[str, Any]) -> float:
    secs = event.get("wall_secs")
    return float(secs) if isinstance(secs, int | float) and secs > 0 else 0.0
