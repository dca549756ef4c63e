"""What a node sees of the frozen tests: its view, decided from the plan and what is done.

The job branch holds the tests of all nodes from the second approval on. Where tests share a
compile unit, those of a node that is not done yet break the others; so each node sees the tests
of what is done, of what it depends on, and its own.
"""

from collections.abc import Iterable, Set
from typing import NamedTuple

from director.model.plan import Plan


class Held(NamedTuple):
    """What a test file holds in a view: its content at the node ``owner``; None: on the base."""

    path: str
    owner: str | None


def visible_nodes(plan: Plan, node_id: str, done: Set[str]) -> set[str]:
    """Return the ids of the nodes whose tests ``node_id`` sees while ``done`` are done.

    What it depends on is done when it is worked on. Where it is done itself nothing is added: its
    dependencies may have been edited since.
    """
    if node_id in done:
        return set(done)
    seen = {node_id}
    stack = [node_id]
    while stack:
        new = set(plan.node(stack.pop()).depends_on) - seen
        seen |= new
        stack.extend(new)
    return seen | done


def held_back(plan: Plan, visible: Set[str], among: Iterable[str] | None = None) -> list[Held]:
    """Return the test files that are not wholly seen where the tests of ``visible`` are.

    The owners of a file are a chain of dependencies: what it holds is up to the last one that is
    seen. ``among`` (None: all) are the test files that are asked about.
    """
    held = []
    for path in plan.owners if among is None else among:
        owners = plan.owners[path]
        if owners[-1] not in visible:
            seen = len(owners) > 1 and [owner for owner in owners if owner in visible]
            held.append(Held(path, seen[-1] if seen else None))
    return held
