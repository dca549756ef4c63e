from __future__ import annotations

import unittest

from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.state import NodeState, NodeStatus, RunState
from director.running.readiness import wanted_nodes


def node(name: str, *depends_on: str) -> Node:
    return Node(name, name, "", (f"{name}.txt",), depends_on, "true", (f"tests/{name}",))


PLAN = Plan("job", "task", "/repo", "base", "now", "branch", (node("a"), node("b", "a"), node("c")))


class TestWantedNodes(unittest.TestCase):
    def wanted(self, *asked: str, **statuses: NodeStatus) -> set[str]:
        nodes = {one.id: NodeState(statuses.get(one.id, NodeStatus.PENDING)) for one in PLAN.nodes}
        return wanted_nodes(PLAN, RunState("job", nodes), asked)

    def refused(self, words: str, *asked: str, **statuses: NodeStatus) -> None:
        with self.assertRaises(RequestError) as caught:
            self.wanted(*asked, **statuses)
        self.assertIn(words, caught.exception.what)

    def test_all_that_are_open_where_none_is_asked_for(self) -> None:
        self.assertEqual(self.wanted(a=NodeStatus.DONE, c=NodeStatus.FAILED), {"b"})

    def test_those_asked_for_that_are_open(self) -> None:
        self.assertEqual(self.wanted("a", "b"), {"a", "b"})
        self.assertEqual(self.wanted("a", "b", a=NodeStatus.DONE), {"b"})

    def test_refuses_what_cannot_be_worked_on(self) -> None:
        self.refused("node not found: x", "a", "x")
        self.refused("node b waits for a", "b")
        self.refused("have had their attempts: c", "c", c=NodeStatus.FAILED)
