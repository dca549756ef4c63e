"""The DAG resolves, has no cycle, and no file has two writers without an order."""

from __future__ import annotations

import itertools
import unittest
from graphlib import CycleError

from director.model.dag import (
    dag_problems,
    dependents,
    layers_of,
    reachable,
    remaining_path_lengths,
)
from director.model.plan import Node, topological_order


def node(node_id: str, *depends_on: str, files: tuple[str, ...] = ()) -> Node:
    own = files or (f"{node_id}.py",)
    return Node(node_id, "t", "s", own, depends_on, "true", (f"test_{node_id}.py",))


DIAMOND = [node("d", "b", "c"), node("b", "a"), node("c", "a"), node("a")]


class TestProblems(unittest.TestCase):
    def test_a_sound_dag_has_none(self) -> None:
        self.assertEqual(dag_problems(DIAMOND), [])

    def test_ids_are_unique_also_without_case(self) -> None:
        self.assertIn("A, a", dag_problems([node("a"), node("A", files=("x",)), node("b")])[0])
        self.assertEqual(len(dag_problems([node("a"), node("a")])), 1)

    def test_every_dependency_that_is_no_node_is_named(self) -> None:
        problems = dag_problems([node("a", "x", "y"), node("b", "z")])
        self.assertEqual(len(problems), 3)
        self.assertIn("node 'a' depends on 'x', which is not a node", problems)

    def test_a_cycle_is_shown(self) -> None:
        problems = dag_problems([node("a", "c"), node("b", "a"), node("c", "b"), node("d")])
        self.assertEqual(len(problems), 1)
        shown = problems[0].partition("cycle: ")[2].split(" → ")
        self.assertEqual(shown[0], shown[-1])
        depends = {"a": "c", "b": "a", "c": "b"}
        for one, other in itertools.pairwise(shown):
            self.assertEqual(depends[one], other)

    def test_a_node_cannot_wait_for_itself(self) -> None:
        self.assertIn("cycle", dag_problems([node("a", "a")])[0])

    def test_unordered_nodes_may_not_share_a_file(self) -> None:
        a, b = node("a", files=("x", "y")), node("b", files=("y", "z"))
        self.assertEqual(
            dag_problems([a, b]),
            ["nodes 'a' and 'b' both change 'y': one must depend on the other"],
        )

    def test_siblings_of_a_diamond_may_not_share_a_file(self) -> None:
        shared = ("x",)
        nodes = [node("d", "b", "c"), node("b", "a", files=shared), node("c", "a", files=shared)]
        self.assertEqual(len(dag_problems([*nodes, node("a")])), 1)

    def test_ordered_nodes_may_share_a_file_also_over_others(self) -> None:
        nodes = [node("c", "b", files=("x",)), node("b", "a"), node("a", files=("x",))]
        self.assertEqual(dag_problems(nodes), [])

    def test_three_writers_of_which_two_are_unordered(self) -> None:
        shared = ("x",)
        for order in itertools.permutations(
            [node("a", files=shared), node("b", "a", files=shared), node("c", "a", files=shared)]
        ):
            self.assertEqual(len(dag_problems(order)), 1)


class TestOrder(unittest.TestCase):
    def test_dependencies_come_first(self) -> None:
        order = topological_order(DIAMOND)
        for one in DIAMOND:
            for dependency in one.depends_on:
                self.assertLess(order.index(dependency), order.index(one.id))
        with self.assertRaises(CycleError):
            topological_order([node("a", "b"), node("b", "a")])

    def test_dependents_and_what_they_lead_to(self) -> None:
        self.assertEqual(
            {k: sorted(v) for k, v in dependents(DIAMOND).items()},
            {"a": ["b", "c"], "b": ["d"], "c": ["d"]},
        )
        self.assertEqual(reachable(dependents(DIAMOND), "a"), {"b", "c", "d"})
        self.assertEqual(reachable(dependents(DIAMOND), "d"), set())

    def test_a_dependency_named_twice_counts_once(self) -> None:
        self.assertEqual(dependents([node("a"), node("b", "a", "a")]), {"a": ["b"]})

    def test_remaining_paths(self) -> None:
        nodes = [*DIAMOND, node("e"), node("f", "d")]
        self.assertEqual(
            remaining_path_lengths(nodes), {"a": 4, "b": 3, "c": 3, "d": 2, "e": 1, "f": 1}
        )

    def test_a_long_chain_is_no_recursion(self) -> None:
        chain = [node("n0")] + [node(f"n{i}", f"n{i - 1}") for i in range(1, 3000)]
        self.assertEqual(remaining_path_lengths(chain)["n0"], 3000)
        self.assertEqual(len(reachable(dependents(chain), "n0")), 2999)
        self.assertEqual(dag_problems(chain[::-1]), [])


class TestLayers(unittest.TestCase):
    def test_each_is_one_above_the_highest_it_depends_on(self) -> None:
        nodes = [node("c", "a", "b"), node("b", "a"), node("a"), node("x")]
        self.assertEqual(layers_of(nodes), {"a": 1, "x": 1, "b": 2, "c": 3})
