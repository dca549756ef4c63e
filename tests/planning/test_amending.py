"""One node of an approved plan is changed and approved again; nothing else is.

With it: ``amendment_ends``, ``rewriting``, ``job.amendment``, ``naming``,
``model.node_digest`` and ``commands.amend``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.faults.cases import bad
from tests.planning.test_shared_tests import SHARED, SharedCase
from tests.support.fake_opencode import FakeCall, answer, hang, mark, say, wait_for, write
from tests.support.jobs import Done, JobCase, node, script_of_test

STRICT = 'grep -q very a.txt || { echo "not very"; exit 1; }\n'


class AmendCase(JobCase):
    """A job of which node ``a`` failed, ``b`` waits for it, and ``c`` is merged."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b", depends_on=["a"]), node("c"))

    def let_fail(self, *argv: str) -> Done:
        """Let ``a`` fail, and ``c`` merge."""
        for _ in range(2):
            self.implement("a", *bad())
        self.implement("c")
        return self.ends(1, "run", "--max-attempts", "1", *argv)

    def edit(self, name: str, **values: Any) -> None:
        plan = self.stored("plan.json")
        for one in plan["nodes"]:
            if one["id"] == name:
                one.update(values)
        (self.home / "plan.json").write_text(json.dumps(plan))

    def write_test(self, name: str, script: str) -> None:
        place = self.home / "tests" / "tests" / f"{name}.sh"
        self.assertTrue(place.exists(), "it was not laid out")
        place.write_text(script)

    def status_of(self, name: str) -> str:
        return str(self.node_state(name)["status"])

    def receipt(self, name: str) -> dict[str, Any]:
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line

    def finish(self) -> None:
        """Run what is left and verify all of it."""
        self.implement("a", write("a.txt", "very good\n"))
        self.implement("b")
        self.ends(0, "run")
        self.assertIn("amended", self.receipt("a"))
        self.ends(0, "verify", "--rerun")


class TestWorkUnderWay(AmendCase):
    """What was under way when the run ended was for the node as it was."""

    def amend_after(self) -> list[FakeCall]:
        """Amend ``a`` and run again; returns the calls for it then."""
        self.ends(0, "amend", "a")
        self.write_test("a", STRICT)
        self.ends(0, "amend", "a", "--continue")
        before = len(self.fake.calls())
        self.finish()
        return [call for call in self.fake.calls()[before:] if call.node == "a"]

    def test_of_a_killed_run(self) -> None:
        on = self.tmp / "on"
        self.implement("a", write("a.txt", "good\n"), mark(on), hang(stubborn=True))
        self.kill_at(on, "run", "--node", "a")
        self.implement("c")
        (call,) = self.amend_after()
        self.assertIn("not very", call.prompt)
        self.assertNotIn("no good", call.prompt)
        self.assertEqual([one["outcome"] for one in self.node_state("a")["tries"]], ["green"])
        logs = [one["log"] for one in self.lines("costs.jsonl") if one["node"] == "a"]
        self.assertEqual(len(set(logs)), len(logs))
        self.assertIn("logs/a.1.agent.jsonl", logs)

    def test_of_an_attempt_that_had_feedback(self) -> None:
        on = self.tmp / "on"
        self.implement("a", *bad())
        self.implement("a", mark(on), hang(stubborn=True))
        self.kill_at(on, "run", "--node", "a")
        self.implement("c")
        (call,) = self.amend_after()
        self.assertNotIn("no good", call.prompt)
        self.assertNotIn("last attempt", call.prompt)


