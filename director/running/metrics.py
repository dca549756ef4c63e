"""What a node and a run came to: the lines of ``metrics.jsonl``, and the state of what ended."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from director.job.context import JobContext
from director.model.codec.encoding import encode, encode_any
from director.model.merge_policy import CONTRACT
from director.model.plan import Node, Plan
from director.model.rates import rates
from director.model.state import (
    CallRecord,
    NodeState,
    NodeStatus,
    RunState,
    WatchItFail,
    WatchVerdict,
)
from director.records import json_lines
from director.records.clock import now
from director.records.events import Kind
from director.records.ledger import Ledger, cost_of_calls, grouped, total_tokens
from director.records.state_keeper import StateKeeper
from director.running.node_record import NodeEnd


class RunMark(NamedTuple):
    """Where a run began: what is recorded after that belongs to it.

    ``run_id`` names it, ``calls`` were in the ledger, ``started`` is on the monotonic clock, and
    ``wall_secs`` had been spent on each node.
    """

    run_id: str
    calls: int
    started: float
    wall_secs: Mapping[str, float]

    @classmethod
    def here(cls, ledger: Ledger, state: RunState) -> "RunMark":
        """Return the mark of a run that begins now."""
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        run_id = f"{moment}-{os.urandom(2).hex()}"
        wall_secs = {node_id: node.wall_secs for node_id, node in state.nodes.items()}
        return cls(run_id, len(ledger.records), time.monotonic(), wall_secs)

    def cost(self, ledger: Ledger, node_id: str | None = None) -> dict[str, Any]:
        """Return what the run has cost so far, or its work on one node, test author excluded."""
        calls = ledger.since(self.calls)
        if node_id is not None:
            calls = _of_work(one for one in calls if one.node == node_id)
        cost = cost_of_calls(calls)
        return {
            "run_cost": cost.total,
            "run_cost_known": cost.to_json()["cost_known"],
            "run_unpriced_calls": cost.unpriced_calls,
        }


def _of_work(calls: Iterable[CallRecord]) -> list[CallRecord]:
    """Leave out what a node's tests cost: that belongs to planning."""
    return [one for one in calls if not one.is_for_tests]


def _node_line(
    job_id: str, node: Node, state: NodeState, watched: WatchItFail, calls: Sequence[CallRecord]
) -> dict[str, Any]:
    """Return the ``kind:"node"`` line of a finished node; ``calls`` are that node's."""
    cost = cost_of_calls(calls)
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
        "cost_usd": cost.total,
        **cost.to_json(),
        "by_role": grouped(calls, "role"),
        "review_stage_two": state.review_stage_two,
        "review_blocks": state.review_blocks,
        "watch_it_fail": encode(watched),
        "flake_failed": state.flake_failed,
        "environment": state.environment,
        "failure": encode_any(state.failure),
        "repairs": state.repairs or None,
    }


def run_line(
    job: JobContext, state: RunState, integration: tuple[bool | None, str], mark: RunMark
) -> dict[str, Any]:
    """Return the ``kind:"run"`` line: of all calls of the job, planning included.

    ``integration``: whether the integration gate is as it should be (None: not run), and in words.
    """
    integration_ok, words = integration
    wall_secs = round(time.monotonic() - mark.started, 3)
    nodes, calls = list(state.nodes.values()), job.agents.ledger.records
    return {
        "kind": "run",
        "ts": now(),
        "job_id": job.job_id,
        "run_id": mark.run_id,
        "tiers": {role.value: model for role, model in job.config.tiers.items()},
        **rates(nodes),
        "integration_ok": integration_ok,
        "integration_words": words,
        "repairs": sum(bool(node.repairs) for node in nodes),
        **_contract(job),
        "wall_secs": wall_secs,
        **mark.cost(job.agents.ledger),
        **cost_of_calls(calls).totals(),
        "by_role": grouped(calls, "role"),
        "by_model": grouped(calls, "model"),
    }


def _contract(job: JobContext) -> dict[str, Any]:
    """Return what holding merges to the contract took, where they were held to it."""
    if job.config.merge.gate != CONTRACT:
        return {}
    count = job.queue.contract
    runs = {"steps": count.steps, "runs": count.runs, "refused": count.refused}
    return {"contract_gates": runs}


class Accounts:
    """The accounts of one run."""

    def __init__(self, job: JobContext, plan: Plan, keeper: StateKeeper, mark: RunMark) -> None:
        self.job = job
        self.plan = plan
        self.keeper = keeper
        self.mark = mark

    def catch_up(self) -> None:
        """Account for the nodes that a killed run merged and did not get to account for."""
        lines = json_lines.read_lines(self.job.directory.metrics)
        told = {line.get("node") for line in lines if line.get("status") == NodeStatus.DONE}
        for node_id in sorted(self.keeper.state.ids(NodeStatus.DONE) - told):
            verdict = self.keeper.node(node_id).watch_it_fail
            watched = WatchItFail(verdict or WatchVerdict.UNKNOWN, detail="from the state")
            self.account(node_id, NodeEnd(NodeStatus.DONE, watched=watched))

    def account(self, node_id: str, end: NodeEnd) -> None:
        """Put on record the state of a node and what it cost, and whether it is finished.

        What its tests cost belongs to planning.
        """
        calls = _of_work(self.job.agents.ledger.of_node(node_id))
        cost = cost_of_calls(calls)
        # What is merged the journal of tips tells, and the next run ``catch_up``s with it.
        durable = end.status is not NodeStatus.DONE
        self.keeper.update(
            node_id,
            durable=durable,
            status=end.status,
            error=end.error,
            tokens=total_tokens(calls).total,
            cost_usd=cost.total,
            **cost.to_json(),
        )
        if end.status is NodeStatus.PENDING:
            return
        state = self.keeper.node(node_id)
        line = _node_line(self.plan.job_id, self.plan.node(node_id), state, end.watched, calls)
        line |= {
            "run_id": self.mark.run_id,
            "run_wall_secs": round(state.wall_secs - self.mark.wall_secs.get(node_id, 0.0), 3),
            **self.mark.cost(self.job.agents.ledger, node_id),
        }
        json_lines.append_line(self.job.directory.metrics, line, durable=durable)
        self.job.events.emit(
            Kind.NODE_ENDED,
            node_id,
            status=state.status,
            tier=state.tier_used,
            attempts=state.attempts,
            cost=state.cost_usd,
            **cost.to_json(),
            wall_secs=state.wall_secs,
            error=state.error,
            failure=encode_any(state.failure),
        )
