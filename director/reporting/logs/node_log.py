"""What the journal tells of a node: its attempts, and in them calls, gates and reviews, in order.

Planning and the integration gates are told of in the same words, as one attempt without a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeAlias

from director.model.codec.decoding import decode
from director.model.codec.mistakes import MismatchError
from director.model.failure import Failure
from director.model.roles import Role, Tier
from director.model.state import AttemptOutcome
from director.model.values import dataclass, field
from director.records.events import Kind

OF_ITEMS = frozenset(
    {Kind.CALL_STARTED, Kind.CALL_ENDED, Kind.PROVIDER_FAULT, Kind.GATE, Kind.REVIEW}
)
BLAME = "blame"  # the purpose of gates that search for the merge that turned one red
WORKERS = frozenset({Role.EXECUTOR, Role.ESCALATION})
"""The roles whose calls are attempts at a node's work; others read or plan."""


@dataclass
class CallLog:
    """One call. ``log`` is the name of its events ("": not known yet), ``secs`` how long it took.

    ``outcome`` is "" for one that is under way, or whose end was not seen. ``cost`` in US dollars.
    """

    role: str
    model: str
    node: str | None = None
    attempt: int | None = None
    began: str = ""
    log: str = ""
    outcome: str = ""
    reason: str = ""
    cost: float | None = None
    tokens: int = 0
    secs: float | None = None

    @property
    def works(self) -> bool:
        """Whether it is an attempt at the node's work, rather than a reader of it."""
        return self.role in WORKERS


@dataclass(frozen=True)
class GateLog:
    """One run of a gate: its purpose, or its name in ``[gates]``.

    ``log`` is the name of the file with its output. Older records name no ``command``.
    """

    purpose: str
    command: str
    verdict: str
    reason: str
    log: str
    failure: Failure | None = None


@dataclass(frozen=True)
class ReviewLog:
    """What a reader said of a candidate."""

    stage: str
    blocked: bool
    summary: str
    findings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class FaultLog:
    """A provider failed, and the call is made again."""

    reason: str


Item: TypeAlias = CallLog | GateLog | ReviewLog | FaultLog


@dataclass
class AttemptLog:
    """One attempt at a node. ``outcome`` "": it is under way, or its end was not seen.

    ``number`` 0 stands for what is no attempt: what went before the first, planning, integration.
    """

    number: int = 0
    tier: str = ""
    model: str = ""
    began: str = ""
    items: list[Item] = field(default_factory=list)
    outcome: str = ""
    lesson: str = ""
    failure: Failure | None = None

    @property
    def calls(self) -> list[CallLog]:
        """The calls, those of readers too."""
        return [one for one in self.items if isinstance(one, CallLog)]

    @property
    def work(self) -> list[CallLog]:
        """The calls that did the work; several where a provider failed."""
        return [one for one in self.calls if one.works]

    @property
    def gates(self) -> list[GateLog]:
        """The runs of gates."""
        return [one for one in self.items if isinstance(one, GateLog)]

    @property
    def reviews(self) -> list[ReviewLog]:
        """What readers said."""
        return [one for one in self.items if isinstance(one, ReviewLog)]


@dataclass
class NodeLog:
    """All attempts at one node, oldest first. ``status`` is how the node ended ("": it has not)."""

    node: str
    attempts: list[AttemptLog] = field(default_factory=list)
    status: str = ""
    error: str = ""

    @property
    def numbered(self) -> list[AttemptLog]:
        """The attempts proper."""
        return [one for one in self.attempts if one.number]

    def attempt(self, number: int) -> AttemptLog | None:
        """Return the attempt of that number, of several (after a retry) the last."""
        return next((one for one in reversed(self.attempts) if one.number == number), None)

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one line of the journal; those about other nodes are passed over."""
        elsewhere = _is_of_tests(event) or event.get("purpose") == BLAME
        if event.get("node") == self.node and not elsewhere:
            self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        match event.get("kind"):
            case Kind.NODE_STARTED:
                self.status, self.error = "", ""
            case Kind.ATTEMPT_STARTED:
                self.attempts.append(_attempt(event))
            case Kind.TAKEN:
                self._by_person(event)
            case Kind.GIVEN if event.get("commit"):
                self._current.outcome = AttemptOutcome.GREEN
            case Kind.ATTEMPT_FAILED | Kind.GIVEN:
                self._current.outcome = str(event.get("outcome"))
                self._current.lesson = str(event.get("lesson") or "")
                self._current.failure = failure_of(event)
            case Kind.MERGED:
                self._current.outcome = AttemptOutcome.GREEN
            case Kind.NODE_ENDED:
                self.status, self.error = str(event.get("status")), str(event.get("error") or "")
            case kind if kind in OF_ITEMS:
                if self._current.tier == Tier.HUMAN and self._current.outcome:
                    self._by_person(event)  # it was refused, and is given again
                take_item(self._current.items, event)

    def _by_person(self, event: Mapping[str, Any]) -> None:
        """Begin an attempt of a person's, who has taken the node."""
        number = max((one.number for one in self.attempts), default=0) + 1
        self.attempts.append(AttemptLog(number, Tier.HUMAN, "", _ts(event)))

    @property
    def _current(self) -> AttemptLog:
        if not self.attempts:
            self.attempts.append(AttemptLog())
        return self.attempts[-1]


