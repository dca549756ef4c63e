"""What a node and a run came to: the lines of ``metrics.jsonl``, and the state of what ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from director.job.context import JobContext
from director.model.codec.encoding import encode, encode_any
from director.model.plan import Node, Plan
from director.model.rates import rates
from director.model.roles import Role
from director.model.state import (
    CallRecord,
    NodeState,
    NodeStatus,
    RunState,
    WatchItFail,
    WatchVerdict,
)
from director.records import files
from director.records.clock import now
from director.records.events import Kind
from director.records.ledger import grouped, total_cost, total_tokens
from director.records.state_keeper import StateKeeper
from director.running.node_record import NodeEnd


def _node_line(
    job_id: str, node: Node, state: NodeState, watched: WatchItFail, calls: Sequence[CallRecord]
) -> dict[str, Any]:
    """Return the ``kind:"node"`` line of a finished node; ``calls`` are that node's."""
    return {
        "kind": "node",
        "ts": now(),
        "job_id": job_id,
        "node": node.id,
        "title": node.title,
        "difficulty": node.estimated_difficulty,
        "status": state.status,
        "tier_used": state.tier_used,
        "model_used": state.model_used,
        "attempts": state.attempts,
        "escalated": state.escalated,
        "wall_secs": state.wall_secs,
        "tokens": total_tokens(calls).total,
        "cost_usd": total_cost(calls),
        "by_role": grouped(calls, "role"),
        "review_stage_two": state.review_stage_two,
        "review_blocks": state.review_blocks,
        "watch_it_fail": encode(watched),
        "flake_failed": state.flake_failed,
        "environment": state.environment,
        "failure": encode_any(state.failure),
    }


def run_line(
    job: JobContext, state: RunState, integration: tuple[bool | None, str], wall_secs: float
) -> dict[str, Any]:
    """Return the ``kind:"run"`` line: of all calls of the job, planning included.

    ``integration``: whether the integration gate is as it should be (None: not run), and in words.
    """
    integration_ok, words = integration
    nodes, calls = list(state.nodes.values()), job.agents.ledger.records
    return {
        "kind": "run",
        "ts": now(),
        "job_id": job.job_id,
        "tiers": {role.value: model for role, model in job.config.tiers.items()},
        **rates(nodes),
        "integration_ok": integration_ok,
        "integration_words": words,
        "wall_secs": round(wall_secs, 3),
        "cost_total": total_cost(calls),
        "by_role": grouped(calls, "role"),
        "by_model": grouped(calls, "model"),
    }


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
        line = _node_line(self.plan.job_id, self.plan.node(node_id), state, end.watched, calls)
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
            failure=encode_any(state.failure),
        )
