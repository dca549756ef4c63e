"""Tests of several nodes: in one compile unit, and in one file that the later ones extend.

Covers ``authors`` and ``tests_on_branch``, too.
"""

from __future__ import annotations

import hashlib
import json
import unittest
from typing import Any

from director.model.plan import Node, Plan
from director.planning.shared_tests import authors_wait_for, kept_tests
from tests.planning.test_pipeline import APPROVED, objection
from tests.support.compile_unit import CompileUnitCase, unit, unit_test
from tests.support.fake_opencode import answer, say, shell, write

SHARED = "pkg/all_test.sh"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class TestCompileUnit(CompileUnitCase):
    def test_an_author_sees_the_tests_of_what_its_node_depends_on(self) -> None:
        self.script_units(unit("a"), unit("b", depends_on=["a"]), unit("c"))
        for name in "abc":
            look = shell(f"ls pkg > {self.tmp}/seen-by-{name}")
            steps = (look, write(f"pkg/{name}_test.sh", unit_test(name)), say("written"))
            self.fake.always("test-author", *steps, node=name)
        self.ends(0, "plan", "make", "--no-critique", "--parallel", "1")
        self.assertEqual([self.seen_by(name) for name in "ac"], [set(), set()])
        self.assertLessEqual(self.seen_by("b"), {"a"})

    def test_red_because_of_a_node_to_come_is_no_red(self) -> None:
        self.script_units(unit("a"), unit("b"))
        self.fake.always("test-author", write("pkg/b_test.sh", "exit 0\n"), node="b")
        done = self.ends(1, "plan", "make", "--no-critique")
        self.assertIn("b: `sh build.sh b` passes although nothing is implemented", done.err)

    def test_red_because_of_a_node_it_depends_on_is_no_red(self) -> None:
        self.script_units(unit("a"), unit("b", depends_on=["a"]))
        self.fake.always("test-author", write("pkg/b_test.sh", "exit 0\n"), node="b")
        done = self.ends(1, "plan", "make", "--no-critique", "--parallel", "1")
        self.assertIn("only because of the tests of nodes that this one depends on", done.err)

    def test_an_edited_test_is_admitted_in_its_view(self) -> None:
        self.script_units(unit("a"), unit("b"))
        self.ends(0, "plan", "make")
        self.ends(0, "plan", "--continue")
        (self.home / "tests" / "pkg" / "b_test.sh").write_text("exit 0\n")
        done = self.ends(2, "plan", "--continue")
        self.assertIn("node b cannot be admitted: `sh build.sh b` passes", done.err)


class SharedCase(CompileUnitCase):
    """Node b extends the test file that node a began."""

    def setUp(self) -> None:
        super().setUp()
        self.at_a, self.at_b = unit_test("a"), unit_test("a", "b")
        self.nodes = [self.sharing("a"), self.sharing("b", depends_on=["a"])]
        self.script()

    def script(self, *more: dict[str, Any]) -> None:
        """Script the planning of both, and of ``more`` nodes, whose tests are left alone."""
        self.script_planning(*self.nodes, *more)
        self.fake.always("test-author", write(SHARED, self.at_a), say("written"), node="a")
        add = f"printf '%s' '{unit_test('b')}' >> {SHARED}"
        extend = shell(f"cp {SHARED} {self.tmp}/found; {add}")
        self.fake.always("test-author", extend, say("written"), node="b")

    def sharing(self, name: str, **changes: Any) -> dict[str, Any]:
        return unit(name, **{"tests": [SHARED], "test_cmd": "sh build.sh all", **changes})

    def hashes(self) -> dict[str, str]:
        return {one["id"]: one["test_hashes"][SHARED] for one in self.stored("plan.json")["nodes"]}

    def edit_plan(self, *nodes: dict[str, Any]) -> None:
        plan = self.stored("plan.json")
        (self.home / "plan.json").write_text(json.dumps({**plan, "nodes": list(nodes)}))

    def part(self) -> None:
        """Give node b a test file of its own, and approve that."""
        first, last = self.stored("plan.json")["nodes"]
        own = {**last, "tests": ["pkg/b_test.sh"], "test_cmd": "sh build.sh b", "test_hashes": {}}
        self.edit_plan(first, own)
        place = self.home / "tests" / "pkg" / "b_test.sh"
        place.parent.mkdir(parents=True)
        place.write_text(unit_test("b"))
        self.ends(0, "plan", "--continue")

    def finish(self) -> None:
        self.work_on("a", "b")
        self.ends(0, "run")
        self.ends(0, "verify")
        self.ends(0, "verify", "--rerun")


