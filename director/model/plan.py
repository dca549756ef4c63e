"""The plan: nodes with an allowlist, a test command and a contract of frozen tests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

DIFFICULTIES = ("easy", "medium", "hard")


class Node(NamedTuple):
    """One unit of work.

    ``files`` is the allowlist: the only paths its executor may change. ``tests`` are the paths
    of its contract; ``test_hashes`` maps each of them to the sha256 of its frozen content
    (hex digits), and is empty until the tests are admitted. ``test_support`` are those of ``files``
    that decide how tests run, and that this node may change all the same. ``type`` is the kind of
    change for commit messages, one of ``commit_policy.TYPES`` ("": not said).
    """

    id: str
    title: str
    spec: str
    files: tuple[str, ...]
    depends_on: tuple[str, ...]
    test_cmd: str
    tests: tuple[str, ...]
    estimated_difficulty: str = "medium"
    test_hashes: Mapping[str, str] = {}
    test_support: tuple[str, ...] = ()
    type: str = ""

    @property
    def admitted(self) -> bool:
        """Whether every test of this node is frozen."""
        return set(self.tests) == set(self.test_hashes)

    def same_definition(self, other: Node) -> bool:
        """Whether both ask for the same work, whatever tests were written for it."""
        return self._replace(test_hashes={}) == other._replace(test_hashes={})

    def to_json(self) -> dict[str, Any]:
        """Return the node as it stands in ``plan.json``."""
        return {
            "id": self.id,
            "title": self.title,
            "spec": self.spec,
            "files": list(self.files),
            "depends_on": list(self.depends_on),
            "test_cmd": self.test_cmd,
            "tests": list(self.tests),
            "estimated_difficulty": self.estimated_difficulty,
            "test_hashes": dict(self.test_hashes),
            **({"test_support": list(self.test_support)} if self.test_support else {}),
            **({"type": self.type} if self.type else {}),
        }


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

    def with_node(self, changed: Node) -> Plan:
        """Return the plan with the node of the same id replaced."""
        return self._replace(nodes=tuple(changed if n.id == changed.id else n for n in self.nodes))

    @cached_property
    def contract(self) -> dict[str, str]:
        """All frozen tests of the job: path → sha256 (hex)."""
        return {path: digest for node in self.nodes for path, digest in node.test_hashes.items()}

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``plan.json``."""
        return {
            "job_id": self.job_id,
            "task": self.task,
            "repo": self.repo,
            "base_commit": self.base_commit,
            "created_at": self.created_at,
            "job_branch": self.job_branch,
            "nodes": [node.to_json() for node in self.nodes],
        }
