"""The node that repairs a red integration gate, as a value."""

from __future__ import annotations

import unittest

from director.model.checks import checks_of
from director.model.codec.encoding import encode
from director.model.config import Limits
from director.model.plan import FrozenTests, Node, Plan
from director.model.plan_reader import InvalidPlanError, read_nodes, read_plan
from director.model.repairing import RedGate, concerned_nodes, names, repair_node


def node(name: str, *depends_on: str, command: str = "") -> Node:
    test = f"tests/{name}_test.py"
    return Node(
        name, f"Make {name}", f"spec of {name}", (f"src/{name}.py",), depends_on,
        command or f"run {name}", (test,), test_hashes={test: "0" * 64},
    )  # fmt: skip


def plan_of(*nodes: Node) -> Plan:
    return Plan("job", "task", "/repo", "b" * 40, "now", "branch", nodes)


def gate(
    blames: str, output: str = "", nodes: tuple[str, ...] = (), command: str = "lint"
) -> RedGate:
    return RedGate("lint", command, nodes, blames, output, output)


class TestNames(unittest.TestCase):
    def test_a_path_counts_where_it_stands_by_itself_or_at_the_end_of_a_whole_one(self) -> None:
        for output, named in (
            ("src/a.py", True),
            ("see src/a.py:12: error", True),
            ('File "/work/tree/src/a.py", line 3', True),
            ("(./src/a.py)", True),
            ("It is src/a.py.", True),
            ("src/a.pyc", False),
            ("src/a.py.bak", False),
            ("src/a.py/x", False),
            ("lib/src/a.py", False),
            ("xsrc/a.py then src/a.py", True),
            ("", False),
        ):
            with self.subTest(output=output):
                self.assertIs(names(output, "src/a.py"), named)

    def test_a_path_may_have_what_stands_around_others(self) -> None:
        self.assertTrue(names("in app/[id] x.tsx: no", "app/[id] x.tsx"))
        self.assertTrue(names("([id].tsx)", "[id].tsx"))

    def test_an_output_of_nothing_but_names_is_no_hindrance(self) -> None:
        for unit in ("xa.py", "/a.py", "a.py", "./a.py"):
            with self.subTest(unit):
                self.assertFalse(names(f"{unit * 100_000}x", "a.py"))


class TestConcerned(unittest.TestCase):
    plan = plan_of(node("a"), node("b", "a"), node("c", "b"), node("d"), node("e"))

    def test_the_blamed_node_and_what_it_depends_on_directly(self) -> None:
        self.assertEqual(concerned_nodes(self.plan, gate("c")), ["b", "c"])

    def test_nodes_of_which_a_file_or_a_test_is_named(self) -> None:
        said = "src/d.py:1 and tests/e_test.py:2"
        self.assertEqual(concerned_nodes(self.plan, gate("a", said)), ["a", "d", "e"])

    def test_of_red_tests_those_that_are_named_else_all(self) -> None:
        red = gate("e", "FAILED", ("a", "d"))
        self.assertEqual(concerned_nodes(self.plan, red), ["a", "d", "e"])
        red = gate("e", "FAILED tests/d_test.py", ("a", "d"))
        self.assertEqual(concerned_nodes(self.plan, red), ["d", "e"])


class TestRepairNode(unittest.TestCase):
    def test_it_waits_for_all_nodes_and_may_change_what_is_concerned(self) -> None:
        plan = plan_of(node("a"), node("b", "a"), node("c"))
        made = repair_node(plan, gate("b"))
        self.assertEqual((made.id, made.depends_on), ("repair-1", ("b", "c")))
        self.assertEqual(made.files, ("src/a.py", "src/b.py"))
        self.assertEqual((made.tests, made.test_cmd, made.type), ((), "lint", "fix"))
        self.assertIn("spec of b", made.spec)

    def test_its_plan_can_be_read_again_and_its_id_is_free(self) -> None:
        plan = plan_of(node("a"), node("Repair-1"), node("repair-3"))
        for expected in ("repair-2", "repair-4"):
            made = repair_node(plan, gate("a"))
            plan = plan._replace(nodes=(*plan.nodes, made))
            self.assertEqual(made.id, expected)
            self.assertEqual(read_plan(encode(plan)), plan)

    def test_it_is_held_to_the_gate_and_to_all_frozen_tests(self) -> None:
        plan = plan_of(node("a"), node("b", command="all"), node("c", command="all"))
        checks = checks_of(repair_node(plan, gate("a")), Limits(flake_runs=2))
        told = [(one.name, one.command, one.tests, one.runs) for one in checks]
        self.assertEqual(told, [
            ("tests", "lint", (), 2),
            ("tests.a", "run a", ("tests/a_test.py",), 1),
            ("tests.b", "all", ("tests/b_test.py", "tests/c_test.py"), 1),
        ])  # fmt: skip

    def test_tests_that_the_gate_runs_itself_must_be_seen_to_run_there(self) -> None:
        plan = plan_of(node("a"), node("b", command="all"))
        made = repair_node(plan, gate("b", command="all"))
        assert made.repairs is not None
        self.assertEqual(made.repairs.tests, ("tests/b_test.py",))
        rest = (FrozenTests(("a",), "run a", ("tests/a_test.py",)),)
        self.assertEqual(made.repairs.contract, rest)
        self.assertEqual(made.held_to, ("tests/b_test.py", "tests/a_test.py"))

    def test_what_a_gate_prints_stays_inside_its_block(self) -> None:
        spec = repair_node(plan_of(node("a")), gate("a", "```\n# Do this\x1b[2J\n")).spec
        self.assertIn("    ```\n    # Do this\n", spec)

    def test_no_planner_makes_one(self) -> None:
        plan = plan_of(node("a"))
        document = {"nodes": [encode(node("a")), encode(repair_node(plan, gate("a")))]}
        with self.assertRaises(InvalidPlanError) as caught:
            read_nodes(document)
        self.assertIn("is set by director only", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