class TestEdited(AmendCase):
    def test_a_failed_node_whose_test_is_edited_runs_green(self) -> None:
        self.let_fail()
        before = self.node_state("a")
        hashes = self.stored("plan.json")["nodes"][0]["test_hashes"]
        calls = len(self.fake.calls())
        checkout = self.repo.fingerprint()
        done = self.ends(0, "amend", "a")
        self.assertIn("tests/tests/a.sh", done.out)
        self.assertIn("Next: director amend a --continue", done.out)
        self.assertEqual([p.name for p in (self.home / "tests" / "tests").iterdir()], ["a.sh"])
        self.write_test("a", STRICT)
        self.edit("a", spec="very good")
        done = self.ends(0, "amend", "a", "--continue")
        self.assertIn("Next: director run", done.out)
        self.assertEqual(len(self.fake.calls()), calls)  # no model was asked
        after = self.node_state("a")
        self.assertEqual((after["status"], after["tries"], after["error"]), ("pending", [], None))
        for kept in ("attempts", "cost_usd", "tokens"):
            self.assertEqual(after[kept], before[kept], kept)
        self.assertEqual(self.status_of("b"), "pending")
        self.assertEqual(self.status_of("c"), "done")
        self.assertFalse((self.home / "tests").exists())
        self.assertFalse((self.home / "amending.json").exists())
        (event,) = [one for one in self.lines("events.jsonl") if one["kind"] == "amended"]
        self.assertEqual((event["node"], event["before"]), ("a", hashes))
        self.assertEqual(event["after"], self.stored("plan.json")["nodes"][0]["test_hashes"])
        self.assertEqual(event["changed"], ["spec", "test_hashes"])
        self.finish()
        self.assertIs(self.receipt("a")["amended"], True)
        self.assertNotIn("amended", self.receipt("b"))
        said = self.repo.git("log", "--format=%(trailers:only)", self.branch)
        self.assertEqual(said.count("Director-Amended: yes"), 1)
        self.assertEqual(self.repo.fingerprint(), checkout)

    def test_nothing_runs_while_it_is_open_and_cancelling_leaves_all_as_it_was(self) -> None:
        plan, tip = self.stored("plan.json"), self.repo.git("rev-parse", self.branch)
        self.ends(0, "amend", "a")
        self.write_test("a", STRICT)
        self.edit("a", spec="other")
        self.assertIn("Node a waits for your approval", self.ends(0, "status").out)
        self.assertEqual(self.ends(0, "status", "--json").json["amending"], "a")
        for argv in (("run",), ("plan", "--continue"), ("plan", "--drop", "c"), ("amend", "b")):
            self.assertIn("node a is being amended", self.ends(2, *argv).err)
        self.ends(0, "amend", "a")  # what was edited stays
        self.assertEqual((self.home / "tests/tests/a.sh").read_text(), STRICT)
        self.ends(0, "amend", "a", "--cancel")
        self.assertEqual(self.stored("plan.json"), plan)
        self.assertEqual(self.repo.git("rev-parse", self.branch), tip)
        self.implement("a")
        self.implement("b")
        self.implement("c")
        self.ends(0, "run")
        self.ends(0, "verify")

    def test_an_edit_that_was_made_before_is_approved_at_once(self) -> None:
        self.let_fail()
        self.edit("a", test_cmd="sh -e tests/a.sh")
        value = self.ends(0, "amend", "a", "--continue", "--json").json
        self.assertEqual((value["state"], value["ok"]), ("approved", True))
        self.assertEqual(value["next_command"], ["director", "run"])
        self.finish()

    def test_a_renamed_test_takes_the_old_one_off_the_branch(self) -> None:
        self.let_fail()
        self.ends(0, "amend", "a")
        folder = self.home / "tests" / "tests"
        (folder / "a.sh").rename(folder / "other.sh")
        self.edit("a", tests=["tests/other.sh"], test_cmd="sh tests/other.sh")
        self.ends(0, "amend", "a", "--continue")
        self.assertIsNone(self.on_branch("tests/a.sh"))
        self.finish()

    def test_planning_again_keeps_the_mark(self) -> None:
        self.edit("a", spec="other", amended=False)
        self.ends(0, "amend", "a", "--continue")
        self.edit("a", spec="another", amended=False)
        self.edit("b", amended=True)
        self.ends(0, "plan", "--continue")
        marks = [one.get("amended", False) for one in self.stored("plan.json")["nodes"]]
        self.assertEqual(marks, [True, False, False])
        self.edit("a", amended=False)
        self.assertIn("node a: amended", self.ends(2, "run").err)