@dataclass
class PlanLog(NodeLog):
    """The calls of planning: recon, spec, plan, critiques and tests, in their order."""

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one line of the journal; those about the run are passed over."""
        kinds = (Kind.CALL_STARTED, Kind.CALL_ENDED, Kind.PROVIDER_FAULT)
        planning = event.get("kind") in kinds and event.get("node") is None
        if planning or _is_of_tests(event):
            take_item(self._current.items, event)


@dataclass
class IntegrationLog(NodeLog):
    """The integration gates of the last run, as far as it came."""

    def take(self, event: Mapping[str, Any]) -> None:
        """Take in one line of the journal; those about other things are passed over."""
        if event.get("kind") == Kind.RUN_STARTED:
            self.attempts.clear()
        if event.get("kind") == Kind.INTEGRATION_GATE:
            self._current.items.append(gate_log(event))


def _is_of_tests(event: Mapping[str, Any]) -> bool:
    """Whether an event tells of a node's tests while they are written, which is planning."""
    if event.get("kind") == Kind.GATE:
        return event.get("purpose") == "tests"
    return event.get("role") == Role.TEST_AUTHOR


def take_item(items: list[Item], event: Mapping[str, Any]) -> None:
    """Take in what an event tells of a call, a gate or a review; others are passed over."""
    match event.get("kind"):
        case Kind.CALL_STARTED | Kind.CALL_ENDED:
            _take_call(items, event)
        case Kind.PROVIDER_FAULT:
            items.append(FaultLog(str(event.get("reason") or "")))
        case Kind.GATE:
            items.append(gate_log(event))
        case Kind.REVIEW:
            items.append(_review(event))


def _take_call(items: list[Item], event: Mapping[str, Any]) -> None:
    call = None if event.get("kind") == Kind.CALL_STARTED else next(_begun(items, event), None)
    if call is None:
        number, node = event.get("attempt"), event.get("node")
        call = CallLog(str(event.get("role")), str(event.get("model")), node, number, _ts(event))
        items.append(call)
    if log := event.get("log"):
        call.log = PurePath(str(log)).name
    if event.get("kind") == Kind.CALL_ENDED:
        _end(call, event)


def _begun(items: list[Item], event: Mapping[str, Any]) -> Iterator[CallLog]:
    """Give the calls without an end that an event may end, the last first."""
    asked = (event.get("node"), event.get("role"))
    for one in reversed(items):
        if isinstance(one, CallLog) and not one.outcome and (one.node, one.role) == asked:
            yield one


def _end(call: CallLog, event: Mapping[str, Any]) -> None:
    cost, secs, tokens = (event.get(key) for key in ("cost", "wall_secs", "tokens"))
    call.outcome, call.reason = str(event.get("outcome")), str(event.get("reason") or "")
    call.cost = float(cost) if isinstance(cost, int | float) else None
    call.secs = float(secs) if isinstance(secs, int | float) else None
    call.tokens = tokens if isinstance(tokens, int) else 0


def _attempt(event: Mapping[str, Any]) -> AttemptLog:
    number, tier, model = (event.get(key) for key in ("attempt", "tier", "model"))
    number = number if isinstance(number, int) else 0
    return AttemptLog(number, str(tier), str(model), _ts(event))


def gate_log(event: Mapping[str, Any]) -> GateLog:
    """Return the run of a gate that an event tells of."""
    failure = failure_of(event)
    return GateLog(
        str(event.get("purpose") or event.get("name") or ""),
        str(event.get("command") or (failure.command if failure else "")),
        str(event.get("verdict")),
        str(event.get("reason") or ""),
        PurePath(str(event.get("log") or "")).name,
        failure,
    )


def _review(event: Mapping[str, Any]) -> ReviewLog:
    said = event.get("findings")
    findings: Sequence[Any] = said if isinstance(said, list) else ()
    told = tuple(one for one in findings if isinstance(one, dict))
    stage, summary = str(event.get("stage")), str(event.get("summary") or "")
    return ReviewLog(stage, bool(event.get("blocked")), summary, told)


def failure_of(event: Mapping[str, Any]) -> Failure | None:
    """Return the ``failure`` of an event; None where it has none, as in older records."""
    try:
        return decode(Failure, event["failure"])
    except (KeyError, MismatchError):
        return None


def _ts(event: Mapping[str, Any]) -> str:
    return str(event.get("ts") or "")
