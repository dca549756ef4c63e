"""What was paid for and not used when director ended: a later command uses it, and counts it once.

Whatever comes in between, and nothing answers a question that it was not asked.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.faults.cases import FaultCase
from tests.faults.test_crashes import KilledCase, put_down
from tests.support.fake_opencode import answer, finish, hang, mark, say, shell, write
from tests.support.jobs import node, script_of_test

SOON_SECS = 30.0
APPROVED = answer({"verdict": "approve", "problems": []})
OBJECTION = answer({"verdict": "revise", "problems": [{"node": None, "problem": "too vague"}]})


class UnusedCase(KilledCase):
    def asked(self, heading: str, name: str | None = None) -> int:
        """Return how often models were asked for something, of a node where it is named."""
        calls = [one for one in self.fake.calls() if one.heading == heading]
        return sum(name in (None, one.node) for one in calls)

    def killed_when_answered(self, log: str, *argv: str) -> None:
        """Start director, and kill it when the answer in that log is whole, and not read yet."""
        process = self.started(*argv)
        self.wait_for_log(log, b'"reason": "stop"')
        put_down(process)

    def answered(self, name: str, *argv: str) -> None:
        """Kill a run that has the answer of the executor of a node, and did not see it."""
        self.implement(name, *self.good_work(name), finish(), hang())
        self.killed_when_answered(f"{name}.1", "run", *argv)


class TestCommandsBetween(UnusedCase):
    """A command that needs no answer of the killed run comes before the run that does."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b"))

    def of_work(self) -> list[str]:
        """Return the logs of the calls for work that are on record, without their folder."""
        lines = self.lines("costs.jsonl")
        return [Path(one["log"]).name for one in lines if one["role"] == "executor"]

    def used_once(self) -> None:
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.asked("Implement", "a"), 1)
        self.assertEqual(sorted(one.partition(".")[0] for one in self.of_work()), ["a", "b"])
        self.ends(0, "verify")
        self.assertEqual(self.left_behind(), [])

    def test_a_run_of_another_node(self) -> None:
        self.answered("a", "--node", "a")
        self.implement("b")
        self.ends(0, "run", "--node", "b")
        self.assertEqual(len(self.of_work()), 2)
        self.implement("b", say("nothing is left to do"))
        self.ends(0, "run")
        self.assertEqual(self.asked("Implement", "a"), 1)
        self.assertEqual(self.left_behind(), [])

    def test_an_amendment_of_another_node(self) -> None:
        self.answered("a", "--node", "a")
        self.ends(0, "amend", "b")
        self.ends(0, "amend", "b", "--cancel")
        self.used_once()

    def test_a_person_who_takes_it_and_gives_it_up(self) -> None:
        self.answered("a", "--node", "a")
        self.ends(0, "take", "a")
        self.ends(0, "take", "--drop", "a")
        self.used_once()

    def test_a_run_that_cannot_begin(self) -> None:
        self.answered("a", "--node", "a")
        self.configure('[worktree]\nlink = ["README"]\n')
        self.ends(2, "run")
        self.configure()
        self.used_once()

    def test_a_call_is_on_record_though_its_node_was_dropped(self) -> None:
        self.answered("a", "--node", "a")
        self.ends(0, "plan", "--drop", "a")
        self.assertEqual(len(self.of_work()), 1)
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(len(self.of_work()), 2)
        self.assertEqual(list((self.home / "calls").glob("a-*")), [])
        self.assertEqual(self.left_behind(), [])

    def test_a_call_is_on_record_though_a_person_wrote_the_node(self) -> None:
        self.answered("a", "--node", "a")
        told = self.ends(0, "take", "a", "--json").json
        (Path(told["worktree"]) / "a.txt").write_text("good\n")
        self.ends(0, "give", "a")
        self.assertEqual(len(self.of_work()), 1)
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(list((self.home / "calls").iterdir()), [])

    def test_worktrees_of_a_call_that_was_cut_short_go(self) -> None:
        self.implement("a", write("a.txt", "bad\n"), mark(self.tmp / "on"), hang())
        self.kill_at(self.tmp / "on", "run", "--node", "a")
        self.implement("b")
        self.ends(0, "run", "--node", "b")
        self.assertEqual(self.left_behind(), [])


