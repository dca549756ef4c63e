"""What lies at an approval is changed in a person's words, or loses a node; the rest stays.

With it: ``naming``.
"""

from __future__ import annotations

import json
import signal
from typing import Any

from tests.faults.test_crashes import KilledCase
from tests.support.fake_opencode import Step, answer, finish, hang, say, wait_for, write
from tests.support.jobs import JobCase, node, script_of_test

WISH = "b is to say it twice"


class RevisedCase(JobCase):
    def at_plan(self, *nodes: dict[str, Any]) -> None:
        self.script_planning(*nodes)
        self.ends(0, "plan", "make things")
        self.ends(0, "plan", "--continue")

    def edit_test(self, name: str, more: str) -> None:
        path = self.home / "tests" / "tests" / f"{name}.sh"
        path.write_text(path.read_text() + more)

    def prompts(self, heading: str) -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.heading == heading]

    def authored(self) -> list[str]:
        return sorted(str(call.node) for call in self.fake.calls() if call.heading == "Tests")

    def ids(self) -> list[str]:
        return [one["id"] for one in self.stored("plan.json")["nodes"]]

    @property
    def stage(self) -> str:
        return str(self.stored("plan_stage.json")["stage"])


class TestSpec(RevisedCase):
    def test_it_is_written_again_from_the_words_and_waits_again(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        (self.home / "spec.md").write_text("the spec\nwith a line of mine\n")
        self.fake.always("brainstorm", say("the spec\nthat is better"))
        done = self.ends(0, "plan", "--revise", "-", stdin="make it better\n")
        self.assertIn("-with a line of mine\n+that is better", done.out)
        self.assertIn("spec waits for your approval", done.out)
        self.assertEqual(self.stage, "gate_spec")
        prompt = self.prompts("Spec")[-1]
        self.assertIn("## Your draft\n\nthe spec\nwith a line of mine", prompt)
        self.assertIn("## What the user wants changed\n\nmake it better", prompt)
        said = self.ends(0, "plan", "--revise", "again", "--json").json
        self.assertEqual(said["changes"], {"spec_diff": ""})
        self.assertEqual((said["reason"], said["next"]), (None, "director plan --continue"))
        self.ends(0, "plan", "--continue")
        self.assertNotIn("wants changed", self.prompts("Plan")[0])


class TestPlan(RevisedCase):
    def test_tests_of_nodes_that_stay_are_kept_with_what_was_edited_in_them(self) -> None:
        self.at_plan(node("a"), node("b"), node("old"))
        self.edit_test("a", "# by me\n")
        changed = node("b", spec="b.txt holds the word good, twice")
        self.script_planning(node("a"), changed, node("c"))
        done = self.ends(0, "plan", "--revise", WISH)
        for line in ("new nodes: c", "removed nodes: old", "changed nodes: b (spec)"):
            self.assertIn(f"{line}\n", done.out)
        self.assertEqual(self.ids(), ["a", "b", "c"])
        self.assertEqual(self.authored(), ["a", "b", "b", "c", "old"])
        self.assertIn(WISH, self.prompts("Plan")[-1])
        self.assertIn('"id": "old"', self.prompts("Plan")[-1])
        again = [c.prompt for c in self.fake.calls() if c.heading == "Tests" and c.node == "b"]
        self.assertIn(WISH, again[-1])
        self.assertEqual(self.stage, "gate_plan")
        laid = sorted(path.name for path in (self.home / "tests" / "tests").iterdir())
        self.assertEqual(laid, ["a.sh", "b.sh", "c.sh"])
        self.assertIsNone(self.on_branch("tests/old.sh"))
        self.ends(0, "plan", "--continue")
        self.assertIn("# by me", str(self.on_branch("tests/a.sh")))

    def test_an_edited_test_that_is_kept_must_be_red_all_the_same(self) -> None:
        self.at_plan(node("a"), node("b"))
        (self.home / "tests/tests/a.sh").write_text("exit 0\n")
        self.script_planning(node("a"), node("b", spec="another"))
        self.ends(0, "plan", "--revise", WISH)
        self.assertIn("passes although nothing", self.ends(2, "plan", "--continue").err)

    def test_an_edited_test_that_is_written_again_is_named(self) -> None:
        self.at_plan(node("a"), node("b"))
        self.edit_test("b", "# by me\n")
        self.script_planning(node("a"), node("b", spec="another"))
        done = self.ends(0, "plan", "--revise", WISH)
        self.assertIn("written again, without your edits: tests/b.sh", done.err)
        self.assertNotIn("by me", (self.home / "tests/tests/b.sh").read_text())

    def test_a_node_that_a_person_added_gets_tests(self) -> None:
        self.at_plan(node("a"))
        plan = self.stored("plan.json")
        plan["nodes"].append(node("mine"))
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.script_planning(node("a"), node("mine"))
        self.ends(0, "plan", "--revise", "tests for mine")
        self.assertEqual(self.authored(), ["a", "mine"])
        self.ends(0, "plan", "--continue")

    def test_what_did_not_change_is_said(self) -> None:
        self.at_plan(node("a"))
        self.assertIn("the plan is as it was", self.ends(0, "plan", "--revise", "hm").out)
        said = self.ends(0, "plan", "--revise", "hm", "--json").json
        nothing: list[str] = []
        self.assertEqual(
            said["changes"],
            {"added": nothing, "removed": nothing, "changed": nothing, "tests_rewritten": nothing},
        )

    def test_an_answer_that_is_no_plan_goes_back_and_the_wish_stays(self) -> None:
        self.at_plan(node("a"))
        self.fake.queue("planner", say("no"), heading="Plan")
        self.ends(0, "plan", "--revise", WISH)
        self.assertIn(WISH, self.prompts("Plan")[-1])
        self.assertIn("no JSON object", self.prompts("Plan")[-1])


class TestKilled(KilledCase):
    def test_a_revision_is_paid_for_once_and_goes_on_with_continue(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')  # the agents themselves kill director
        self.script_planning(node("a"), node("b"))
        self.ends(0, "plan", "make things")
        self.ends(0, "plan", "--continue")
        nodes = [node("a"), node("b"), node("c")]
        self.script_planning(*nodes)
        written = (write("tests/c.sh", script_of_test("c")), say("written"))
        self.fake.queue("planner", answer({"nodes": nodes}), *self.killing("nodes-1.agent-2"))
        self.fake.queue("test-author", *written, *self.killing("c.tests-1.agent"), node="c")
        for argv in (("--revise", WISH), ("--continue",)):
            (self.tmp / "pid-is-there").unlink(missing_ok=True)
            process = self.started("plan", *argv)
            (self.tmp / "pid").write_text(str(process.pid))
            (self.tmp / "pid-is-there").touch()
            self.assertEqual(process.wait(), -signal.SIGKILL)
        before = len(self.fake.calls())
        done = self.ends(0, "plan", "--continue")
        self.assertIn("plan waits for your approval", done.out)
        self.assertEqual(len(self.fake.calls()), before)
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual((headings.count("Plan"), headings.count("Tests")), (2, 3))
        self.assertEqual(self.stored("plan_stage.json")["wishes"], "")
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")

    def killing(self, call: str) -> tuple[Step, ...]:
        """Return steps that kill director when the call's answer is on disk."""
        there = wait_for(self.tmp / "pid-is-there")
        return finish(), there, self.kill_once_written(call), hang()


class TestDrop(RevisedCase):
    def test_a_node_goes_with_its_tests(self) -> None:
        self.at_plan(node("a"), node("b"))
        self.edit_test("a", "# by me\n")
        done = self.ends(0, "plan", "--drop", "b")
        self.assertIn("removed nodes: b", done.out)
        self.assertIn("plan waits for your approval", done.out)
        self.assertEqual(self.ids(), ["a"])
        self.assertIsNone(self.on_branch("tests/b.sh"))
        newest = self.repo.git("log", "-1", "--format=%s", self.branch)
        self.assertEqual(newest, "Tests of b removed")
        laid = [path.name for path in (self.home / "tests" / "tests").iterdir()]
        self.assertEqual(laid, ["a.sh"])
        self.ends(0, "plan", "--continue")
        self.assertIn("# by me", str(self.on_branch("tests/a.sh")))
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_the_earlier_tests_of_a_shared_file_stay(self) -> None:
        later = node("b", depends_on=["a"], tests=["tests/a.sh"], test_cmd="sh tests/a.sh")
        self.script_planning(node("a"), later)
        more = script_of_test("a") + script_of_test("b")
        self.fake.always("test-author", write("tests/a.sh", more), say("written"), node="b")
        self.ends(0, "plan", "make things")
        self.ends(0, "plan", "--continue")
        self.ends(0, "plan", "--drop", "b")
        self.assertEqual(str(self.on_branch("tests/a.sh")) + "\n", script_of_test("a"))
        self.assertEqual((self.home / "tests/tests/a.sh").read_text(), script_of_test("a"))
        self.ends(0, "plan", "--continue")

    def test_of_an_approved_plan_the_rest_stays_approved(self) -> None:
        self.plan(node("a"), node("b"))
        done = self.ends(0, "plan", "--drop", "b")
        self.assertIn("The plan is ready: 1 node", done.out)
        self.assertIsNone(self.on_branch("tests/b.sh"))
        self.implement("a")
        self.ends(0, "run")
        self.assertIn("merged already", self.ends(2, "plan", "--drop", "a").err)
        self.assertEqual(self.ids(), ["a"])

    def test_several_at_once_with_what_depends_on_them(self) -> None:
        self.at_plan(node("a"), node("b"), node("c", depends_on=["b"]))
        done = self.ends(0, "plan", "--drop", "b", "--drop", "c")
        self.assertIn("removed nodes: b, c", done.out)
        self.assertEqual(self.ids(), ["a"])
        for gone in ("tests/b.sh", "tests/c.sh"):
            self.assertIsNone(self.on_branch(gone))
        laid = [path.name for path in (self.home / "tests" / "tests").iterdir()]
        self.assertEqual(laid, ["a.sh"])
        self.ends(0, "plan", "--continue")

    def test_a_node_whose_tests_were_refused(self) -> None:
        self.script_planning(node("a"), node("b"))
        self.fake.always("test-author", write("tests/b.sh", "exit 0\n"), say("red"), node="b")
        self.ends(0, "plan", "make things")
        said = self.ends(1, "plan", "--continue").err
        self.assertIn("`director plan --drop b` continues without it", said)
        done = self.ends(0, "plan", "--drop", "b")
        self.assertIn("removed nodes: b", done.out)
        self.assertIn("plan waits for your approval", done.out)
        self.assertEqual(self.ids(), ["a"])
        laid = [path.name for path in (self.home / "tests" / "tests").iterdir()]
        self.assertEqual(laid, ["a.sh"])
        self.ends(0, "plan", "--continue")
        self.implement("a")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_what_cannot_go_is_refused(self) -> None:
        self.at_plan(node("a"), node("b", depends_on=["a"]), node("c", depends_on=["a"]))
        said = self.ends(2, "plan", "--drop", "a", "--json").json
        self.assertIn("others depend on a: b, c", said["error"])
        self.assertIn("node not found: bb", self.ends(2, "plan", "--drop", "bb").err)
        both = ("plan", "--drop", "a", "--drop", "b")
        self.assertIn("others depend on a: c", self.ends(2, *both).err)
        every = self.ends(2, *both, "--drop", "c")
        self.assertIn("no node would be left", every.err)
        self.assertEqual(self.ids(), ["a", "b", "c"])
        self.fake.program.unlink()  # what is missing besides is said later
        self.assertIn("node not found: bb", self.ends(2, "plan", "--drop", "bb").err)
        self.fake.install(self.env)
        self.ends(0, "plan", "--drop", "b")
        self.ends(0, "plan", "--drop", "c")
        before = (self.home / "events.jsonl").read_text()
        self.assertIn("a is the only node", self.ends(2, "plan", "--drop", "a").err)
        self.assertEqual((self.home / "events.jsonl").read_text(), before)  # no end of the job
        self.assertEqual(self.ids(), ["a"])


class TestShow(RevisedCase):
    def test_wherever_planning_stands_and_nothing_is_written(self) -> None:
        self.script_planning(node("a"))
        for argv, shown in (
            (("make a",), "The spec waits"),
            (("--continue",), "Layer 1\n  a  Make a\n"),
            (("--continue",), "Layer 1\n  a  Make a\n"),
        ):
            self.ends(0, "plan", *argv)
            before = self.written()
            self.assertIn(shown, self.ends(0, "plan", "--show").out)
            said = self.ends(0, "plan", "--show", "--json").json
            self.assertEqual(self.written(), before)
        self.assertEqual((said["stage"], said["next"]), ("ready", "director run"))
        (row,) = said["plan"]
        self.assertEqual((row["id"], row["layer"], row["difficulty"]), ("a", 1, "easy"))

    def written(self) -> dict[str, int]:
        """Return the records with the moment each was written."""
        paths = (path for path in self.home.iterdir() if path.is_file())
        return {path.name: path.stat().st_mtime_ns for path in paths}


class TestRefused(RevisedCase):
    def refused(self, *argv: str, stdin: str = "") -> str:
        done = self.ends(2, "plan", *argv, stdin=stdin)
        self.assertIn("\n  next: ", done.err)
        return done.err

    def test_where_there_is_nothing_to_change(self) -> None:
        for argv in (("--revise", "x"), ("--drop", "a"), ("--show",), ("--answer", "1: a")):
            self.assertIn("there is no plan", self.refused(*argv))
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        self.assertIn("there is no plan yet", self.refused("--drop", "a"))
        self.assertIn("no question waits", self.refused("--answer", "1: a"))
        self.ends(0, "plan", "--continue", "--no-critique")
        self.assertIn("approved already", self.refused("--revise", "x"))

    def test_what_says_nothing(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "make a")
        before = len(self.fake.calls())
        self.assertIn("is empty", self.refused("--revise", " "))
        self.assertIn("is empty", self.refused("--revise", "-", stdin="\n"))
        self.assertIn("which node", self.refused("--drop", ""))
        self.assertEqual(len(self.fake.calls()), before)

    def test_flags_that_make_no_sense_together(self) -> None:
        for argv in (
            ("--revise", "x", "--auto"),
            ("--revise", "x", "--no-critique"),
            ("--revise", "x", "--new"),
            ("--drop", "a", "--auto"),
            ("--drop", "a", "--answer", "1: a"),
            ("--show", "--auto"),
            ("--show", "--allow-broken-gates"),
            ("--resume", "x", "--auto"),
            ("--continue", "--new"),
            ("a task", "--answer", "1: a"),
        ):
            with self.subTest(argv):
                self.assertIn("cannot be combined with", self.refused(*argv))
        for argv in (
            ("--revise", "x", "--drop", "a"),
            ("--show", "--continue"),
            ("a task", "--revise", "x"),
        ):
            with self.subTest(argv):
                self.assertIn("only one of them", self.refused(*argv))
