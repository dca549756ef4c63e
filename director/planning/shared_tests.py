"""Test files that several nodes extend, one after the other: what is written again, and from what.

A later node's tests are written on top of the earlier ones': when these change, so do those.
"""

from __future__ import annotations

from collections.abc import Mapping, Set

from director.job.context import JobContext
from director.job.views import views_of
from director.model.plan import Node, Plan, topological_order
from director.planning.tests_on_branch import commit_entries


def kept_tests(before: Plan, after: Plan, refused: Set[str]) -> dict[str, Mapping[str, str]]:
    """Return node id → test hashes of the nodes whose tests stay when a plan is revised.

    Those are nodes that are as they were and not ``refused``, and extend no file of another that
    is written again, or that was begun by others before.
    """
    kept: dict[str, Mapping[str, str]] = {}
    for node_id in topological_order(after.nodes):
        if node_id not in before or node_id in refused:
            continue
        was, now = before.node(node_id), after.node(node_id)
        earlier = [(_earlier(before, was, path), _earlier(after, now, path)) for path in now.tests]
        if was.same_definition(now) and all(
            old == new and set(new) <= kept.keys() for old, new in earlier
        ):
            kept[node_id] = was.test_hashes
    return kept


def _earlier(plan: Plan, node: Node, path: str) -> tuple[str, ...]:
    """Return the nodes that have tests in a file before ``node`` does."""
    owners = plan.owners.get(path, ())
    return owners[: owners.index(node.id)] if node.id in owners else ()


def authors_wait_for(plan: Plan, nodes: Set[str]) -> dict[str, tuple[str, ...]]:
    """Return node id → those of ``nodes`` whose tests are to be written before its own."""
    return {
        node.id: tuple(
            sorted({one for path in node.tests for one in _earlier(plan, node, path)} & nodes)
        )
        for node in plan.nodes
        if node.id in nodes
    }


def restore_shared_tests(job: JobContext, before: Plan, after: Plan) -> None:
    """Make shared files on the branch hold what the next author begins with.

    That is the content at the last node whose tests stay; where there is none, the first one's.
    ``after`` has the hashes of what stays.
    """
    tip = job.repository.tip()
    for path in sorted((before.shared_tests | after.shared_tests) & after.owners.keys()):
        owners = after.owners[path]
        stays = [one for one in owners if path in after.node(one).test_hashes]
        plan, owner = (after, stays[-1]) if stays else (before, owners[0])
        if owner not in plan:
            continue
        entry = views_of(job.repository, plan).content_at(tip, plan.node(owner), path)
        if entry and job.repository.entries(tip, [path]).get(path) != entry:
            commit_entries(job, f"Tests of {owner}", [owner], [entry])
