"""What is approved is exactly what is in the plan; an edited plan is admitted again.

Covers ``freezing``, ``editing`` and ``tests_on_branch``.
"""

from __future__ import annotations

import json
from typing import Any

from tests.faults.cases import bad
from tests.support.jobs import JobCase, node, script_of_test


class EditedCase(JobCase):
    def edit(self, name: str, **values: Any) -> None:
        """Change fields of a node in plan.json."""
        plan = self.stored("plan.json")
        for one in plan["nodes"]:
            if one["id"] == name:
                one.update(values)
        self.save(plan)

    def drop(self, name: str) -> None:
        """Take a node out of plan.json."""
        plan = self.stored("plan.json")
        self.save({**plan, "nodes": [one for one in plan["nodes"] if one["id"] != name]})

    def add(self, one: dict[str, Any], script: str = "") -> None:
        """Put a node into plan.json, and its test where tests are edited."""
        plan = self.stored("plan.json")
        self.save({**plan, "nodes": [*plan["nodes"], one]})
        if script:
            self.write_test(one["id"], script)

    def write_test(self, name: str, script: str) -> None:
        place = self.home / "tests" / "tests" / f"{name}.sh"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(script)

    def save(self, plan: dict[str, Any]) -> None:
        (self.home / "plan.json").write_text(json.dumps(plan))

    def files_on_branch(self) -> set[str]:
        return set(self.repo.git("ls-tree", "-r", "--name-only", self.branch).splitlines())


class TestContract(EditedCase):
    """What was dropped or renamed at the second approval is not on the branch afterwards."""

    def at_plan_approval(self, *nodes: dict[str, Any]) -> None:
        self.script_planning(*nodes)
        self.ends(0, "plan", "make things")
        self.ends(0, "plan", "--continue")

    def test_the_tests_of_a_dropped_node_go_and_that_is_said(self) -> None:
        self.configure('[gates]\nall = "for t in tests/*.sh; do sh $t || exit 1; done"\n')
        self.at_plan_approval(node("a"), node("b"))
        self.drop("b")
        done = self.ends(0, "plan", "--continue")
        self.assertIn("the plan does not have them: tests/b.sh (of b)", done.err)
        self.assertEqual(self.files_on_branch(), {"README", "tests/a.sh"})
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_a_renamed_test_is_there_once(self) -> None:
        self.at_plan_approval(node("a"))
        self.edit("a", tests=["tests/other.sh"], test_cmd="sh tests/other.sh")
        folder = self.home / "tests" / "tests"
        (folder / "a.sh").rename(folder / "other.sh")
        self.assertIn("tests/a.sh (of a)", self.ends(0, "plan", "--continue").err)
        self.assertEqual(self.files_on_branch(), {"README", "tests/other.sh"})

    def test_a_file_of_the_users_that_was_a_test_is_as_it_was(self) -> None:
        self.repo.write("tests/was.sh", "mine\n")
        self.repo.commit("a file of the user's")
        self.at_plan_approval(node("a", tests=["tests/a.sh", "tests/was.sh"]))
        self.edit("a", tests=["tests/a.sh"])
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.on_branch("tests/was.sh"), "mine")

    def test_nothing_is_said_where_nothing_is_dropped(self) -> None:
        self.at_plan_approval(node("a"))
        self.assertNotIn("off the branch", self.ends(0, "plan", "--continue").err)
        subjects = self.repo.git("log", "--format=%s", f"HEAD..{self.branch}").splitlines()
        self.assertEqual(subjects, ["Tests of a"])