class TestAnotherTier(UnusedCase):
    def test_an_answer_counts_where_another_tier_is_due_by_now(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a", *self.good_work("a"), finish(), hang())
        self.killed_when_answered("a.2", "run", "--max-attempts", "2")
        self.ends(0, "run", "--max-attempts", "1")
        self.assertEqual(self.asked("Implement"), 2)
        state = self.node_state("a")
        self.assertEqual((state["tier_used"], state["attempts"]), ("executor", 2))
        self.assertEqual([one["role"] for one in state["tries"]], ["executor", "executor"])


class TestInterrupted(FaultCase):
    """A gate is under way when director is told to end: the answer before it was paid for."""

    def setUp(self) -> None:
        super().setUp()
        self.shared = self.place / "home" / "tmp"  # $TMPDIR of a gate

    def ended_in_the_gate(self, *argv: str) -> None:
        running = self.start(*argv)
        self.until(self.shared / "gate")
        running.send(signal.SIGTERM)
        self.assertEqual(running.ended(SOON_SECS).code, 143)
        self.assertEqual(self.left_behind(), [])
        (self.shared / "fast").touch()

    def test_the_gate_of_a_candidate(self) -> None:
        waits = "[ -e $TMPDIR/fast ] || { touch $TMPDIR/gate; exec sleep 600; }\n"
        self.plan(node("a"), tests={"a": script_of_test("a") + waits})
        self.implement("a", write("a.txt", "good\n"), say("done"))
        self.ended_in_the_gate("run")
        self.ends(0, "run")
        self.assertEqual([one.heading for one in self.fake.calls()].count("Implement"), 1)

    def test_the_admission_of_tests(self) -> None:
        waits = "[ -e $TMPDIR/fast ] || { touch $TMPDIR/gate; exec sleep 600; }\n"
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", waits + script_of_test("a")), node="a")
        self.ended_in_the_gate("plan", "make", "--no-critique")
        self.ends(0, "plan", "make", "--no-critique")
        self.assertEqual([one.heading for one in self.fake.calls()].count("Tests"), 1)
        self.implement("a")
        self.ends(0, "run")

    def test_a_base_that_moves_meanwhile_waits_for_its_use(self) -> None:
        waits = "[ -e $TMPDIR/fast ] || { touch $TMPDIR/gate; exec sleep 600; }\n"
        self.plan(node("a"), tests={"a": script_of_test("a") + waits})
        self.implement("a", write("a.txt", "good\n"), say("done"))
        self.ended_in_the_gate("run")
        self.repo.write("more.txt", "x\n")
        self.repo.git("add", "more.txt")
        self.repo.git("commit", "--quiet", "--message", "more")
        self.before = self.repo.fingerprint()
        self.assertIn("a-executor-1", self.ends(2, "rebase", "--yes", "--json").json["what"])
        self.ends(0, "run")
        self.ends(0, "rebase", "--yes")


class TestOtherQuestions(UnusedCase):
    """The note of a call that a kill kept from being dropped is no answer to what follows."""

    def note_of(self, name: str) -> bytes:
        return (self.home / "calls" / f"{name}.json").read_bytes()

    def put_back(self, name: str, note: bytes) -> None:
        """Let a note be there, as a kill leaves it after its answer is on disk."""
        (self.home / "calls" / f"{name}.json").write_bytes(note)

    def test_a_spec_is_written_again_after_its_critique(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("brainstorm", say("the spec"), finish(), hang())
        self.killed_when_answered("plan.spec", "plan", "make")
        note = self.note_of("spec")
        self.ends(0, "plan", "make")
        self.put_back("spec", note)
        self.fake.queue("planner", OBJECTION, heading="Critique of the spec")
        self.fake.always("planner", APPROVED, heading="Critique of the plan")
        self.fake.queue("brainstorm", say("a better spec"))
        self.ends(0, "plan", "--continue", "--auto")
        self.assertEqual((self.home / "spec.md").read_text(), "a better spec\n")

    def test_a_plan_is_made_again_after_its_critique(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("planner", APPROVED, heading="Critique of the spec")
        self.fake.queue("planner", answer({"nodes": [node("a")]}), finish(), hang(), heading="Plan")
        self.killed_when_answered("plan.nodes-1", "plan", "make", "--auto")
        note = self.note_of("plan-1")
        self.fake.queue("test-author", mark(self.tmp / "on"), hang(), node="a")
        self.kill_at(self.tmp / "on", "plan", "make", "--auto")
        self.put_back("plan-1", note)
        self.fake.queue("planner", OBJECTION, heading="Critique of the plan")
        self.ends(0, "plan", "make", "--auto")
        self.assertEqual(self.asked("Plan"), 2)

    def answered_tests(self) -> None:
        """Kill planning that has the tests of a node, and did not see that."""
        self.script_planning(node("a"))
        written = write("tests/a.sh", script_of_test("a"))
        self.fake.queue("test-author", written, say("written"), finish(), hang(), node="a")
        self.killed_when_answered("a.tests-1", "plan", "make", "--no-critique")

    def test_tests_of_a_node_that_was_edited_are_written_again(self) -> None:
        self.answered_tests()
        plan = self.stored("plan.json")
        plan["nodes"][0]["spec"] = "a.txt holds the word good, and no other"
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.ends(0, "plan", "--continue", "--no-critique")
        self.assertEqual(self.asked("Tests"), 2)
        self.assertIn("and no other", self.fake.calls()[-1].prompt)

    def test_tests_for_other_words_are_written_again(self) -> None:
        self.plan(node("a"))
        said = answer({"node": {}, "tests": "rewrite", "problem": ""})
        self.fake.queue("planner", said, node="a")
        written = write("tests/a.sh", f"# first\n{script_of_test('a')}")
        self.fake.queue("test-author", written, finish(), hang(), node="a")
        self.killed_when_answered("a.tests-1.agent-2", "amend", "a", "--revise", "the first words")
        self.fake.queue("planner", said, node="a")
        written = write("tests/a.sh", f"# second\n{script_of_test('a')}")
        self.fake.queue("test-author", written, say("written"), node="a")
        self.ends(0, "amend", "a", "--revise", "other words")
        self.assertIn("other words", self.fake.calls()[-1].prompt)
        self.assertNotIn("the first words", self.fake.calls()[-1].prompt)
        self.ends(0, "amend", "a", "--continue")
        self.assertIn("# second", str(self.on_branch("tests/a.sh")))

    def test_tests_of_an_amendment_are_paid_for_once(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')  # the agent itself is in the way
        self.plan(node("a"))
        said = answer({"node": {"spec": "very"}, "tests": "rewrite", "problem": ""})
        self.fake.queue("planner", said, node="a")
        written = write("tests/a.sh", f"# again\n{script_of_test('a')}")
        plan = self.home / "plan.json"
        aside = shell(f"mv {plan} {self.tmp}/plan.json; mkdir {plan}")
        self.fake.queue("test-author", written, aside, say("written"), node="a")
        self.ends(3, "amend", "a", "--revise", "it must be very good")
        plan.rmdir()
        (self.tmp / "plan.json").rename(plan)
        self.ends(0, "amend", "a", "--continue")
        self.ends(0, "amend", "a", "--continue")
        self.assertEqual([one.agent for one in self.fake.calls()].count("test-author"), 2)
        self.assertIn("# again", str(self.on_branch("tests/a.sh")))
