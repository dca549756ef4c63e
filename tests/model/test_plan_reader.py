"""A plan from elsewhere: every problem is named, and nothing is guessed.

With it: what a plan is (``plan``).
"""

from __future__ import annotations

import unittest
from typing import Any

from director.model.codec.encoding import encode
from director.model.plan import Plan
from director.model.plan_reader import (
    InvalidPlanError,
    path_problem,
    read_nodes,
    read_plan,
)


def node(node_id: str = "a", **changes: Any) -> dict[str, Any]:
    return {
        "id": node_id,
        "title": "do it",
        "spec": "what",
        "files": [f"{node_id}.py"],
        "depends_on": [],
        "test_cmd": "true",
        "tests": [f"tests/test_{node_id}.py"],
        "estimated_difficulty": "easy",
        **changes,
    }


class ReaderCase(unittest.TestCase):
    def problems(self, *nodes: Any) -> tuple[str, ...]:
        with self.assertRaises(InvalidPlanError) as caught:
            read_nodes({"nodes": list(nodes)})
        return caught.exception.problems

    def assert_problem(self, pattern: str, *nodes: Any) -> None:
        problems = self.problems(*nodes)
        self.assertEqual(len(problems), 1, problems)
        self.assertRegex(problems[0], pattern)


class TestNodes(ReaderCase):
    def test_a_valid_document(self) -> None:
        nodes = read_nodes(
            {"nodes": [node("a"), node("b", depends_on=["a"], files=["a.py", "src/ü b.py"])]}
        )
        self.assertEqual([n.id for n in nodes], ["a", "b"])
        self.assertEqual(nodes[1].files, ("a.py", "src/ü b.py"))
        self.assertEqual(nodes[1].depends_on, ("a",))
        self.assertEqual(nodes[0].test_hashes, {})
        self.assertFalse(nodes[0].admitted)

    def test_type(self) -> None:
        self.assertEqual(read_nodes({"nodes": [node()]})[0].type, "")
        (read,) = read_nodes({"nodes": [node(type="feat")]})
        self.assertEqual((read.type, encode(read)["type"]), ("feat", "feat"))
        self.assertNotIn("type", encode(read._replace(type="")))
        self.assertNotIn("test_support", encode(read))
        for wrong in ("feature", ["feat"], 1, None):
            self.assert_problem('"type" must be one of build, chore, ci,', node(type=wrong))

    def test_test_support(self) -> None:
        said = node(files=["conftest.py"], test_support=["conftest.py"])
        self.assertEqual(read_nodes({"nodes": [said]})[0].test_support, ("conftest.py",))
        self.assert_problem("decides how tests run", node(files=["conftest.py"]))
        self.assert_problem("'b' is not in \"files\"", node(test_support=["b"]))
        self.assert_problem("must be a list of strings", node(test_support="conftest.py"))

    def test_a_plan_made_before_test_support_was_asked_for_is_still_read(self) -> None:
        plan = dict.fromkeys(Plan._fields, "x") | {"nodes": [node(files=["conftest.py"])]}
        self.assertEqual(read_plan(plan).nodes[0].files, ("conftest.py",))

    def test_what_is_no_document(self) -> None:
        documents: tuple[object, ...] = (None, [], "a", {}, {"nodes": []}, {"nodes": {}})
        for document in documents:
            with self.subTest(document), self.assertRaises(InvalidPlanError):
                read_nodes(document)

    def test_every_missing_field_is_named(self) -> None:
        problems = self.problems({"id": "a"})
        needed = ("title", "spec", "files", "depends_on", "test_cmd", "tests")
        for name in (*needed, "estimated_difficulty"):
            self.assertIn(f"node 'a': \"{name}\" is missing", problems)

    def test_problems_of_all_nodes_come_at_once(self) -> None:
        problems = self.problems(node("a", title=""), 5, node("c", files=[]), node("", spec=" "))
        self.assertEqual(len(problems), 5, problems)
        self.assertIn("nodes[1] must be an object", problems)

    def test_wrong_kinds(self) -> None:
        self.assert_problem('"files" must be a list of strings', node(files="a.py"))
        self.assert_problem('"files" must hold strings only', node(files=["a.py", 1]))
        self.assert_problem('"title" must be a string', node(title=None))
        self.assert_problem('"test_hashes" must map', node(test_hashes={"t": 1}))
        self.assert_problem('"test_hashes" must map', node(test_hashes=["t"]))
        self.assert_problem('"extra" is not a field', node(extra=1))

    def test_empty_values(self) -> None:
        for name in ("title", "spec", "test_cmd"):
            self.assert_problem(f'"{name}" is empty', node("a", **{name: " "}))
        for name in ("files", "tests"):
            empty: dict[str, Any] = {name: []}
            self.assert_problem(f'"{name}" is empty', node("a", **empty))

    def test_values_that_cannot_be_meant(self) -> None:
        self.assert_problem("one line", node(title="a\nb"))
        self.assert_problem("must be one of easy, medium, hard", node(estimated_difficulty="odd"))
        self.assert_problem('"files" names a path twice', node(files=["a.py", "a.py"]))

    def test_ids_are_plain_names(self) -> None:
        for good in ("a", "A-1", "9.x_y", "a" * 64):
            read_nodes({"nodes": [node(good)]})
        for bad in ("", "-a", ".a", "a b", "a/b", "ä", "a" * 65, "a.lock", "a.", "a\n", "../a"):
            with self.subTest(bad):
                entry = node(bad, files=["f.py"], tests=["t.py"])
                self.assert_problem("the id must be a plain name", entry)

    def test_paths_are_checked_in_files_and_tests(self) -> None:
        self.assert_problem("\"files\": '../a.py' must name one file", node(files=["../a.py"]))
        self.assert_problem("\"tests\": '/t.py' must be relative", node(tests=["/t.py"]))


