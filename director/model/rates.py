"""Counts and rates over the nodes of a job: how much the executor tier did by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from director.model.roles import Tier
from director.model.state import NodeState, NodeStatus

BEYOND = (Tier.ESCALATION, Tier.HUMAN)  # the executor tier was not enough


def rates(nodes: Sequence[NodeState]) -> dict[str, Any]:
    """Return counts and rates over all nodes; percentages in 0–100, rates in 0–1.

    Executor-tier completion counts the nodes that were done without an escalation or a person.
    """
    total = len(nodes)
    done = [node for node in nodes if node.status is NodeStatus.DONE]
    by_executor = sum(1 for node in done if node.tier_used not in BEYOND)
    escalated = sum(node.escalated for node in nodes)
    reviewed = sum(node.review_stage_two for node in nodes)
    return {
        "n_nodes": total,
        "done": len(done),
        "failed": sum(node.status is NodeStatus.FAILED for node in nodes),
        "failed_by_environment": sum(
            node.status is NodeStatus.FAILED and node.environment for node in nodes
        ),
        "escalated": escalated,
        "executor_tier_completion": by_executor,
        "executor_tier_pct": round(100 * by_executor / total, 1) if total else 0.0,
        "escalation_rate": round(escalated / total, 4) if total else 0.0,
        "stage_two_trigger_rate": round(reviewed / total, 4) if total else 0.0,
    }
