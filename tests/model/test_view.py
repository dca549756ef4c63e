"""What a node sees of the frozen tests, for any plan."""

from __future__ import annotations

import random
import unittest

from director.model.plan import Node, Plan
from director.model.view import Held, held_back, visible_nodes


def node(node_id: str, *depends_on: str, tests: tuple[str, ...] = ()) -> Node:
    own = tests or (f"{node_id}_test",)
    return Node(node_id, "t", "s", (f"{node_id}.py",), depends_on, "true", own)


def plan(*nodes: Node) -> Plan:
    return Plan("job", "task", "/repo", "b" * 40, "now", "branch", nodes)


def seen_by(one: Plan, node_id: str, *done: str) -> set[str]:
    """Return the test files that are wholly seen."""
    held = {one.path for one in held_back(one, visible_nodes(one, node_id, set(done)))}
    return set(one.owners) - held


class TestView(unittest.TestCase):
    def test_its_own_those_it_depends_on_and_what_is_done(self) -> None:
        one = plan(node("a"), node("b", "a"), node("c", "b"), node("d"), node("e"))
        self.assertEqual(seen_by(one, "a"), {"a_test"})
        self.assertEqual(seen_by(one, "c"), {"a_test", "b_test", "c_test"})
        self.assertEqual(seen_by(one, "a", "d"), {"a_test", "d_test"})
        self.assertEqual(held_back(one, {"a", "b", "c", "d"}), [Held("e_test", None)])

    def test_one_that_is_done_saw_what_was_done(self) -> None:
        """Its dependencies may have been edited since."""
        one = plan(node("a"), node("b", "a"))
        self.assertEqual(visible_nodes(one, "b", {"b"}), {"b"})

    def test_a_shared_file_holds_what_it_does_at_the_last_node_that_is_seen(self) -> None:
        shared = ("all_test",)
        one = plan(  # not in their order
            node("c", "b", tests=shared), node("a", tests=shared), node("b", "x", tests=shared),
            node("x", "a"), node("d"),
        )  # fmt: skip
        self.assertEqual(one.owners["all_test"], ("a", "b", "c"))
        self.assertEqual(one.shared_tests, {"all_test"})
        for done, owner in (((), None), (("a",), "a"), (("a", "x", "b"), "b")):
            visible = visible_nodes(one, "d", set(done))
            self.assertIn(Held("all_test", owner), held_back(one, visible))
        self.assertIn(Held("all_test", "b"), held_back(one, visible_nodes(one, "b", {"a", "x"})))
        self.assertEqual(held_back(one, {"a", "b", "c", "d", "x"}), [])

    def test_the_contract_is_that_of_the_last_node(self) -> None:
        hashes = [{"t": "1"}, {"t": "2"}]
        nodes = (node("b", "a", tests=("t",)), node("a", tests=("t",)))
        one = plan(*(n._replace(test_hashes=h) for n, h in zip(nodes, hashes, strict=True)))
        self.assertEqual(one.contract, {"t": "1"})

    def test_random_plans(self) -> None:
        rng = random.Random(7)
        for _ in range(200):
            one = random_plan(rng)
            done: set[str] = set()
            for following in one.nodes:  # in an order in which they may be worked off
                visible = visible_nodes(one, following.id, done)
                self.assertLessEqual(done | set(following.depends_on) | {following.id}, visible)
                for seen in visible - done:  # nothing is seen without what it depends on
                    self.assertLessEqual(set(one.node(seen).depends_on), visible)
                held = {each.path: each.owner for each in held_back(one, visible)}
                for path, owners in one.owners.items():
                    seen_owners = [owner for owner in owners if owner in visible]
                    self.assertEqual(seen_owners, list(owners[: len(seen_owners)]))  # a prefix
                    self.assertEqual(path in held, len(seen_owners) < len(owners))
                    if path in held:
                        self.assertEqual(held[path], seen_owners[-1] if seen_owners else None)
                self.assertFalse(set(following.tests) & held.keys() - one.shared_tests)
                done.add(following.id)
            self.assertEqual(held_back(one, done), [])


def random_plan(rng: random.Random) -> Plan:
    """Return a plan of some nodes in a topological order, of which a chain shares a file."""
    nodes: list[Node] = []
    for number in range(rng.randint(1, 9)):
        before = [one.id for one in nodes]
        chosen = rng.sample(before, rng.randint(0, min(3, len(before))))
        sharing = [one.id for one in nodes if "shared" in one.tests]
        tests: tuple[str, ...] = (f"{number}_test",)
        if rng.random() < 0.5:
            tests = (*tests, "shared")
            chosen += sharing[-1:]
        nodes.append(node(f"n{number}", *dict.fromkeys(chosen), tests=tests))
    return plan(*nodes)