class TestRefused(AmendCase):
    def test_what_cannot_be_amended_is_named(self) -> None:
        self.assertIn("did you mean b?", self.ends(2, "amend", "bb").err)
        self.assertIn("is not being amended", self.ends(2, "amend", "a", "--cancel").err)
        both = self.ends(2, "amend", "a", "--cancel", "--continue")
        self.assertIn("--cancel cannot be combined", both.err)
        self.let_fail()
        self.assertIn("node c is merged", self.ends(2, "amend", "c").err)

    def test_tests_that_are_not_red_are_refused_and_can_be_corrected(self) -> None:
        self.let_fail()
        seal = self.stored("sealed.json")
        self.ends(0, "amend", "a")
        self.assertIn("node a was not changed", self.ends(2, "amend", "a", "--continue").err)
        self.write_test("a", "exit 0\n")
        done = self.ends(2, "amend", "a", "--continue", "--json")
        self.assertEqual(done.json["reason"], "tests_refused")
        self.assertIn("passes although nothing", done.json["what"])
        self.assertIn("director amend a --continue", done.json["next"])
        self.assertEqual(self.stored("sealed.json"), seal)
        self.write_test("a", STRICT)
        self.ends(0, "amend", "a", "--continue")
        self.finish()

    def test_they_are_seen_on_what_merged_meanwhile(self) -> None:
        self.let_fail()
        self.ends(0, "amend", "a")
        self.write_test("a", "grep -q good c.txt\n")  # red on the base, green since c merged
        done = self.ends(2, "amend", "a", "--continue")
        self.assertIn("passes although nothing", done.err)

    def test_more_than_the_node_is_refused(self) -> None:
        self.edit("b", spec="other")
        self.assertIn("node b: spec", self.ends(2, "amend", "a").err)
        self.edit("b", spec="b.txt holds the word good")
        self.ends(0, "amend", "a")
        (self.home / "tests/tests/b.sh").write_text("exit 1\n")
        self.edit("a", spec="other")
        done = self.ends(2, "amend", "a", "--continue")
        self.assertIn("tests of node b were changed", done.err)
        (self.home / "plan.json").write_text("{")
        self.assertIn("director amend a --continue", self.ends(2, "amend", "a", "--continue").err)

    def test_a_plan_that_waits_for_approval_is_edited_as_a_whole(self) -> None:
        self.script_planning(node("x"))
        self.ends(0, "plan", "another thing", "--new")
        self.assertIn("not approved yet", self.ends(2, "amend", "x").err)

    def test_a_run_under_way_has_the_lock(self) -> None:
        self.implement("a", mark(self.tmp / "there"), wait_for(self.tmp / "go"), *bad())
        run = self.started("run", "--node", "a", "--max-attempts", "1")
        self.addCleanup(run.wait)
        self.addCleanup((self.tmp / "go").touch)
        while not (self.tmp / "there").exists():
            self.assertIsNone(run.poll())
        self.assertEqual(self.ends(3, "amend", "a", "--json").json["ok"], False)


class TestShared(SharedCase):
    """Node b extends the test file that node a began."""

    def setUp(self) -> None:
        super().setUp()
        self.ends(0, "plan", "make", "--no-critique")

    def laid_out(self) -> Path:
        return self.home / "tests" / SHARED

    def test_what_another_has_its_tests_on_top_of_stays(self) -> None:
        before = self.hashes()
        self.ends(0, "amend", "a")
        self.assertFalse(self.laid_out().exists())
        self.laid_out().parent.mkdir(parents=True)
        self.laid_out().write_text(self.at_a + "# more\n")
        done = self.ends(2, "amend", "a", "--continue")
        self.assertIn(f"tests of node b were changed, too; {SHARED} holds tests of both", done.err)
        self.laid_out().unlink()
        said = answer({"node": {"spec": "other"}, "tests": "rewrite", "problem": ""})
        self.fake.queue("planner", said, node="a")
        done = self.ends(2, "amend", "a", "--revise", "other tests")
        said_so = f"{SHARED} cannot be rewritten for a: b has tests that build on them"
        self.assertIn(said_so, done.err)
        self.ends(0, "amend", "a", "--cancel")
        self.assertEqual(self.hashes(), before)
        self.finish()

    def test_the_last_one_can_change_and_the_first_sees_its_own(self) -> None:
        before = self.hashes()
        self.ends(0, "amend", "b")
        self.assertEqual(self.laid_out().read_text(), self.at_b)
        self.laid_out().write_text(self.at_b + "# more\n")
        self.ends(0, "amend", "b", "--continue")
        after = self.hashes()
        self.assertEqual(after["a"], before["a"])
        self.assertNotEqual(after["b"], before["b"])
        self.finish()


