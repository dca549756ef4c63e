"""What a run believes when it begins: the branch first, then the journals, then the state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from director.job.trailers import KIND, MERGE, NODE, attempts_said
from director.model.dag import dependents, reachable
from director.model.plan import Plan
from director.model.roles import Tier
from director.model.state import NodeState, NodeStatus, RunState
from director.repositories.branch_commits import BranchCommit


def merges_by_node(commits: Iterable[BranchCommit]) -> dict[str, BranchCommit]:
    """Return node id → its merge commit, of the commits of a job branch."""
    return {
        commit.trailers[NODE]: commit
        for commit in commits
        if commit.trailers.get(KIND) == MERGE and NODE in commit.trailers
    }


def reconciled(
    state: RunState, merges: Mapping[str, BranchCommit], *, retry_failed: bool
) -> RunState:
    """Return the state a run begins with: done is what is merged, and nothing else.

    A node that was running is pending again. ``retry_failed`` gives failed and blocked nodes a
    fresh set of attempts.
    """
    nodes = {
        node_id: _as_merged(node, merges[node_id])
        if node_id in merges
        else _as_open(node, retry_failed)
        for node_id, node in state.nodes.items()
    }
    return state._replace(nodes=nodes)


def reopened(state: RunState, plan: Plan, node_id: str) -> RunState:
    """Return the state in which a node has fresh chances, and what waited for it alone is free.

    What it cost, and how many attempts it took, stays.
    """
    fresh = _as_open(state.nodes[node_id]._replace(status=NodeStatus.FAILED), retry_failed=True)
    return unblocked(state.with_node(node_id, fresh), plan)


def unblocked(state: RunState, plan: Plan) -> RunState:
    """Return the state in which nodes that wait for no failed one are not blocked any more."""
    after, waiting = dependents(plan.nodes), set[str]()
    for failed in state.ids(NodeStatus.FAILED):
        waiting |= reachable(after, failed, known=waiting)
    for node_id in state.ids(NodeStatus.BLOCKED) - waiting:
        state = state.changed(node_id, status=NodeStatus.PENDING, error=None)
    return state


def rebuilt(plan: Plan, metrics: Iterable[Mapping[str, Any]]) -> RunState:
    """Return a state from the journal alone, for a ``state.json`` that cannot be read.

    Nodes that failed stay failed, with the attempts they had; what is done, the branch tells.
    """
    nodes = {node.id: NodeState() for node in plan.nodes}
    for line in metrics:
        if line.get("kind") != "node" or line.get("job_id") != plan.job_id:
            continue
        node_id = line.get("node")
        if isinstance(node_id, str) and node_id in nodes:
            nodes[node_id] = _from_line(line)
    return RunState(plan.job_id, nodes)


def _from_line(line: Mapping[str, Any]) -> NodeState:
    watched = line.get("watch_it_fail") or {}
    names = (
        "status", "tier_used", "model_used", "attempts", "escalated", "tokens", "cost_usd",
        "review_stage_two", "review_blocks", "wall_secs", "flake_failed", "environment", "failure",
    )  # fmt: skip
    known = {name: line[name] for name in names if name in line}
    return NodeState.from_json({**known, "watch_it_fail": watched.get("verdict")})


def _as_merged(node: NodeState, merge: BranchCommit) -> NodeState:
    tier = merge.trailers.get("Director-Tier")
    role = Tier(tier) if tier in list(Tier) else None
    return node._replace(
        status=NodeStatus.DONE,
        commit=merge.oid,
        error=None,
        failure=None,
        tier_used=role,
        escalated=node.escalated or role is Tier.ESCALATION,
        attempts=max(node.attempts, attempts_said(merge.trailers)),
    )


def _as_open(node: NodeState, retry_failed: bool) -> NodeState:
    again = {NodeStatus.RUNNING, NodeStatus.DONE}
    if retry_failed:
        again |= {NodeStatus.FAILED, NodeStatus.BLOCKED}
    if node.status not in again:
        return node
    had_its_chances = node.status in (NodeStatus.FAILED, NodeStatus.BLOCKED)
    return node._replace(
        status=NodeStatus.PENDING,
        error=None,
        commit=None,
        past_attempts=() if had_its_chances else node.past_attempts,
        flake_failed=False if had_its_chances else node.flake_failed,
        environment=False,
        failure=None,
    )
