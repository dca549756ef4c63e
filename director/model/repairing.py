"""The node that repairs a red integration gate: which files it may change, and what it is told."""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from director.model.dag import dependents
from director.model.patterns import lazy_pattern
from director.model.plan import Node, Plan, Repair
from director.model.printable import one_line, printable
from director.model.testing.headline import one_line as shortened

AROUND = lazy_pattern(r"[\s\"'`()\[\]{}<>=:,;|]")  # what a path in an output may touch
HERE = "./"


class RedGate(NamedTuple):
    """An integration gate that a merge turned red: its name, command, and what it said.

    ``nodes``: of which nodes these are the tests (none: it is one of ``[gates]``). ``blames`` is
    the node of the merge; ``output`` all that the gate said, ``excerpt`` the lines that matter.
    """

    name: str
    command: str
    nodes: tuple[str, ...]
    blames: str
    output: str
    excerpt: str


def repair_node(plan: Plan, gate: RedGate) -> Node:
    """Return the node of ``plan`` that is to turn ``gate`` green; every other node is done.

    It comes after all of them, so it sees all tests, and all of these stay green.
    """
    concerned = [plan.node(node_id) for node_id in concerned_nodes(plan, gate)]
    contract = plan.tests_by_command()
    own = contract.pop(gate.command, None)
    repair = Repair(gate.name, gate.blames, own.tests if own else (), tuple(contract.values()))
    return Node(
        id=_free_id(plan),
        title=shortened(one_line(f"Repair {gate.name}")),
        spec=_spec(plan, gate),
        files=tuple(dict.fromkeys(path for node in concerned for path in node.files)),
        depends_on=_last_nodes(plan),
        test_cmd=gate.command,
        tests=(),
        test_support=tuple(dict.fromkeys(path for n in concerned for path in n.test_support)),
        type="fix",
        repairs=repair,
    )


def repairs_in(plan: Plan) -> list[Node]:
    """Return the repair nodes of a plan."""
    return [node for node in plan.nodes if node.repairs]


def concerned_nodes(plan: Plan, gate: RedGate) -> list[str]:
    """Return the nodes whose files a repair may change, in the order of the plan.

    These are the node that is blamed, those that it depends on directly, and those of which the
    output names a file or a test. Where the gate is the tests of nodes, and the output names none
    of these, all of them.
    """
    blamed = plan.node(gate.blames)
    named = {
        node.id
        for node in plan.nodes
        if any(names(gate.output, path) for path in (*node.files, *node.tests))
    }
    tested = set() if named & set(gate.nodes) else set(gate.nodes)
    concerned = {blamed.id, *blamed.depends_on, *named, *tested}
    return [node.id for node in plan.nodes if node.id in concerned]


def names(output: str, path: str) -> bool:
    """Whether ``output`` names the file ``path`` of a worktree, plainly or with all of its path."""
    return any(
        _begins_path(output, at) and _ends_path(output, at + len(path))
        for at in _places(output, path)
    )


def _places(output: str, path: str) -> Iterator[int]:
    at = output.find(path)
    while at >= 0:
        yield at
        at = output.find(path, at + 1)


def _begins_path(output: str, at: int) -> bool:
    """Whether a path begins at ``at``, or what stands before it leads there from a root."""
    starts = _starts(output)
    start = starts[bisect_right(starts, at) - 1]
    if start == at or (at - start == len(HERE) and output.startswith(HERE, start)):
        return True
    return output[start] == output[at - 1] == "/"


@lru_cache(maxsize=1)
def _starts(output: str) -> list[int]:
    """Return where what could be a path may start: an output can be long, with no end of them."""
    return [0, *(found.end() for found in AROUND.finditer(output))]


def _ends_path(output: str, end: int) -> bool:
    rest = output[end : end + 2]
    if not rest or _is_around(rest[0]):
        return True
    return rest[0] in ".!?" and (len(rest) == 1 or _is_around(rest[1]))


def _is_around(character: str) -> bool:
    return AROUND.match(character) is not None


def _free_id(plan: Plan) -> str:
    known = {node.id.casefold() for node in plan.nodes}
    number = 1
    while f"repair-{number}" in known:
        number += 1
    return f"repair-{number}"


def _last_nodes(plan: Plan) -> tuple[str, ...]:
    """Return the nodes that no other waits for; what waits for these waits for all."""
    after = dependents(plan.nodes)
    return tuple(node.id for node in plan.nodes if not after.get(node.id))


def _spec(plan: Plan, gate: RedGate) -> str:
    return "\n\n".join(_parts(gate, plan.node(gate.blames)))


def _parts(gate: RedGate, blamed: Node) -> Iterator[str]:
    before = "when these nodes merged" if gate.nodes else "on the base commit"
    yield (
        f"All nodes are merged, and the integration gate {gate.name} is red. It was green "
        f"{before}; the merge of node {blamed.id} ({blamed.title}) turned it red."
    )
    yield (
        "Make its command green by correcting what is wrong in the files that you may change. "
        "What the nodes were asked for stays done: all frozen tests must stay green."
    )
    if gate.excerpt.strip():
        yield f"What it says:\n\n{_indented(gate.excerpt)}"
    yield f"What node {blamed.id} was asked for:\n\n{_indented(blamed.spec)}"


def _indented(text: str) -> str:
    """Return a text of others as a block of Markdown that nothing in it can end."""
    return "\n".join(f"    {printable(line)}".rstrip() for line in text.splitlines())