class TestReadmission(EditedCase):
    def test_what_is_as_it_was_needs_no_admission(self) -> None:
        self.plan(node("a"))
        self.assertIn("the plan is ready", self.ends(2, "plan", "--continue").err)

    def test_a_corrected_command_is_admitted_and_runs(self) -> None:
        self.plan(node("a"), node("b"))
        for _ in range(2):
            self.implement("a", *bad())
        self.implement("b")
        self.ends(1, "run", "--max-attempts", "1")
        self.edit("a", test_cmd="sh -e tests/a.sh", spec="better said")
        self.ends(2, "run", "--retry-failed")
        done = self.ends(0, "plan", "--continue")
        self.assertIn("admitted as it is now: node a: spec, test_cmd", done.err)
        self.implement("a")
        self.ends(0, "run", "--retry-failed")
        self.assertIn("better said", self.fake.calls()[-1].prompt)
        self.ends(0, "verify", "--rerun")

    def test_only_what_changed_is_gated_again(self) -> None:
        self.plan(node("a"), node("b"))
        self.edit("a", test_cmd="sh -e tests/a.sh")
        done = self.ends(0, "plan", "--continue", "-v")
        self.assertIn("a: new tests on the base: red", done.err)
        self.assertNotIn("b: new tests", done.err)

    def test_a_command_that_is_green_without_work_is_refused(self) -> None:
        self.plan(node("a"))
        self.edit("a", test_cmd="true")
        self.assertIn("passes although nothing", self.ends(2, "plan", "--continue").err)
        self.ends(2, "run")
        self.assertEqual(
            self.stored("sealed.json")["plan"]["nodes"][0]["test_cmd"], "sh tests/a.sh"
        )

    def test_an_edited_test_is_frozen_again_beside_what_merged(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.write_test("b", script_of_test("b") + "# edited\n")
        self.ends(0, "plan", "--continue")
        self.assertFalse((self.home / "tests").exists())
        self.assertIn("# edited", str(self.on_branch("tests/b.sh")))
        self.implement("b")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")

    def test_a_new_node_needs_a_test_that_is_red(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.add(node("c", test_hashes={"tests/c.sh": "0" * 64}))
        self.assertIn("tests/c.sh is not in", self.ends(2, "plan", "--continue").err)
        self.write_test("c", "exit 0\n")
        self.assertIn("passes although nothing", self.ends(2, "plan", "--continue").err)
        self.write_test("c", script_of_test("c"))
        self.ends(0, "plan", "--continue")
        self.implement("c")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("c.txt"), "good")
        self.ends(0, "verify")

    def test_a_node_that_did_not_merge_can_be_dropped_with_its_test(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        self.drop("b")
        self.ends(0, "plan", "--continue")
        self.assertIsNone(self.on_branch("tests/b.sh"))
        self.assertIn("Everything is done (1 node)", self.ends(0, "run").out)
        self.ends(0, "verify")

    def test_what_merged_cannot_change_any_more(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")
        whole = (self.home / "plan.json").read_text()
        edits: dict[str, dict[str, Any]] = {
            "its test_cmd": {"test_cmd": "sh -e tests/a.sh"},
            "its files": {"files": ["other.txt"]},
            "its tests": {"tests": ["tests/a.sh", "README"]},
        }
        for words, values in edits.items():
            self.edit("a", **values)
            done = self.ends(2, "plan", "--continue")
            self.assertIn(f"node a is merged: {words} cannot change", done.err)
            (self.home / "plan.json").write_text(whole)
        self.write_test("a", script_of_test("a") + "# edited\n")
        self.assertIn("its tests cannot", self.ends(2, "plan", "--continue").err)
        (self.home / "tests" / "tests" / "a.sh").unlink()
        self.drop("a")
        self.assertIn("node a is merged: it cannot", self.ends(2, "plan", "--continue").err)
        (self.home / "plan.json").write_text(whole)
        self.implement("b")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_nothing_but_nodes_is_for_editing(self) -> None:
        self.plan(node("a"))
        plan = self.stored("plan.json")
        self.save({**plan, "base_commit": "0" * 40, "job_branch": "main"})
        self.assertIn("base_commit; job_branch", self.ends(2, "run").err)
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.stored("plan.json"), plan)

    def test_a_plan_whose_seal_is_gone_is_sealed_again(self) -> None:
        self.plan(node("a"))
        before = self.stored("sealed.json")
        (self.home / "sealed.json").unlink()
        self.ends(2, "run")
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.stored("sealed.json")["plan"], before["plan"])
