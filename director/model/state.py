"""What is known of each node of a job: the content of ``state.json``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from director.model.codec.columns import decode_all
from director.model.codec.decoding import decode
from director.model.codec.marks import Key, Mark
from director.model.codec.mistakes import MismatchError
from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.failure import Failure
from director.model.roles import Role, Tier
from director.model.usage import LARGEST, CostSource, Tokens

ATTEMPTS = "tries"  # as ``state.json`` spells them


class NodeStatus(StrEnum):
    """The life of a node, as ``state.json`` spells it. TAKEN: a person writes it."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
    TAKEN = "taken"


class AttemptOutcome(StrEnum):
    """How one attempt at a node ended."""

    GREEN = "green"
    RED = "red"
    NO_TEST_RAN = "no_test_ran"
    UNCHANGED = "unchanged"
    OUT_OF_SCOPE = "out_of_scope"
    CONTRACT_VIOLATED = "contract_violated"
    FLAKY = "flaky"
    BLOCKED = "blocked_by_review"
    COLLIDED = "collided"
    REGRESSION = "regression"
    CONTEXT_TOO_LONG = "context_too_long"
    AS_BEFORE = "as_before"
    UNRESOLVED = "unresolved"  # lines that mark a conflict are left (`land --resolve`)
    REBASED = "rebased"


class Attempt(NamedTuple):
    """One executor call and what became of its candidate.

    ``number`` counts from 1, ``call`` is the log of the agent's events, relative to the job's
    directory; ``files`` were changed, with ``added`` and ``removed`` lines. Records of earlier
    versions have role and outcome only.
    """

    role: Role
    outcome: AttemptOutcome
    number: int = 0
    model: str = ""
    call: str = ""
    failure: Failure | None = None
    files: int = 0
    added: int = 0
    removed: int = 0


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


class NodeState(NamedTuple):
    """Where one node stands. Money in US dollars (None: unknown), times in seconds.

    ``environment``: it failed because of its environment, which no model can correct. ``failure``
    is why it failed, where it did. ``cost_known`` is the part of ``cost_usd`` that is known, and
    ``unpriced_calls`` are the calls that are not in it. ``repairs`` is the integration gate for
    which it is a repair ("": it is none).
    """

    status: NodeStatus = NodeStatus.PENDING
    attempts: int = 0
    tier_used: Tier | None = None
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
    past_attempts: Annotated[tuple[Attempt, ...], Key(ATTEMPTS)] = ()
    environment: bool = False
    failure: Failure | None = None
    cost_known: float = 0.0
    unpriced_calls: int = 0
    repairs: Annotated[str, Mark.OMITTED] = ""

    @property
    def cost(self) -> Cost:
        """What it cost; of records that have the total only, one call or more has no price."""
        if self.cost_usd is not None:
            return Cost(self.cost_usd)
        return Cost(self.cost_known, self.unpriced_calls or 1)

    @classmethod
    def from_json(cls, stored: object) -> "NodeState":
        """Return the state that is stored; fields of other versions do no harm.

        Raises RequestError when a value is not one that director writes.
        """
        try:
            return decode(cls, stored)
        except MismatchError as error:
            raise RequestError(
                f"state.json holds something this version does not know: {error}",
                "restore the file, or remove it: `director run` rebuilds it from the job branch",
            ) from None


class RunState(NamedTuple):
    """All nodes of one job."""

    job_id: str
    nodes: Mapping[str, NodeState]

    @classmethod
    def from_json(cls, job_id: str, stored: Mapping[str, object]) -> "RunState":
        """Return the state of a job, from the states of its nodes as ``NodeState.from_json``."""
        try:
            states = decode_all(NodeState, list(stored.values()))
        except MismatchError:
            states = [NodeState.from_json(one) for one in stored.values()]
        return cls(job_id, dict(zip(stored, states, strict=True)))

    def changed(self, node_id: str, **values: Any) -> "RunState":
        """Return the state with some fields of one node replaced."""
        return self.with_node(node_id, self.nodes[node_id]._replace(**values))

    def with_node(self, node_id: str, state: NodeState) -> "RunState":
        """Return the state with one node replaced."""
        return self._replace(nodes={**self.nodes, node_id: state})

    def ids(self, *statuses: NodeStatus) -> set[str]:
        """Return the ids of the nodes in one of ``statuses``."""
        return {node_id for node_id, node in self.nodes.items() if node.status in statuses}


class CallRecord(NamedTuple):
    """One model call, as a line of ``costs.jsonl``. ``cost`` in US dollars, None: unknown."""

    ts: str
    role: str
    model: str
    tokens: Annotated[Tokens, Mark.INLINE]
    cost: Annotated[float | None, Mark.ANY_NUMBER]
    cost_source: str
    node: str | None
    attempt: int | None
    ok: bool
    log: str = ""

    @property
    def is_for_tests(self) -> bool:
        """Whether it wrote a node's tests: what that costs belongs to planning, not to its work."""
        return self.role == Role.TEST_AUTHOR

    @classmethod
    def from_json(cls, line: object) -> "CallRecord":
        """Return the record that a line is, as ``believed``; MismatchError when it is another."""
        return decode(cls, line).believed()

    def believed(self) -> "CallRecord":
        """Return what is believed of it.

        A call with impossible numbers is a call all the same: what it cost is unknown.
        """
        if min(self.tokens) >= 0 and max(self.tokens) < LARGEST and 0 <= (self.cost or 0) < LARGEST:
            return self
        tokens = Tokens(*(max(0, count) for count in self.tokens))
        return self._replace(tokens=tokens, cost=None, cost_source=CostSource.UNKNOWN.value)