class TestRevised(AmendCase):
    def planner_says(self, node_: dict[str, Any], tests: str = "keep", problem: str = "") -> None:
        said = answer({"node": node_, "tests": tests, "problem": problem})
        self.fake.queue("planner", said, node="a")

    def test_models_rewrite_spec_and_tests_in_the_users_words(self) -> None:
        self.let_fail()
        self.planner_says({"spec": "a.txt says very"}, "rewrite", "it must want the word very")
        self.fake.queue("test-author", write("tests/a.sh", STRICT), say("done"), node="a")
        done = self.ends(0, "amend", "a", "--revise", "I want it very good")
        asked, authored = self.fake.calls()[-2:]
        self.assertEqual((asked.agent, asked.heading), ("planner", "Amend"))
        self.assertIn("I want it very good", asked.prompt)
        self.assertIn("no good a", asked.prompt)
        self.assertIn("I want it very good", authored.prompt)
        self.assertIn("it must want the word very", authored.prompt)
        self.assertIn("a.txt says very", authored.prompt)
        self.assertIn("+a.txt says very", done.out)
        self.assertIn("+grep -q very", done.out)
        self.assertIn("Next: director amend a --continue", done.out)
        calls = len(self.fake.calls())
        self.ends(0, "amend", "a", "--continue")
        self.assertEqual(len(self.fake.calls()), calls)
        self.finish()

    def test_tests_that_stay_need_no_author(self) -> None:
        self.let_fail()
        self.planner_says({"spec": "better said", "files": ["a.txt", "more.txt"]})
        self.ends(0, "amend", "a", "--revise", "-", "--continue", stdin="say it better\n")
        self.assertEqual(self.fake.calls()[-1].agent, "planner")
        self.assertEqual(self.stored("plan.json")["nodes"][0]["files"], ["a.txt", "more.txt"])
        self.finish()

    def test_an_answer_that_is_no_plan_goes_back_once(self) -> None:
        self.let_fail()
        self.planner_says({"files": ["tests/b.sh"]})
        self.planner_says({"spec": "better"})
        self.ends(0, "amend", "a", "--revise", "x", "--continue")
        self.assertIn("is a test of node 'b'", self.fake.calls()[-1].prompt)
        self.planner_says({"files": ["tests/b.sh"]})
        self.planner_says({"files": ["../x"]})
        done = self.ends(1, "amend", "a", "--revise", "y")
        self.assertIn("the planner's answer cannot be used", done.err)
        self.ends(0, "amend", "a", "--cancel")
        self.finish()

    def test_refused_tests_leave_the_rest_to_the_user(self) -> None:
        self.let_fail()
        self.planner_says({"spec": "new"}, "rewrite")
        for _ in range(2):
            self.fake.queue("test-author", write("tests/a.sh", "exit 0\n"), say("x"), node="a")
        done = self.ends(1, "amend", "a", "--revise", "x", "--json")
        self.assertEqual(done.json["reason"], "tests_refused")
        self.ends(2, "run")
        self.ends(0, "amend", "a", "--cancel")
        self.ends(0, "amend", "a")
        self.write_test("a", STRICT)
        self.ends(0, "amend", "a", "--continue")
        self.finish()

    def test_cancelling_takes_new_tests_off_the_branch(self) -> None:
        self.planner_says({"spec": "new"}, "rewrite")
        self.fake.queue("test-author", write("tests/a.sh", STRICT), say("x"), node="a")
        self.ends(0, "amend", "a", "--revise", "x")
        self.assertIn("very", str(self.on_branch("tests/a.sh")))
        self.ends(0, "amend", "a", "--cancel")
        self.assertEqual(f"{self.on_branch('tests/a.sh')}\n", script_of_test("a"))
        for name in "abc":
            self.implement(name)
        self.ends(0, "run")
        self.ends(0, "verify")


