"""Where a job stands, as a value: what is known of it, and what follows from that."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple

from director.job.stage import Stage
from director.model.cost import Cost
from director.model.errors import ExitCode
from director.model.failure import Failure
from director.model.landed import Landed
from director.model.questions import Question
from director.model.reason import Reason
from director.model.state import CallRecord, NodeState, NodeStatus
from director.records.worktrees_record import KeptWorktrees

NOTHING = Cost()
OF_THE_WORK = frozenset({Reason.NODE_FAILED, Reason.INTEGRATION_RED})
"""Reasons that the records of nodes and gates explain better than one sentence."""


class PlannedNode(NamedTuple):
    """What the plan says of a node that is shown."""

    id: str
    title: str
    test_cmd: str
    depends_on: tuple[str, ...] = ()


class LiveCall(NamedTuple):
    """A call under way: since when (a moment), its cost so far in US dollars, its last tool."""

    role: str = ""
    attempt: int | None = None
    tier: str = ""
    model: str = ""
    since: str = ""
    usd: float = 0.0
    tool: str = ""
    argument: str = ""


class Process(NamedTuple):
    """The process that works on a job. None and "": it has not said so (yet)."""

    pid: int | None
    command: str
    since: str
    lanes: int | None
    calls: Mapping[str, LiveCall] = {}


class End(NamedTuple):
    """How a command ended: for programs, for people, and when (a moment, "": not known)."""

    reason: str = ""
    what: str = ""
    next_step: str = ""
    exit_code: int = 0
    at: str = ""

    @property
    def stopped(self) -> bool:
        """Whether something else ended it than the work itself."""
        return self.exit_code != ExitCode.DONE and self.reason not in OF_THE_WORK


class Gate(NamedTuple):
    """One integration gate of the last run. ``culprit``: the node whose merge turned it red.

    ``nodes``: of which nodes these are the tests (none: it is one of ``[gates]``).
    """

    name: str
    command: str
    verdict: str
    reason: str = ""
    log: str = ""
    culprit: str | None = None
    note: str = ""
    failure: Failure | None = None
    red_before: bool = False
    nodes: tuple[str, ...] = ()


class NodeNow(NamedTuple):
    """One node: its plan, where it stands, what it cost, and its call under way (None: none)."""

    planned: PlannedNode
    state: NodeState
    cost: Cost = NOTHING
    calls: int = 0
    live: LiveCall | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return self.planned.id

    @property
    def failure(self) -> Failure | None:
        """Why it failed, or its last attempt did; None where that is not on record."""
        tries = [one.failure for one in self.state.past_attempts if one.failure]
        return self.state.failure or (tries[-1] if tries else None)

    @property
    def same_failure(self) -> int:
        """How many attempts failed with one and the same headline; 0 where they differ."""
        tries = self.state.past_attempts
        headlines = {one.failure.headline if one.failure else "" for one in tries}
        return len(tries) if len(tries) > 1 and len(headlines) == 1 and all(headlines) else 0


class Standing(Enum):
    """What there is to say first of a job."""

    WORKING = auto()  # a process works on it
    DECIDING = auto()  # planning waits for answers to questions
    APPROVING = auto()  # planning waits for an approval
    PLANNING = auto()  # planning is not finished, and no process works on it
    KILLED = auto()
    STOPPED = auto()  # for an outside reason
    FAILED = auto()  # nodes did
    INTEGRATION_RED = auto()
    READY = auto()  # there are nodes left to work on
    DONE = auto()
    AMENDING = auto()  # a node waits for another approval


MOVABLE = frozenset({Standing.STOPPED, Standing.FAILED, Standing.READY})


class Status(NamedTuple):
    """One job. ``now`` in seconds since 1970. ``questions`` are those that its planner waits with.

    ``process`` works on the job now; without one ``end`` is how the last command ended (None: not
    on record), unless it was ``killed``; ``last_event`` is the moment of the last event. ``runs``
    are the runs that ended, which took ``run_secs`` together, the last one with ``lanes``.
    ``gates`` are the integration gates of the last run (``integration_ok`` None: none ran).
    ``log_lines`` has the number of lines of the logs that are shown, by their names. ``amending``
    is the node that is being amended ("": none is), ``taken`` maps nodes to the worktrees in which
    people write them. ``landed`` says where the work went (None: it has not landed), and
    ``undone`` how that was undone ("": it was not, as far as that was asked). HEAD has
    ``newer`` commits than the base of a job that is not finished (None: not asked).
    """

    directory: Path
    stage: Stage
    job_id: str
    task: str
    job_branch: str
    base_commit: str
    questions: tuple[Question, ...] = ()
    nodes: tuple[NodeNow, ...] = ()
    calls: Sequence[CallRecord] = ()
    cost: Cost = NOTHING
    runs: int = 0
    run_secs: float = 0.0
    lanes: int | None = None
    process: Process | None = None
    end: End | None = None
    last_event: str = ""
    killed: bool = False
    gates: tuple[Gate, ...] = ()
    integration_ok: bool | None = None
    integration_words: str = ""
    unpublished: str | None = None
    log_lines: Mapping[str, int] = {}
    kept: KeptWorktrees | None = None
    damaged_lines: Mapping[str, int] = {}
    now: float = 0.0
    amending: str = ""
    taken: Mapping[str, str] = {}
    landed: Landed | None = None
    undone: str = ""
    newer: int | None = None

    @property
    def can_move(self) -> bool:
        """Whether the job has nodes left, and no process or person works on it."""
        left = len(self.of(NodeStatus.DONE)) < len(self.nodes)
        return left and not self.taken and self.standing in MOVABLE

    def of(self, *statuses: NodeStatus) -> list[NodeNow]:
        """Return the nodes in one of ``statuses``, in the order of the plan."""
        return [node for node in self.nodes if node.state.status in statuses]

    @property
    def red_gates(self) -> list[Gate]:
        """The integration gates that the job has to answer for."""
        left = [one for one in self.nodes if one.state.status is not NodeStatus.DONE]
        if self.integration_ok is not False or any(not one.state.repairs for one in left):
            return []
        return [one for one in self.gates if one.verdict != "green" and not one.red_before]

    @property
    def failed_repairs(self) -> list[NodeNow]:
        """The repairs that failed, where nothing else did."""
        failed = self.of(NodeStatus.FAILED)
        return failed if all(node.state.repairs for node in failed) else []

    @property
    def standing(self) -> Standing:
        """What there is to say first."""
        if self.process is not None:
            return Standing.WORKING
        stopped = self.end is not None and self.end.stopped
        if self.stage is not Stage.READY:
            return self._planning()
        if self.amending:
            return Standing.AMENDING
        if self.killed:
            return Standing.KILLED
        if stopped:
            return Standing.STOPPED
        if self.of(NodeStatus.FAILED):
            return Standing.FAILED
        if len(self.of(NodeStatus.DONE)) < len(self.nodes) or not self.runs:
            return Standing.READY
        red = self.integration_ok is False
        return Standing.INTEGRATION_RED if red else Standing.DONE

    def _planning(self) -> Standing:
        if self.questions:
            return Standing.DECIDING
        if self.killed:
            return Standing.KILLED
        if self.end is not None and self.end.exit_code != ExitCode.DONE:
            return Standing.STOPPED
        waits = bool(self.stage.awaited)
        return Standing.APPROVING if waits else Standing.PLANNING