class TestShared(SharedCase):
    def test_an_author_who_drops_what_the_earlier_wrote_is_asked_again_once(self) -> None:
        for text in (unit_test("b"), self.at_b):
            self.fake.queue("test-author", write(SHARED, text), say("written"), node="b")
        done = self.ends(0, "plan", "make", "--no-critique")
        self.assertIn(f"tests of earlier nodes are missing from {SHARED}: ", done.err)
        self.assertEqual(self.hashes(), {"a": sha(self.at_a), "b": sha(self.at_b)})

    def test_the_later_author_extends_what_the_earlier_wrote(self) -> None:
        self.ends(0, "plan", "make", "--no-critique", "--parallel", "2")
        self.assertEqual((self.tmp / "found").read_text(), self.at_a)
        asked = {call.node: call.prompt for call in self.fake.calls() if call.heading == "Tests"}
        self.assertIn("keep these, add yours", asked["b"])
        self.assertNotIn("keep these, add yours", asked["a"])
        self.assertEqual(self.hashes(), {"a": sha(self.at_a), "b": sha(self.at_b)})
        self.assertEqual(str(self.on_branch(SHARED)) + "\n", self.at_b)
        self.finish()
        self.assertEqual([self.node_state(name)["attempts"] for name in "ab"], [1, 1])
        view = self.receipt("a")["view"]
        git = ("--git-dir", str(self.home / "job.git"))
        self.assertEqual(self.repo.git(*git, "show", f"{view}:{SHARED}") + "\n", self.at_a)
        self.assertEqual(self.receipt("a")["tests"], {SHARED: sha(self.at_a)})

    def test_a_file_that_was_there_before(self) -> None:
        self.repo.write(SHARED, "echo mine\n")
        self.repo.commit("a test")
        self.script(unit("c", depends_on=["a"]))
        extend = shell(f"printf '%s' '{unit_test('a')}' >> {SHARED}")
        self.fake.always("test-author", extend, say("written"), node="a")
        self.fake.always("test-author", write("pkg/c_test.sh", unit_test("c")), node="c")
        self.ends(0, "plan", "make", "--no-critique")
        self.work_on("c")
        self.finish()

    def test_nothing_is_written_on_top_of_refused_tests(self) -> None:
        self.fake.always("test-author", write(SHARED, "exit 0\n"), say("written"), node="a")
        done = self.ends(1, "plan", "make", "--no-critique")
        self.assertIn("tests were refused: a:", done.err)
        asked = {call.node for call in self.fake.calls() if call.heading == "Tests"}
        self.assertEqual(asked, {"a"})
        self.fake.always("test-author", write(SHARED, self.at_a), say("written"), node="a")
        self.ends(0, "plan", "--continue", "--no-critique", "--auto")
        self.finish()

    def test_an_edit_at_the_plan_approval_is_of_the_last_content(self) -> None:
        self.ends(0, "plan", "make")
        self.ends(0, "plan", "--continue")
        place = self.home / "tests" / SHARED
        self.assertEqual(place.read_text(), self.at_b)
        edited = self.at_b + "# by hand\n"
        place.write_text(edited)
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.hashes(), {"a": sha(self.at_a), "b": sha(edited)})
        self.finish()

    def test_without_the_later_node_it_holds_what_the_earlier_wrote(self) -> None:
        for edited_first in (False, True):
            with self.subTest(edited_first=edited_first):
                self.ends(0, "plan", "make", "--new")
                self.ends(0, "plan", "--continue")
                if edited_first:
                    (self.home / "tests" / SHARED).write_text(self.at_b + "# by hand\n")
                    self.ends(0, "plan", "--continue")
                self.edit_plan(self.stored("plan.json")["nodes"][0])
                self.ends(0, "plan", "--continue")
                self.assertEqual(self.hashes(), {"a": sha(self.at_a)})
                self.assertEqual(str(self.on_branch(SHARED)) + "\n", self.at_a)
                self.work_on("a")
                self.ends(0, "run")
                self.ends(0, "verify", "--rerun")

    def test_without_the_later_node_after_the_earlier_merged(self) -> None:
        """What the later one had added was held back then, and is gone now."""
        self.ends(0, "plan", "make", "--no-critique")
        self.work_on("a")
        self.ends(0, "run", "--node", "a")
        self.edit_plan(self.stored("plan.json")["nodes"][0])
        self.ends(0, "plan", "--continue")
        self.assertEqual(str(self.on_branch(SHARED)) + "\n", self.at_a)
        self.ends(0, "verify")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.assertIn("gated again", self.ends(0, "run").err)
        self.ends(0, "verify", "--rerun")

    def test_the_later_node_takes_another_file_after_the_earlier_merged(self) -> None:
        self.ends(0, "plan", "make", "--no-critique")
        self.work_on("a")
        self.ends(0, "run", "--node", "a")
        self.part()
        self.ends(0, "verify")
        self.work_on("b")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")

    def test_a_node_is_added_to_a_ready_plan_whose_first_merged(self) -> None:
        self.ends(0, "plan", "make", "--no-critique")
        self.work_on("a")
        self.ends(0, "run", "--node", "a")
        third = self.sharing("c", depends_on=["b"])
        self.edit_plan(*self.stored("plan.json")["nodes"], third)
        at_c = unit_test("a", "b", "c")
        place = self.home / "tests" / SHARED
        place.parent.mkdir(parents=True)
        place.write_text(at_c)
        self.ends(0, "plan", "--continue")
        expected = {"a": sha(self.at_a), "b": sha(self.at_b), "c": sha(at_c)}
        self.assertEqual(self.hashes(), expected)
        self.work_on("b", "c")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")

    def test_what_a_critique_wants_changed_is_written_again_in_order(self) -> None:
        self.fake.queue("planner", answer(APPROVED))
        self.fake.queue("planner", answer({"nodes": self.nodes}), heading="Plan")
        self.fake.queue("planner", answer(objection("a", "too lax")))
        self.ends(0, "plan", "make", "--auto")
        asked = [call.node for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(asked, ["a", "b", "a", "b"])
        self.assertEqual((self.tmp / "found").read_text(), self.at_a)
        self.finish()

    def test_one_that_is_written_again_starts_from_what_stays(self) -> None:
        self.fake.queue("planner", answer(APPROVED))
        self.fake.queue("planner", answer({"nodes": self.nodes}), heading="Plan")
        self.fake.queue("planner", answer(objection("b", "too lax")))
        self.ends(0, "plan", "make", "--auto")
        asked = [call.node for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(asked, ["a", "b", "b"])
        self.assertEqual((self.tmp / "found").read_text(), self.at_a)
        self.assertEqual(self.hashes(), {"a": sha(self.at_a), "b": sha(self.at_b)})
        self.finish()


def node(name: str, *depends_on: str, tests: tuple[str, ...] = ("t",), title: str = "") -> Node:
    return Node(name, title, "s", (f"{name}.py",), depends_on, "true", tests, "easy", {"t": name})


def plan(*nodes: Node) -> Plan:
    return Plan("job", "task", "/repo", "b" * 40, "now", "branch", nodes)


class TestKept(unittest.TestCase):
    def kept(self, after: Plan, *refused: str) -> set[str]:
        before = plan(node("a"), node("b", "a"), node("c", "b"), node("d", tests=("d",)))
        return set(kept_tests(before, after, set(refused)))

    def test_what_lies_on_top_of_what_changes_goes_with_it(self) -> None:
        same = plan(node("a"), node("b", "a"), node("c", "b"), node("d", tests=("d",)))
        self.assertEqual(self.kept(same), {"a", "b", "c", "d"})
        self.assertEqual(self.kept(same, "b"), {"a", "d"})
        self.assertEqual(self.kept(same, "a"), {"d"})
        other = plan(node("a", title="other"), node("b", "a"), node("c", "b"))
        self.assertEqual(self.kept(other), set())

    def test_what_was_written_on_top_of_a_node_that_is_gone(self) -> None:
        self.assertEqual(self.kept(plan(node("a"), node("c", "a"))), {"a"})

    def test_authors_wait_for_those_before_them(self) -> None:
        one = plan(node("a"), node("b", "a"), node("c", "b"), node("d", tests=("d",)))
        wait = authors_wait_for(one, {"a", "c", "d"})
        self.assertEqual(wait, {"a": (), "c": ("a",), "d": ()})
