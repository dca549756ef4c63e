"""The plan: nodes with an allowlist, a test command and a contract of frozen tests."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Annotated, NamedTuple

from director.model.codec.marks import ErrorMessage, Mark, one_of
from director.model.commit_policy import TYPES

DIFFICULTIES = ("easy", "medium", "hard")


class FrozenTests(NamedTuple):
    """The frozen tests of ``nodes`` that one ``command`` runs."""

    nodes: tuple[str, ...]
    command: str
    tests: tuple[str, ...]


class Repair(NamedTuple):
    """What a repair node is for: the integration gate called ``gate``, whose command it has.

    ``blames`` is the node whose merge turned it red. ``tests`` must be seen to run by that command
    (none: it is one of ``[gates]``); ``contract`` are all other frozen tests of the job, which its
    candidates must pass, too.
    """

    gate: str
    blames: str
    tests: tuple[str, ...]
    contract: tuple[FrozenTests, ...]


class Node(NamedTuple):
    """One unit of work.

    ``files`` is the allowlist: the only paths its executor may change. ``tests`` are the paths
    of its contract; ``test_hashes`` maps each of them to the sha256 of its frozen content
    (hex digits), and is empty until the tests are admitted. A file that a later node extends holds
    that content at this node. ``test_support`` are those of ``files`` that decide how tests run,
    and that this node may change all the same. ``type`` is the kind of change for commit messages,
    one of ``commit_policy.TYPES`` ("": not said). ``amended``: it was approved once more by itself,
    with another spec, command, files or tests, after the plan was. ``repairs``: director added it
    to an approved plan, for an integration gate that was red; it has no tests of its own.
    """

    id: str
    title: str
    spec: str
    files: tuple[str, ...]
    depends_on: tuple[str, ...]
    test_cmd: str
    tests: tuple[str, ...]
    estimated_difficulty: Annotated[str, one_of(DIFFICULTIES), Mark.REQUIRED] = "medium"
    test_hashes: Annotated[Mapping[str, str], ErrorMessage("must map paths to sha256 digests")] = {}
    test_support: Annotated[tuple[str, ...], Mark.OMITTED] = ()
    type: Annotated[str, one_of(("", *TYPES)), Mark.OMITTED] = ""
    amended: Annotated[bool, Mark.OMITTED] = False
    repairs: Annotated[Repair | None, Mark.OMITTED] = None

    @property
    def admitted(self) -> bool:
        """Whether every test of this node is frozen."""
        return set(self.tests) == set(self.test_hashes)

    @property
    def held_to(self) -> tuple[str, ...]:
        """The frozen tests that its candidates must pass: its own, or those of others."""
        if self.repairs is None:
            return self.tests
        parts = (self.repairs.tests, *(one.tests for one in self.repairs.contract))
        return tuple(dict.fromkeys(path for tests in parts for path in tests))

    def same_definition(self, other: "Node") -> bool:
        """Whether both ask for the same work, whatever tests were written for it."""
        return self._asked_for() == other._asked_for()

    def _asked_for(self) -> "Node":
        return self._replace(test_hashes={}, amended=False)


def topological_order(nodes: Iterable[Node]) -> list[str]:
    """Return the ids, dependencies first; raises graphlib.CycleError."""
    return list(TopologicalSorter({node.id: node.depends_on for node in nodes}).static_order())


class _Record(NamedTuple):
    """What ``plan.json`` holds."""

    job_id: str
    task: str
    repo: str
    base_commit: str
    created_at: str
    job_branch: str
    nodes: tuple[Node, ...]


class Plan(_Record):
    """One job's DAG on one base commit."""

    def node(self, node_id: str) -> Node:
        """Return the node called ``node_id``; KeyError when there is none."""
        return self._by_id[node_id]

    @cached_property
    def allowlisted(self) -> frozenset[str]:
        """The paths of all allowlists."""
        return frozenset(path for node in self.nodes for path in node.files)

    def __contains__(self, node_id: object) -> bool:
        """Whether there is a node called ``node_id``."""
        return node_id in self._by_id

    @cached_property
    def _by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes}

    def tests_of(self, node_ids: Iterable[str]) -> tuple[str, ...]:
        """Return the test files of these nodes, each once."""
        return tuple(dict.fromkeys(path for one in node_ids for path in self.node(one).tests))

    def tests_by_command(self) -> dict[str, FrozenTests]:
        """Return command → the frozen tests that it runs, in the order of the plan."""
        by_command: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes:
            if node.repairs is None:
                by_command[node.test_cmd].append(node.id)
        return {
            command: FrozenTests(tuple(ids), command, self.tests_of(ids))
            for command, ids in by_command.items()
        }

    def with_node(self, changed: Node) -> "Plan":
        """Return the plan with the node of the same id replaced."""
        return self._replace(nodes=tuple(changed if n.id == changed.id else n for n in self.nodes))

    @cached_property
    def owners(self) -> dict[str, tuple[str, ...]]:
        """Test file → the ids of its nodes: one, or a chain in which each waits for the last."""
        found: dict[str, list[str]] = defaultdict(list)
        for node in self.nodes:
            for path in node.tests:
                found[path].append(node.id)
        if any(len(ids) > 1 for ids in found.values()):
            place = {node_id: at for at, node_id in enumerate(topological_order(self.nodes))}
            return {path: tuple(sorted(ids, key=place.__getitem__)) for path, ids in found.items()}
        return {path: tuple(ids) for path, ids in found.items()}

    @cached_property
    def shared_tests(self) -> frozenset[str]:
        """The test files of more than one node."""
        return frozenset(path for path, ids in self.owners.items() if len(ids) > 1)

    @cached_property
    def contract(self) -> dict[str, str]:
        """All frozen tests of the job: path → sha256 (hex), where several share one the last's."""
        hashes = ((path, self.node(ids[-1]).test_hashes) for path, ids in self.owners.items())
        return {path: known[path] for path, known in hashes if path in known}
