"""Rules of the DAG: ids and dependencies resolve, no cycles, no unordered overlap."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError
from itertools import pairwise

from director.model.plan import Node, topological_order

ONE_WAITS = "one must depend on the other"


def dag_problems(nodes: Sequence[Node]) -> list[str]:
    """Return one sentence for each rule that the nodes break (an empty list: none)."""
    ids = [node.id for node in nodes]
    if len(set(map(str.casefold, ids))) != len(ids):
        count = Counter(map(str.casefold, ids))
        twice = sorted({node_id for node_id in ids if count[node_id.casefold()] > 1})
        return [f"node ids must be unique, also when case is ignored: {', '.join(twice)}"]
    known = set(ids)
    problems = [
        f"node {node.id!r} depends on {dependency!r}, which is not a node"
        for node in nodes
        for dependency in node.depends_on
        if dependency not in known
    ]
    if problems:
        return problems
    try:
        order = topological_order(nodes)
    except CycleError as error:
        return [f"the dependencies form a cycle: {' → '.join(reversed(error.args[1]))}"]
    # Two nodes may share a file, or have tests in one, only when one waits for the other.
    changed = _unordered(nodes, order, lambda node: node.files)
    claimed = _unordered(nodes, order, lambda node: node.tests)
    return [
        *(f"nodes {a!r} and {b!r} both change {path!r}: {ONE_WAITS}" for path, a, b in changed),
        *(
            f"test {path!r} is claimed by nodes {a!r} and {b!r}: {ONE_WAITS}"
            for path, a, b in claimed
        ),
    ]


def dependents(nodes: Iterable[Node]) -> dict[str, list[str]]:
    """Return id → ids of the nodes that depend on it directly."""
    result: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        for dependency in dict.fromkeys(node.depends_on):
            result[dependency].append(node.id)
    return dict(result)


def remaining_path_lengths(nodes: Sequence[Node]) -> dict[str, int]:
    """Return id → number of nodes on the longest chain that starts with it (at least 1)."""
    after = dependents(nodes)
    lengths: dict[str, int] = {}
    for node_id in reversed(topological_order(nodes)):
        lengths[node_id] = 1 + max((lengths[d] for d in after.get(node_id, ())), default=0)
    return lengths


def _unordered(
    nodes: Sequence[Node], order: list[str], claimed: Callable[[Node], Sequence[str]]
) -> Iterator[tuple[str, str, str]]:
    """Give paths that two nodes claim of which neither waits for the other.

    Along the topological order it is enough to ask this of neighbours: order is transitive.
    """
    position = {node_id: index for index, node_id in enumerate(order)}
    claims: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        for path in claimed(node):
            claims[path].append(node.id)
    after = dependents(nodes)
    for path, claimants in claims.items():
        chain = sorted(claimants, key=position.__getitem__)
        for first, second in pairwise(chain):
            if not _waits(after, position, first, second):
                yield path, first, second


def _waits(
    after: Mapping[str, Sequence[str]], position: Mapping[str, int], first: str, second: str
) -> bool:
    """Whether ``second`` waits for ``first``: only what lies between them in order is looked at."""
    seen: set[str] = set()
    stack = [first]
    while stack:
        for node_id in after.get(stack.pop(), ()):
            if node_id == second:
                return True
            if node_id not in seen and position[node_id] < position[second]:
                seen.add(node_id)
                stack.append(node_id)
    return False


def reachable(
    after: Mapping[str, Sequence[str]], start: str, known: Collection[str] = ()
) -> set[str]:
    """Return what comes after ``start``, but for what is ``known`` and what comes after that."""
    seen: set[str] = set()
    stack = list(after.get(start, ()))
    while stack:
        node_id = stack.pop()
        if node_id not in seen and node_id not in known:
            seen.add(node_id)
            stack.extend(after.get(node_id, ()))
    return seen


def layers_of(nodes: Sequence[Node]) -> dict[str, int]:
    """Return id → its layer, from 1: one more than the highest of those that it depends on."""
    waits_for = {node.id: node.depends_on for node in nodes}
    layers: dict[str, int] = {}
    for node_id in topological_order(nodes):
        layers[node_id] = 1 + max((layers[one] for one in waits_for[node_id]), default=0)
    return layers
