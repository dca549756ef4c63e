"""What is known of each node of a job: the content of ``state.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, NamedTuple

from director.model.errors import RequestError
from director.model.roles import Role
from director.model.usage import LARGEST, CostSource, Tokens

NUMBERS = ("attempts", "tokens", "review_blocks", "wall_secs")
TEXTS = ("model_used", "error", "review_summary", "commit")


class NodeStatus(StrEnum):
    """The life of a node, as ``state.json`` spells it."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"


class AttemptOutcome(StrEnum):
    """How one try at a node ended."""

    GREEN = "green"
    RED = "red"
    NO_TEST_RAN = "no_test_ran"
    UNCHANGED = "unchanged"
    OUT_OF_SCOPE = "out_of_scope"
    CONTRACT_VIOLATED = "contract_violated"
    FLAKY = "flaky"
    BLOCKED = "blocked_by_review"
    COLLIDED = "collided"
    CONTEXT_TOO_LONG = "context_too_long"
    AS_BEFORE = "as_before"


class Attempt(NamedTuple):
    """One executor call and what became of its candidate."""

    role: Role
    outcome: AttemptOutcome

    def to_json(self) -> dict[str, str]:
        """Return an element of ``nodes.<id>.tries`` of ``state.json``."""
        return {"role": self.role.value, "outcome": self.outcome.value}


class WatchVerdict(StrEnum):
    """Whether the executor saw the test fail before its first edit."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not_observed"
    UNKNOWN = "unknown"


class WatchItFail(NamedTuple):
    """What the transcript shows of the executor watching its test fail first."""

    verdict: WatchVerdict = WatchVerdict.UNKNOWN
    ran_before_edit: bool = False
    observed_failure: bool = False
    detail: str = "no transcript"

    def to_json(self) -> dict[str, Any]:
        """Return the object of a ``kind:"node"`` line of ``metrics.jsonl``."""
        return {
            "verdict": self.verdict.value,
            "ran_before_edit": self.ran_before_edit,
            "observed_failure": self.observed_failure,
            "detail": self.detail,
        }


class NodeState(NamedTuple):
    """Where one node stands. Money in US dollars (None: unknown), times in seconds.

    ``environment``: it failed because of its environment, which no model can correct.
    """

    status: NodeStatus = NodeStatus.PENDING
    attempts: int = 0
    tier_used: Role | None = None
    model_used: str | None = None
    escalated: bool = False
    tokens: int = 0
    cost_usd: float | None = 0.0
    error: str | None = None
    review_stage_two: bool = False
    review_blocks: int = 0
    review_summary: str | None = None
    wall_secs: float = 0.0
    watch_it_fail: WatchVerdict | None = None
    flake_failed: bool = False
    commit: str | None = None
    tries: tuple[Attempt, ...] = ()
    environment: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the object under ``nodes.<id>`` of ``state.json``."""
        return self._asdict() | {"tries": [one.to_json() for one in self.tries]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> NodeState:
        """Return the state stored by ``to_json``; unknown fields are left out.

        Raises RequestError when a value is not one that director writes.
        """
        try:
            known = {name: stored[name] for name in cls._fields if name in stored}
            known["status"] = NodeStatus(known.get("status", NodeStatus.PENDING))
            known["tier_used"] = Role(known["tier_used"]) if known.get("tier_used") else None
            watched = known.get("watch_it_fail")
            known["watch_it_fail"] = WatchVerdict(watched) if watched else None
            known["tries"] = tuple(
                Attempt(Role(one["role"]), AttemptOutcome(one["outcome"]))
                for one in known.get("tries", ())
            )
            _check_kinds(known, NUMBERS, int | float)
            _check_kinds(known, TEXTS, str | None)
            _check_kinds(known, ("cost_usd",), int | float | None)
            return cls(**known)
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(
                f"state.json holds something this version does not know: {error}",
                "restore the file, or remove it: `director run` rebuilds it from the job branch",
            ) from None


class RunState(NamedTuple):
    """All nodes of one job."""

    job_id: str
    nodes: Mapping[str, NodeState]

    def changed(self, node_id: str, **values: Any) -> RunState:
        """Return the state with some fields of one node replaced."""
        return self.with_node(node_id, self.nodes[node_id]._replace(**values))

    def with_node(self, node_id: str, state: NodeState) -> RunState:
        """Return the state with one node replaced."""
        return self._replace(nodes={**self.nodes, node_id: state})

    def ids(self, *statuses: NodeStatus) -> set[str]:
        """Return the ids of the nodes in one of ``statuses``."""
        return {node_id for node_id, node in self.nodes.items() if node.status in statuses}

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``state.json``."""
        return {
            "job_id": self.job_id,
            "nodes": {node_id: node.to_json() for node_id, node in self.nodes.items()},
        }


class CallRecord(NamedTuple):
    """One model call, as a line of ``costs.jsonl``. ``cost`` in US dollars, None: unknown."""

    ts: str
    role: str
    model: str
    tokens: Tokens
    cost: float | None
    cost_source: str
    node: str | None
    attempt: int | None
    ok: bool
    log: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the line as an object."""
        return {
            "ts": self.ts,
            "role": self.role,
            "model": self.model,
            **self.tokens.to_json(),
            "cost": self.cost,
            "cost_source": self.cost_source,
            "node": self.node,
            "attempt": self.attempt,
            "ok": self.ok,
            "log": self.log,
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> CallRecord:
        """Return the record written by ``to_json``; KeyError or TypeError when it is another.

        A call with impossible numbers is a call all the same: what it cost is unknown.
        """
        _check_kinds(line, ("cost",), int | float | None)
        _check_kinds(line, ("role", "model"), str)
        _check_kinds(line, Tokens._fields, int)
        counts = [line[name] for name in Tokens._fields]
        names = ("ts", "role", "model", "cost", "cost_source", "node", "attempt", "ok")
        values = {name: line[name] for name in names}
        if not all(0 <= number < LARGEST for number in (*counts, values["cost"] or 0)):
            values |= {"cost": None, "cost_source": CostSource.UNKNOWN.value}
        tokens = Tokens(*(max(0, count) for count in counts))
        return cls(tokens=tokens, log=line.get("log", ""), **values)


def _check_kinds(values: Mapping[str, Any], names: Iterable[str], kind: UnionType | type) -> None:
    """Raise TypeError when one of ``names`` has a value of another type."""
    for name in names:
        value = values.get(name)
        if name in values and (isinstance(value, bool) or not isinstance(value, kind)):
            raise TypeError(f"{name} is {value!r}")
