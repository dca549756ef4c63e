"""Where a finished node stands and what it cost: state, ``metrics.jsonl`` and an event."""

from __future__ import annotations

from dataclasses import dataclass

from director.job.context import JobContext
from director.model.plan import Plan
from director.model.roles import Role
from director.model.state import NodeStatus, WatchItFail, WatchVerdict
from director.records import files
from director.records.events import Kind
from director.records.ledger import total_cost, total_tokens
from director.records.state_keeper import StateKeeper
from director.running.metrics import node_line
from director.running.node_record import NodeEnd


@dataclass(frozen=True)
class Accounts:
    """The accounts of one run."""

    job: JobContext
    plan: Plan
    keeper: StateKeeper

    def catch_up(self) -> None:
        """Account for the nodes that a killed run merged and did not get to account for."""
        lines = files.read_lines(self.job.directory.metrics)
        told = {line.get("node") for line in lines if line.get("status") == NodeStatus.DONE}
        for node_id in sorted(self.keeper.state.ids(NodeStatus.DONE) - told):
            verdict = self.keeper.node(node_id).watch_it_fail
            watched = WatchItFail(verdict or WatchVerdict.UNKNOWN, detail="from the state")
            self.account(node_id, NodeEnd(NodeStatus.DONE, watched=watched))

    def account(self, node_id: str, end: NodeEnd) -> None:
        """Put on record where a node stands and what it cost, and whether it is finished.

        What its tests cost belongs to planning.
        """
        calls = self.job.agents.ledger.of_node(node_id)
        calls = [one for one in calls if one.role != Role.TEST_AUTHOR]
        self.keeper.update(
            node_id,
            status=end.status,
            error=end.error,
            tokens=total_tokens(calls).total,
            cost_usd=total_cost(calls),
        )
        if end.status is NodeStatus.PENDING:
            return
        state = self.keeper.node(node_id)
        line = node_line(self.plan.job_id, self.plan.node(node_id), state, end.watched, calls)
        files.append_line(self.job.directory.metrics, line, durable=True)
        self.job.events.emit(
            Kind.NODE_ENDED,
            node_id,
            status=state.status,
            tier=state.tier_used,
            attempts=state.attempts,
            cost=state.cost_usd,
            wall_secs=state.wall_secs,
            error=state.error,
        )