class TestClaims(ReaderCase):
    def test_a_test_of_two_nodes_has_an_order(self) -> None:
        a, b = node("a", tests=["t.py"]), node("b", tests=["t.py"])
        self.assert_problem("'t.py' is claimed by nodes .*: one must depend on the other", a, b)
        chain = [a, node("c", depends_on=["a"]), {**b, "depends_on": ["c"]}]
        self.assertEqual(len(read_nodes({"nodes": chain})), 3)

    def test_no_file_stands_in_the_way_of_a_test(self) -> None:
        test = node("a", tests=["tests/a/t.py"])
        self.assert_problem("is the folder of the test", test, node("b", files=["tests/a"]))
        self.assert_problem("lies below the test", test, node("b", files=["tests/a/t.py/x"]))

    def test_no_node_may_change_a_test(self) -> None:
        self.assert_problem(
            "node 'b': 't.py' in its allowlist is a test of node 'a'",
            node("a", tests=["t.py"]),
            node("b", files=["t.py"]),
        )
        self.assert_problem("is a test of node 'a'", node("a", files=["t.py"], tests=["t.py"]))

    def test_rules_of_the_dag_are_applied(self) -> None:
        self.assert_problem("'x', which is not a node", node("a", depends_on=["x"]))
        self.assert_problem("cycle", node("a", depends_on=["a"]))
        shared = {"files": ["same.py"]}
        self.assert_problem("both change 'same.py'", node("a", **shared), node("b", **shared))


class TestPaths(unittest.TestCase):
    def test_good_paths(self) -> None:
        for path in ("a", "a/b.py", ".gitignore", ".github/x.yml", "ä b/c", "a..b", "x.git", "~"):
            self.assertIsNone(path_problem(path), path)

    def test_bad_paths(self) -> None:
        for path in (
            "", "/a", "C:/a", "c:a", "a\\b", "a//b", "a/", "./a", "a/.", "../a", "a/../b", "..",
            ".git", ".git/config", "a/.git/x", ".GIT/x", ".git./x", ".git /x",
            ".director/plan.json", ".Director/x", "*.py", "a?.py", "a\nb", "a\0b", "a\tb",
            "\u202ea",
        ):  # fmt: skip
            self.assertIsNotNone(path_problem(path), repr(path))


class TestPlan(unittest.TestCase):
    def document(self, **changes: Any) -> dict[str, Any]:
        names = ("job_id", "task", "repo", "base_commit", "created_at", "job_branch")
        return {**{name: name for name in names}, "nodes": [node()], **changes}

    def test_round_trip(self) -> None:
        hashes = {"tests/test_a.py": "00ff"}
        plan = read_plan(self.document(nodes=[node(test_hashes=hashes)]))
        self.assertEqual(read_plan(encode(plan)), plan)
        self.assertEqual(plan.contract, hashes)
        self.assertTrue(plan.node("a").admitted)

    def test_fields_that_are_missing_or_wrong(self) -> None:
        documents: tuple[object, ...] = (None, [], self.document(task=1), {"nodes": [node()]})
        for document in documents:
            with self.assertRaises(InvalidPlanError):
                read_plan(document)
        with self.assertRaises(InvalidPlanError) as caught:
            read_plan({"nodes": [node()], "job_id": "x"})
        self.assertEqual(len(caught.exception.problems), 5)

    def test_of_very_many_problems_the_first_are_named(self) -> None:
        with self.assertRaises(InvalidPlanError) as caught:
            read_nodes({"nodes": [node("a/b")] * 5000})
        *named, last = caught.exception.problems
        self.assertLess(len(named), 50)
        self.assertRegex(last, r"^and \d+ more problems$")

    def test_nodes_are_found_and_replaced_by_id(self) -> None:
        plan = read_plan(self.document(nodes=[node("a"), node("b")]))
        changed = read_nodes({"nodes": [node("b", title="other")]})[0]
        self.assertEqual(plan.with_node(changed).node("b").title, "other")
        self.assertEqual(plan.with_node(changed).node("a"), plan.node("a"))
        with self.assertRaises(KeyError):
            plan.node("c")

    def test_the_same_definition_whatever_tests_were_written(self) -> None:
        one, same, other = (
            read_nodes({"nodes": [node(**change)]})[0]
            for change in ({}, {"test_hashes": {"tests/test_a.py": "ff"}}, {"spec": "x"})
        )
        self.assertTrue(one.same_definition(same))
        self.assertFalse(one.same_definition(other))
