"""Nodes that people have taken, seen from a run: it leaves them alone.

The records in ``taken/`` are what counts; the state follows them. One that is not ready is of a
command that was killed while it made the worktree, or while it removed it.
"""

from __future__ import annotations

from pathlib import Path

from director.job.reconciling import unblocked
from director.model.dag import dependents, reachable
from director.model.plan import Plan
from director.model.state import NodeStatus, RunState
from director.records.job_directory import JobDirectory
from director.records.taken_nodes import TakenNode, forget_taken, note_taken, taken_nodes
from director.worktrees.taken_folders import remove_taken_folder


def settle_taken(
    directory: JobDirectory, plan: Plan, state: RunState, spared: Path | None = None
) -> RunState:
    """Return the state in which nodes are taken that people have, and no others.

    What a killed command left of one that is not taken is removed, but for the folder ``spared``.
    """
    held: set[str] = set()
    for taken in taken_nodes(directory):
        node = state.nodes.get(taken.node)
        merged = node is not None and node.status is NodeStatus.DONE
        if taken.ready and node and not merged:
            held.add(taken.node)
            state = state.changed(taken.node, status=NodeStatus.TAKEN)
        elif merged or not taken.ready:
            state = _without(directory, plan, state, taken, spared)
    for node_id in state.ids(NodeStatus.TAKEN) - held:
        state = state.changed(node_id, status=NodeStatus.PENDING)
    return unblocked(state, plan)


def _without(
    directory: JobDirectory, plan: Plan, state: RunState, taken: TakenNode, spared: Path | None
) -> RunState:
    if Path(taken.folder) == spared:
        return state
    state = returned(plan, state, taken)
    discard_taken(directory, taken)
    return state


def returned(plan: Plan, state: RunState, taken: TakenNode) -> RunState:
    """Return the state of a node as it was before it was taken.

    What waits for it is blocked again, where it had failed.
    """
    node = state.nodes.get(taken.node)
    if node is None or node.status is not NodeStatus.TAKEN:
        return state
    failed = taken.status == NodeStatus.FAILED
    status = NodeStatus.FAILED if failed else NodeStatus.PENDING
    state = state.changed(taken.node, status=status, error=taken.error if failed else None)
    if failed:
        error = f"waits for {taken.node}, which failed"
        for node_id in reachable(dependents(plan.nodes), taken.node):
            if state.nodes[node_id].status is NodeStatus.PENDING:
                state = state.changed(node_id, status=NodeStatus.BLOCKED, error=error)
    return state


def discard_taken(directory: JobDirectory, taken: TakenNode) -> None:
    """Remove a person's worktree and its record, which goes last: a kill leaves it to be found."""
    note_taken(directory, taken._replace(ready=False))
    remove_taken_folder(Path(taken.folder))
    forget_taken(directory, taken.node)
