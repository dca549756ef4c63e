"""What is happening in a job, from its events: the one picture that all live output shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from director.model.cost import Cost
from director.model.state import NodeStatus
from director.reporting.terminal.cells import width_of

if TYPE_CHECKING:
    from director.reporting.live.time_left import TimeLeft

LEFT_HOLDS_SECS = 5.0  # for which the time that is left is believed


class NodeProgress:
    """Where a node stands. ``wall_secs`` are those of a finished one; ``headline`` says why not."""

    def __init__(self, id: str, title: str = "", depends_on: tuple[str, ...] = ()) -> None:
        self.id = id
        self.title = title
        self.depends_on = depends_on
        self.admitted = False
        self.status = NodeStatus.PENDING
        self.attempts = 0
        self.tier = ""
        self.wall_secs = 0.0
        self.cost = Cost()
        self.headline = ""


class Work:
    """What is being worked on: a node, or a question of planning.

    ``since`` is when the attempt or call began, ``begun`` the node, in seconds since 1970.
    ``tool`` is what the agent used last, ``phase`` what
    happens where no agent is at work. ``under_way`` are the US dollars of the call that runs.
    """

    def __init__(self, label: str, begun: float) -> None:
        self.label = label
        self.begun = begun
        self.since = begun
        self.role = ""
        self.attempt: int | None = None
        self.phase = ""
        self.tool = ""
        self.argument = ""
        self.spent = Cost()
        self.under_way = 0.0

    @property
    def doing(self) -> str:
        """What happens, in a few words."""
        return f"{self.tool} {self.argument}".rstrip() if self.tool else self.phase


class Progress:
    """One job as far as its events tell. Everything that people read of it is one printable line.

    ``nodes`` are those of the plan, by id (``widest_id``: cells of the widest one), ``work`` what
    is under way, in the order of its beginning. ``setups`` are the worktrees (kind and slot) in
    which setup runs. ``spent`` is the cost of all calls that have ended.
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
        self.setups: set[tuple[str, int]] = set()
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
        self.forget_time_left()

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

    def forget_time_left(self) -> None:
        """Have the time that is left found again when it is asked for next."""
        self._left_at = -LEFT_HOLDS_SECS

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
