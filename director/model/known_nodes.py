"""Finding the node that somebody names."""

from __future__ import annotations

from director.model.codec.mistakes import guess
from director.model.errors import RequestError
from director.model.plan import Node, Plan


def known_node(plan: Plan, node_id: str) -> Node:
    """Return the node of that id; RequestError, with the likely one, where there is none."""
    if node_id not in plan:
        ids = (node.id for node in plan.nodes)
        raise RequestError(f"no such node: {node_id}", guess(node_id, ids))
    return plan.node(node_id)
