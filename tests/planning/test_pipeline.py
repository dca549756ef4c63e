"""From a task to frozen tests: approvals, critiques, authors, and what a crash may cost.

Covers ``asking``, ``specifying``, ``drafting``, ``authoring`` and ``prompts``, too.
"""

from __future__ import annotations

import hashlib
import json
import unittest
from typing import Any
from unittest import mock

from director.job.stage import PlanStage, Stage
from director.planning.context import Planning, PlanOptions
from director.planning.pipeline import APPROVALS, STAGES
from tests.support.fake_opencode import (
    answer,
    exit_with,
    mark,
    say,
    shell,
    silent_shell,
    wait_for,
    write,
)
from tests.support.jobs import JobCase, node, script_of_test

APPROVED: dict[str, Any] = {"verdict": "approve", "problems": []}


def objection(about: str | None, problem: str) -> dict[str, Any]:
    return {"verdict": "revise", "problems": [{"node": about, "problem": problem}]}


class TestStages(unittest.TestCase):
    def test_the_table_has_every_stage_in_its_order_but_the_last(self) -> None:
        self.assertEqual([*STAGES, Stage.READY], list(Stage))
        self.assertEqual(APPROVALS, {Stage.SPEC_APPROVAL, Stage.PLAN_APPROVAL})

    def test_a_critique_is_paid_for_once(self) -> None:
        record = PlanStage(Stage.SPEC, "job", "task", "base", "branch", "now")
        for stage, paid in (
            (Stage.SPEC_APPROVAL, record._replace(spec_critiqued=True)),
            (Stage.PLAN_APPROVAL, record._replace(plan_critiqued=True)),
        ):
            planning = Planning(mock.Mock(), mock.Mock(), paid, PlanOptions())
            critique = STAGES[stage].critique
            assert critique is not None
            self.assertIsNone(critique(planning))


