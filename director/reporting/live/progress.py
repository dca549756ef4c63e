"""What is happening in a job, from its events: the one picture that all live output shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from director.model.cost import Cost
from director.model.printable import one_line
from director.model.roles import Agent, Role
from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.reporting.terminal.cells import width_of

if TYPE_CHECKING:
    from director.reporting.live.time_left import TimeLeft

STAGES = ("explore", "spec", "plan", "tests")
"""What planning goes through, as people are told."""

TESTS = STAGES.index("tests")
_STAGE_AT = {"spec": 0, "gate_spec": 2, "decompose": 2, "gate_plan": 4, "ready": 4}
_AGENT_AT = {Agent.BRAINSTORM: 1, Agent.TEST_AUTHOR: TESTS}
ANSWERS = {
    ("spec", Agent.EXPLORER): "explore",
    ("spec", Agent.BRAINSTORM): "spec",
    ("decompose", Agent.PLANNER): "plan",
}
"""Stage of planning and agent → what comes of the call; all others criticise."""

LEFT_HOLDS_SECS = 5.0  # for which the time that is left is believed
CRITIQUE = "critique"
_WRITERS = frozenset((Role.EXECUTOR, Role.ESCALATION, Role.TEST_AUTHOR))

NOTHING = Cost()


class NodeProgress:
    """Where a node stands. ``wall_secs`` are those of a finished one; ``headline`` says why not."""

    def __init__(
        self,
        id: str,
        title: str = "",
        depends_on: tuple[str, ...] = (),
        status: NodeStatus = NodeStatus.PENDING,
        admitted: bool = False,
        attempts: int = 0,
        tier: str = "",
        wall_secs: float = 0.0,
        cost: Cost = NOTHING,
        headline: str = "",
    ) -> None:
        self.id = id
        self.title = title
        self.depends_on = depends_on
        self.status = status
        self.admitted = admitted
        self.attempts = attempts
        self.tier = tier
        self.wall_secs = wall_secs
        self.cost = cost
        self.headline = headline


class Work:
    """What is being worked on: a node, or a question of planning.

    ``since`` is when the attempt or call began, ``begun`` the node, in seconds since 1970.
    ``tool`` is what the agent used last, ``phase`` what
    happens where no agent is at work. ``under_way`` are the US dollars of the call that runs.
    """

    def __init__(
        self,
        label: str,
        begun: float,
        since: float,
        role: str = "",
        attempt: int | None = None,
        phase: str = "",
        tool: str = "",
        argument: str = "",
        spent: Cost = NOTHING,
        under_way: float = 0.0,
    ) -> None:
        self.label = label
        self.begun = begun
        self.since = since
        self.role = role
        self.attempt = attempt
        self.phase = phase
        self.tool = tool
        self.argument = argument
        self.spent = spent
        self.under_way = under_way

    @property
    def doing(self) -> str:
        """What happens, in a few words."""
        return f"{self.tool} {self.argument}".rstrip() if self.tool else self.phase


class Progress:
    """One job as far as its events tell. Everything that people read of it is one printable line.

    ``nodes`` are those of the plan, by id (``widest_id``: cells of the widest one), ``work`` what
    is under way, in the order of its beginning. ``spent`` is the cost of all calls that have ended.
    """

    def __init__(self, command: str) -> None:
        self.command = command
        self.job_id = ""
        self.task = ""
        self.directory = ""
        self.begun = 0.0
        self.max_attempts = 0
        self.ceiling_usd = 0.0
        self.is_open = False
        self.is_run = False
        self.stopping = False
        self.lanes = 1
        self.stage = 0
        self.stage_name = ""
        self.step = "preparing"
        self.spent = Cost()
        self.nodes: dict[str, NodeProgress] = {}
        self.work: dict[str, Work] = {}
        self.widest_id = 0
        self._left: TimeLeft | None = None
        self._left_at = -LEFT_HOLDS_SECS

    @property
    def cost(self) -> Cost:
        """What all calls have cost so far, those under way included."""
        return self.spent + Cost(sum(one.under_way for one in self.work.values()))

    def know(self, nodes: Iterable[NodeProgress]) -> None:
        """Take in the nodes of the plan as the records have them."""
        self.nodes = {node.id: node for node in nodes}
        self.widest_id = max(map(width_of, self.nodes), default=0)
        self._left_at = -LEFT_HOLDS_SECS

    def counts(self) -> Mapping[NodeStatus, int]:
        """Return how many nodes are in each state (0 where there are none)."""
        return Counter(node.status for node in self.nodes.values())

    def admitted(self) -> int:
        """Return how many nodes have tests."""
        return sum(node.admitted for node in self.nodes.values())

    def time_left(self, now: float) -> TimeLeft | None:
        """Return how long the run may still take at ``now``, or None: not known yet.

        It is found again when a node has ended, and now and then: that takes a while.
        """
        if not 0 <= now - self._left_at < LEFT_HOLDS_SECS:
            self._left, self._left_at = self._find_time_left(now), now
        return self._left

    def _find_time_left(self, now: float) -> TimeLeft | None:
        from director.reporting.live.time_left import Todo, time_left  # for those who show it

        over = (NodeStatus.DONE, NodeStatus.FAILED, NodeStatus.BLOCKED, NodeStatus.TAKEN)
        done = [
            node.wall_secs
            for node in self.nodes.values()
            if node.status is NodeStatus.DONE and node.wall_secs
        ]
        todo = {
            node.id: Todo(node.depends_on, self._elapsed(node.id, now))
            for node in self.nodes.values()
            if node.status not in over
        }
        return time_left(done, todo, self.lanes)

    def blocked(self) -> Mapping[str, list[str]]:
        """Return the failed node → those that wait for it in vain."""
        groups: dict[str, list[str]] = {}
        for node in self.nodes.values():
            if node.status is NodeStatus.BLOCKED:
                groups.setdefault(self._root_of(node.id), []).append(node.id)
        return groups

    def take(self, event: Event) -> None:
        """Take in an event."""
        if take := _TAKE.get(event.kind):
            take(self, event)

    def _elapsed(self, node_id: str, now: float) -> float:
        work = self.work.get(node_id)
        return max(0.0, now - work.begun) if work else 0.0

    def _root_of(self, node_id: str) -> str:
        """Return the failed node for which a blocked one waits."""
        seen: set[str] = set()
        waiting = [node_id]
        while waiting:
            for one in self.nodes[waiting.pop()].depends_on:
                if one in seen or one not in self.nodes:
                    continue
                if self.nodes[one].status is NodeStatus.FAILED:
                    return one
                seen.add(one)
                waiting.append(one)
        return ""

    def _open(self, event: Event) -> None:
        data = event.data
        self.is_open, self.is_run = True, bool(data.get("planned"))
        self.work = {}
        self.know(())
        self.job_id, self.task = str(data["job_id"]), one_line(str(data["task"]))
        self.directory, self.begun = str(data.get("directory", "")), moment(event.ts)
        self.max_attempts = int(data.get("max_attempts", 0))
        self.ceiling_usd = float(data.get("ceiling_usd", 0.0))
        self.step = "preparing"

    def _close(self, _event: Event) -> None:
        self.is_open, self.work = False, {}

    def _enter_stage(self, event: Event) -> None:
        self.stage_name = str(event.data["stage"])
        self.stage = _STAGE_AT.get(self.stage_name, self.stage)
        self.step = "running the existing tests and gates" if self.stage_name == "spec" else ""

    def _start_run(self, event: Event) -> None:
        self.is_run, self.lanes = True, int(event.data.get("parallel") or 1)
        self.step = "looking for the next node"

    def _start_node(self, event: Event) -> None:
        work = self._work_of(event)
        work.since, work.phase = moment(event.ts), "tests first"
        if node := self.nodes.get(work.label):
            node.status = NodeStatus.RUNNING

    def _start_attempt(self, event: Event) -> None:
        work = self._work_of(event)
        work.attempt, work.role = event.data["attempt"], str(event.data["tier"])
        work.since = moment(event.ts)

    def _fail_attempt(self, event: Event) -> None:
        work = self._work_of(event)
        work.phase = f"attempt {event.data['attempt']} failed: {headline_of(event.data)}"
        if node := self.nodes.get(work.label):
            node.headline = headline_of(event.data)

    def _start_call(self, event: Event) -> None:
        data, work = event.data, self._work_of(event)
        work.role = str(data["role"])
        if event.node is None:
            work.label = ANSWERS.get((self.stage_name, data["agent"]), CRITIQUE)
        if data.get("attempt") is not None:
            work.attempt = data["attempt"]
        if not self.is_run or event.node is None:
            work.since = moment(event.ts)
        work.tool, work.phase = "", "asks the model"
        self.step = ""
        if not self.is_run:
            self.stage = max(self.stage, _AGENT_AT.get(data["agent"], 0))

    def _hear(self, event: Event) -> None:
        data, work = event.data, self._work_of(event)
        work.tool, work.argument = str(data["tool"]), one_line(str(data["argument"]))
        work.under_way = data.get("cost") or 0.0

    def _end_call(self, event: Event) -> None:
        work, cost = self._work_of(event), Cost.of([event.data["cost"]])
        self.spent += cost
        work.spent += cost
        work.under_way, work.tool = 0.0, ""
        work.phase = "runs the tests" if event.data["role"] in _WRITERS else ""
        if event.node is None:
            self.work.pop(_key(event), None)

    def _wait_for_provider(self, event: Event) -> None:
        pause = event.data["pause_secs"]
        work = self.work.get(event.node or "") or next(reversed(self.work.values()), None)
        if work:
            work.phase = f"{one_line(str(event.data['reason']))}; again in {pause} s"

    def _admit(self, event: Event) -> None:
        self.work.pop(str(event.node), None)
        if node := self.nodes.get(str(event.node)):
            node.admitted = True

    def _send_back(self, event: Event) -> None:
        if work := self.work.get(str(event.node)):
            work.phase = f"tests sent back: {first_line(str(event.data['problem']))}"

    def _add_repair(self, event: Event) -> None:
        node_id, depends_on = str(event.node), tuple(map(str, event.data["depends_on"]))
        node = NodeProgress(node_id, one_line(str(event.data["title"])), depends_on, admitted=True)
        self.know((*self.nodes.values(), node))

    def _end_node(self, event: Event) -> None:
        data = event.data
        work = self.work.pop(str(event.node), None)
        node = self.nodes.setdefault(str(event.node), NodeProgress(str(event.node)))
        node.status, node.attempts = NodeStatus(data["status"]), int(data["attempts"])
        node.tier, node.wall_secs = str(data["tier"] or ""), float(data["wall_secs"])
        node.cost = work.spent if work else Cost.of([data["cost"]])
        if node.status is NodeStatus.FAILED:
            node.headline = headline_of(data) or node.headline
            self._block(node.id)
        self.step = "running the integration gates"
        self._left_at = -LEFT_HOLDS_SECS

    def _block(self, failed: str) -> None:
        for node in self.nodes.values():
            if failed in node.depends_on and node.status is NodeStatus.PENDING:
                node.status = NodeStatus.BLOCKED
                self._block(node.id)

    def _work_of(self, event: Event) -> Work:
        key = _key(event)
        if key not in self.work:
            self.work[key] = Work(key, moment(event.ts), moment(event.ts))
        return self.work[key]


def moment(ts: str) -> float:
    """Return the time of an event in seconds since 1970."""
    return datetime.fromisoformat(ts).timestamp()


def headline_of(data: Mapping[str, Any]) -> str:
    """Return the one line that says why an attempt or a node failed; "" where nothing does."""
    failure = data.get("failure") or {}
    return one_line(str(failure.get("headline") or "")) or first_line(
        str(data.get("lesson") or data.get("error") or "")
    )


def first_line(text: str) -> str:
    """Return the first line of ``text`` that says something, printable."""
    return next((line for line in map(one_line, text.splitlines()) if line), "")


def _key(event: Event) -> str:
    """Return the key of what an event is about: a node's id, else who is asked."""
    return event.node or str(event.data.get("agent") or "")


_TAKE = {
    Kind.OPENED: Progress._open,
    Kind.CLOSED: Progress._close,
    Kind.STAGE_ENTERED: Progress._enter_stage,
    Kind.RUN_STARTED: Progress._start_run,
    Kind.NODE_STARTED: Progress._start_node,
    Kind.ATTEMPT_STARTED: Progress._start_attempt,
    Kind.ATTEMPT_FAILED: Progress._fail_attempt,
    Kind.CALL_STARTED: Progress._start_call,
    Kind.CALL_PROGRESS: Progress._hear,
    Kind.CALL_ENDED: Progress._end_call,
    Kind.PROVIDER_FAULT: Progress._wait_for_provider,
    Kind.TESTS_ADMITTED: Progress._admit,
    Kind.TESTS_REJECTED: Progress._send_back,
    Kind.REPAIR: Progress._add_repair,
    Kind.NODE_ENDED: Progress._end_node,
}
