"""The lines of ``metrics.jsonl``: what a node and a run came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from director.model.codec.encoding import encode
from director.model.plan import Node, Plan
from director.model.rates import rates
from director.model.state import CallRecord, NodeState, RunState, WatchItFail
from director.records.clock import now
from director.records.ledger import grouped, total_cost, total_tokens


def node_line(
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
    }


def run_line(
    plan: Plan,
    state: RunState,
    tiers: dict[str, str],
    calls: Sequence[CallRecord],
    integration: tuple[bool | None, str],
    wall_secs: float,
) -> dict[str, Any]:
    """Return the ``kind:"run"`` line; ``calls`` are all of the job's, planning included.

    ``integration``: whether the integration gate is as it should be (None: not run), and in words.
    """
    integration_ok, words = integration
    nodes = list(state.nodes.values())
    return {
        "kind": "run",
        "ts": now(),
        "job_id": plan.job_id,
        "tiers": tiers,
        **rates(nodes),
        "integration_ok": integration_ok,
        "integration_words": words,
        "wall_secs": round(wall_secs, 3),
        "cost_total": total_cost(calls),
        "by_role": grouped(calls, "role"),
        "by_model": grouped(calls, "model"),
    }