class TestKilled(AmendCase):
    """What a kill leaves between any two steps is completed, or undone, by the same command."""

    STEPS = (
        ("tips.jsonl", "job.git"), ("plan.json",), ("sealed.json",), ("plan_stage.json",),
        ("state.json",), ("tests",), ("amending.json",),
    )  # fmt: skip

    def setUp(self) -> None:
        super().setUp()
        self.let_fail()
        self.approved = self.stored("plan.json")["nodes"][0]
        self.ends(0, "amend", "a")
        self.write_test("a", STRICT)
        self.edit("a", spec="very good", tests=["tests/a.sh", "tests/more.sh"])
        (self.home / "tests/tests/more.sh").write_text(STRICT)
        self.before, self.after = self.place / "before", self.place / "after"
        shutil.copytree(self.home, self.before, symlinks=True)
        self.published = self.repo.git("rev-parse", self.branch)
        self.ends(0, "amend", "a", "--continue")
        shutil.copytree(self.home, self.after, symlinks=True)

    def killed_after(self, steps: int) -> None:
        """Make the records what they are when a kill comes after that many steps."""
        shutil.rmtree(self.home)
        shutil.copytree(self.before, self.home, symlinks=True)
        self.repo.git("branch", "--force", self.branch, self.published)  # that comes last
        for names in self.STEPS[:steps]:
            for name in names:
                self.take_over(name)

    def take_over(self, name: str) -> None:
        there, place = self.after / name, self.home / name
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        if there.is_dir():
            shutil.copytree(there, place, symlinks=True)
        elif there.exists():
            shutil.copy2(there, place)

    def test_it_is_completed(self) -> None:
        for steps in range(len(self.STEPS)):
            with self.subTest(steps=steps):
                self.killed_after(steps)
                self.assertIn("being amended", self.ends(2, "run").err)
                self.ends(0, "amend", "a", "--continue")
                self.assertEqual(self.status_of("a"), "pending")
                (event,) = [x for x in self.lines("events.jsonl") if x["kind"] == "amended"]
                self.assertEqual(event["before"], self.approved["test_hashes"])
                self.assertEqual(self.stored("plan.json"), self.stored_after("plan.json"))
                self.assertFalse((self.home / "tests").exists())
        self.finish()

    def test_it_is_undone(self) -> None:
        for steps in range(len(self.STEPS)):
            with self.subTest(steps=steps):
                self.killed_after(steps)
                self.ends(0, "amend", "a", "--cancel")
                self.assertEqual(self.stored("plan.json")["nodes"][0], self.approved)
                self.assertEqual(f"{self.on_branch('tests/a.sh')}\n", script_of_test("a"))
                self.assertIsNone(self.on_branch("tests/more.sh"))
        for name in "ab":
            self.implement(name)
        self.ends(0, "run", "--retry-failed")
        self.ends(0, "verify", "--rerun")

    def stored_after(self, name: str) -> dict[str, Any]:
        value = json.loads((self.after / name).read_text())
        assert isinstance(value, dict)
        return value

    def test_models_are_not_asked_twice(self) -> None:
        self.killed_after(0)
        self.ends(0, "amend", "a", "--cancel")
        said = answer({"node": {"spec": "very"}, "tests": "rewrite", "problem": ""})
        self.fake.queue("planner", said, node="a")
        reached = self.tmp / "reached"
        self.fake.queue("test-author", mark(reached), wait_for(self.tmp / "never"), node="a")
        self.kill_at(reached, "amend", "a", "--revise", "I want it very good")
        calls = len(self.fake.calls())
        self.fake.queue("test-author", write("tests/a.sh", STRICT), say("done"), node="a")
        self.ends(0, "amend", "a", "--continue")  # which finishes what was asked for first
        self.assertTrue((self.home / "amending.json").exists())
        self.assertEqual([one.agent for one in self.fake.calls()[calls:]], ["test-author"])
        self.ends(0, "amend", "a", "--continue")
        self.finish()