class TestApprovals(JobCase):
    def test_pauses_at_both_approvals_and_takes_what_is_on_disk(self) -> None:
        self.script_planning(node("a"))
        first = self.ends(0, "plan", "make a")
        self.assertIn("spec.md", first.out)
        self.assertIn("director plan --continue", first.out)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_spec")
        (self.home / "spec.md").write_text("the spec, as a person wants it")

        second = self.ends(0, "plan", "--continue")
        self.assertIn("git diff", second.out)
        self.assertIn(str(self.home / "tests"), second.out)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_plan")
        asked = [call for call in self.fake.calls() if call.heading == "Plan"]
        self.assertIn("as a person wants it", asked[0].prompt)
        edited = script_of_test("a") + "# edited by a person\n"
        (self.home / "tests" / "tests" / "a.sh").write_text(edited)

        third = self.ends(0, "plan", "--continue")
        self.assertIn("director run", third.out)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")
        self.assertIn("edited by a person", str(self.on_branch("tests/a.sh")))
        frozen = self.stored("plan.json")["nodes"][0]["test_hashes"]["tests/a.sh"]
        self.assertEqual(frozen, hashlib.sha256(edited.encode()).hexdigest())

    def test_json_says_which_approval_and_what_to_look_at(self) -> None:
        self.script_planning(node("a"))
        done = self.ends(0, "plan", "make a", "--json")
        said = done.json
        self.assertEqual((said["stage"], said["paused"]), ("gate_spec", True))
        self.assertEqual(said["look_at"], [str(self.home / "spec.md")])
        self.assertEqual(said["next"], "director plan --continue")
        self.assertIn("the spec is written", done.err)

    def test_the_diff_it_names_shows_the_tests(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        said = self.ends(0, "plan", "--continue", "--json").json
        command = next(one for one in said["look_at"] if one.startswith("git diff"))
        self.assertIn("no good a", self.repo.git(*command.split()[1:]))

    def test_edits_of_the_plan_count_and_edited_tests_must_be_red(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        (self.home / "tests" / "tests" / "a.sh").write_text("exit 0\n")
        refused = self.ends(2, "plan", "--continue")
        self.assertIn("passes although nothing is implemented", refused.err)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_plan")
        self.assertIn("no good a", str(self.on_branch("tests/a.sh")))

    def test_a_slip_in_the_plan_is_named_with_its_place_and_how_to_go_on(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        right = (self.home / "plan.json").read_text()
        (self.home / "plan.json").write_text(
            right.replace('"title": "Make a",', '"title": "Make a"')
        )
        line = right[: right.index('"title"')].count("\n") + 2  # a missing comma is seen after it
        said = self.ends(2, "plan", "--continue", "--json").json
        self.assertIn(f"plan.json is damaged: line {line}, column ", said["error"])
        self.assertEqual(said["next"], "correct it, then `director plan --continue`")
        (self.home / "plan.json").write_text(right.replace('"sh tests/a.sh"', '""'))
        said = self.ends(2, "plan", "--continue", "--json").json
        self.assertIn("test_cmd", said["error"])
        self.assertEqual(said["next"], "correct it, then `director plan --continue`")
        (self.home / "plan.json").unlink()
        said = self.ends(2, "plan", "--continue", "--json").json
        self.assertIn("there is no plan", said["error"])
        self.assertIn("restore it", said["next"])
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_plan")
        (self.home / "plan.json").write_text(right)
        self.ends(0, "plan", "--continue")

    def test_an_edited_command_must_be_red_too_and_that_is_on_record(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        for command, refusal in (
            ("true", "passes although nothing is implemented"),
            ("python3 -m unittest discover -s tests -p 'nothing*'", "no test"),
            ("sh -e tests/a.sh", None),
        ):
            self.edit_node(test_cmd=command)
            done = self.ends(2 if refusal else 0, "plan", "--continue")
            self.assertIn(refusal or "", done.err)
        gates = [one for one in self.lines("events.jsonl") if one["kind"] == "gate"]
        self.assertEqual([one["purpose"] for one in gates], ["tests"] * 4)
        self.assertEqual(gates[-1]["verdict"], "red")
        self.assertIsNone(gates[-1]["tests_run"])

    def test_what_decides_how_tests_run_is_shown_or_refused(self) -> None:
        self.script_planning(node("a", files=["a.txt", "conftest.py"]))
        allowed = node("a", files=["a.txt", "conftest.py"], test_support=["conftest.py"])
        self.fake.queue("planner", answer({"nodes": [node("a", files=["conftest.py"])]}))
        self.fake.queue("planner", answer({"nodes": [allowed]}))
        self.ends(0, "plan", "make a")
        shown = self.ends(0, "plan", "--continue").out
        self.assertIn(
            "\nNodes may change files that decide how tests run: conftest.py (a).\n", shown
        )
        self.edit_node(test_support=[])
        self.assertIn("decides how tests run", self.ends(2, "plan", "--continue").err)
        self.edit_node(test_support=["conftest.py"])
        said = self.ends(0, "plan", "--continue", "--json").json
        self.assertEqual(said["test_support"], [{"node": "a", "path": "conftest.py"}])

    def edit_node(self, **changes: Any) -> None:
        """Edit the one node in ``plan.json``, as a person does."""
        plan = self.stored("plan.json")
        plan["nodes"][0].update(changes)
        (self.home / "plan.json").write_text(json.dumps(plan))

    def test_a_missing_edited_test_is_named(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        (self.home / "tests" / "tests" / "a.sh").unlink()
        self.assertIn("tests/a.sh", self.ends(2, "plan", "--continue").err)

    def test_continue_gives_one_approval_only(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("brainstorm", exit_with(1))
        self.configure("[limits]\nprovider_retries = 0\n")
        self.ends(3, "plan", "make a")
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_spec")


class TestAuto(JobCase):
    def test_without_critique_no_critic_is_asked(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a", "--no-critique")
        headings = {call.heading for call in self.fake.calls()}
        self.assertEqual(headings, {"Recon", "Spec", "Plan", "Tests"})

    def test_a_spec_is_revised_once_at_most(self) -> None:
        self.script_planning(node("a"))
        self.fake.always(
            "planner", answer(objection(None, "too vague")), heading="Critique of the spec"
        )
        self.fake.always("planner", answer(APPROVED), heading="Critique of the plan")
        self.ends(0, "plan", "make a", "--auto")
        calls = self.fake.calls()
        self.assertEqual(sum(call.heading == "Critique of the spec" for call in calls), 1)
        specs = [call for call in calls if call.heading == "Spec"]
        self.assertEqual(len(specs), 2)
        self.assertIn("too vague", specs[1].prompt)

    def test_tests_a_critique_names_are_written_again_and_others_kept(self) -> None:
        self.script_planning(node("a"), node("b"))
        self.fake.always("planner", answer(APPROVED), heading="Critique of the spec")
        self.fake.always(
            "planner", answer(objection("b", "b is untested")), heading="Critique of the plan"
        )
        self.ends(0, "plan", "make a", "--auto")
        authored = [call.node for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(sorted(authored, key=str), ["a", "b", "b"])
        again = [c for c in self.fake.calls() if c.heading == "Tests" and c.node == "b"][1]
        self.assertIn("b is untested", again.prompt)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")

    def test_a_plan_level_objection_makes_a_new_plan(self) -> None:
        self.repo.write("tests/was.sh", "mine\n")
        self.repo.commit("a file of the user's")
        self.script_planning(node("a"), node("b"))
        old = node("old", tests=["tests/old.sh", "tests/was.sh"])
        self.fake.queue("planner", answer({"nodes": [node("a"), old]}), heading="Plan")
        spoilt = [write(path, "exit 1\n") for path in old["tests"]]
        self.fake.always("test-author", *spoilt, node="old")
        self.fake.always("planner", answer(APPROVED), heading="Critique of the spec")
        self.fake.always(
            "planner", answer(objection(None, "b is missing")), heading="Critique of the plan"
        )
        self.ends(0, "plan", "make a", "--auto")
        self.assertEqual([n["id"] for n in self.stored("plan.json")["nodes"]], ["a", "b"])
        self.assertIsNone(self.on_branch("tests/old.sh"))
        self.assertEqual(self.on_branch("tests/was.sh"), "mine")
        self.assertIsNotNone(self.on_branch("tests/b.sh"))
        authored = [call.node for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(authored.count("a"), 1)


class TestDecomposing(JobCase):
    def test_prose_goes_back_with_the_errors_and_then_ends_clearly(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("planner", say("I would rather talk about it."), heading="Plan")
        done = self.ends(1, "plan", "make a", "--no-critique")
        self.assertIn("no JSON object", done.err)
        self.assertIn(".director/logs", done.err)
        asked = [call for call in self.fake.calls() if call.heading == "Plan"]
        self.assertEqual(len(asked), 3)
        self.assertIn("no JSON object", asked[1].prompt)
        self.assertIn("rather talk about it", asked[1].prompt)

    def test_every_problem_of_a_plan_is_named(self) -> None:
        self.script_planning(node("a"))
        bad = [node("a", depends_on=["b"]), node("b", depends_on=["a"])]
        self.fake.queue("planner", answer({"nodes": bad}), heading="Plan")
        worse = [node("a", files=["../x"], test_cmd=""), node("a b")]
        self.fake.queue("planner", answer({"nodes": worse}), heading="Plan")
        self.ends(0, "plan", "make a", "--no-critique")
        asked = [call.prompt for call in self.fake.calls() if call.heading == "Plan"]
        self.assertIn("cycle", asked[1])
        for problem in ("../x", '"test_cmd" is empty', "plain name"):
            self.assertIn(problem, asked[2])


class TestAuthoring(JobCase):
    def test_tests_that_pass_go_back_once_and_are_then_refused(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", "echo all fine\n"), node="a")
        done = self.ends(1, "plan", "make a", "--no-critique")
        self.assertIn("passes although nothing is implemented", done.err)
        prompts = [call.prompt for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(len(prompts), 2)
        self.assertIn("all fine", prompts[1])
        self.assertIsNone(self.on_branch("tests/a.sh"))

    def test_a_refused_node_does_not_cost_the_others_their_tests(self) -> None:
        self.script_planning(node("a"), node("b"))
        self.fake.queue("test-author", say("no"), node="a")
        self.fake.queue("test-author", say("no"), node="a")
        self.assertIn("missing", self.ends(1, "plan", "make", "--no-critique").err)
        self.ends(0, "plan", "--continue", "--no-critique")
        authored = [call.node for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(authored.count("b"), 1)

    def test_what_the_author_writes_elsewhere_never_reaches_the_branch(self) -> None:
        self.script_planning(node("a"))
        self.fake.always(
            "test-author",
            write("tests/a.sh", script_of_test("a")),
            write("a.txt", "bad"),
            write("README", "changed"),
            shell("git add -A; git commit -qm mine"),
            node="a",
        )
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertIsNone(self.on_branch("a.txt"))
        self.assertEqual(self.on_branch("README"), "hello")

    def test_a_command_that_cannot_start_is_a_broken_gate_and_not_asked_again(self) -> None:
        self.script_planning(node("a", test_cmd="no-such-program tests/a.sh"))
        done = self.ends(2, "plan", "make a", "--no-critique")
        for said in ("gate broken", "127", '"test_cmd" in', "director plan --continue"):
            self.assertIn(said, done.err)
        missing = "`no-such-program` was not found, neither on PATH nor in a fresh worktree"
        self.assertIn(missing, done.err)
        self.assertIn("put it on PATH", done.err)
        self.assertIn("of [worktree]", done.err)
        authored = [call for call in self.fake.calls() if call.heading == "Tests"]
        self.assertEqual(len(authored), 1)
        stored = self.stored("plan.json")
        stored["nodes"][0]["test_cmd"] = "sh tests/a.sh"
        (self.home / "plan.json").write_text(json.dumps(stored))
        self.ends(0, "plan", "--continue", "--no-critique")

    def test_a_command_that_cannot_start_outweighs_tests_that_are_refused(self) -> None:
        self.script_planning(node("a", test_cmd="no-such-program"), node("b"))
        self.fake.always("test-author", say("no"), node="b")
        said = self.ends(2, "plan", "make", "--no-critique").err
        self.assertIn("gate broken", said)
        self.assertIn("b: these test files are missing", said)

    def test_several_authors_work_at_once(self) -> None:
        self.script_planning(node("a"), node("b"))
        for mine, other in (("a", "b"), ("b", "a")):
            self.fake.queue(
                "test-author",
                mark(self.tmp / mine),
                wait_for(self.tmp / other),
                write(f"tests/{mine}.sh", script_of_test(mine)),
                node=mine,
            )
        self.ends(0, "plan", "make", "--no-critique", "--parallel", "2")


class TestResuming(JobCase):
    def test_the_plan_is_not_written_again_for_each_node(self) -> None:
        nodes = [node(name) for name in "abcd"]
        self.script_planning(*nodes)
        seen = self.tmp / "seen"
        look = silent_shell(f"stat -c %i {self.home}/plan.json >>{seen}")
        for name in "abcd":
            work = (write(f"tests/{name}.sh", script_of_test(name)), say("written"))
            self.fake.always("test-author", look, *work, node=name)
        self.ends(0, "plan", "make things", "--no-critique")
        self.assertEqual(len(set(seen.read_text().split())), 1)
        self.assertTrue(all(one["test_hashes"] for one in self.stored("plan.json")["nodes"]))

    def test_tests_are_in_the_plan_also_when_planning_is_stopped(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.script_planning(node("a"), node("b"))
        self.fake.always("test-author", exit_with(1), node="b")
        self.ends(3, "plan", "make things", "--no-critique", "--parallel", "2")
        admitted = {
            one["id"]: bool(one["test_hashes"]) for one in self.stored("plan.json")["nodes"]
        }
        self.assertEqual(admitted, {"a": True, "b": False})

    def test_finished_stages_are_not_paid_for_again(self) -> None:
        self.script_planning(node("a"))
        self.configure("[limits]\nprovider_retries = 0\n")
        self.fake.queue("planner", exit_with(1), heading="Plan")
        self.ends(3, "plan", "make a", "--no-critique")
        self.ends(0, "plan", "make a", "--no-critique")
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual(headings, ["Recon", "Spec", "Plan", "Plan", "Tests"])

    def test_tests_on_the_branch_survive_a_crash_before_the_plan_was_saved(self) -> None:
        self.plan(node("a"), node("b"))
        stored = self.stored("plan.json")
        for one in stored["nodes"]:
            one["test_hashes"] = {}
        (self.home / "plan.json").write_text(json.dumps(stored))
        stage = self.stored("plan_stage.json")
        (self.home / "plan_stage.json").write_text(json.dumps({**stage, "stage": "decompose"}))
        before = len(self.fake.calls())
        self.ends(0, "plan", "--continue", "--no-critique")
        self.assertEqual(len(self.fake.calls()), before)
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")

    def test_a_new_task_archives_the_job_before(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        old = self.stored("plan.json")["job_id"]
        self.ends(0, "plan", "another thing", "--no-critique")
        self.assertNotEqual(self.stored("plan.json")["job_id"], old)
        archived = json.loads((self.home / "jobs" / old / "plan.json").read_text())
        self.assertEqual(archived["job_id"], old)


class TestCheckout(JobCase):
    def test_the_users_checkout_is_the_same_bit_for_bit(self) -> None:
        self.repo.write("uncommitted.txt", "mine\n")
        self.repo.write("README", "changed by me\n")
        self.repo.git("add", "README")
        before = self.repo.fingerprint()
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a")
        done = self.ends(0, "run")
        self.assertIn("Everything is done (1 node)", done.out)
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertIsNone(self.on_branch("uncommitted.txt"))
        self.assertEqual(self.left_behind(), [])
