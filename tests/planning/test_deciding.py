"""A planner that lacks a decision asks; what it is told is in every prompt that follows."""

from __future__ import annotations

from typing import Any

from tests.faults.test_crashes import KilledCase
from tests.support.fake_opencode import answer, finish, hang, say, wait_for
from tests.support.jobs import JobCase, node

COLOUR = {"question": "Which colour?", "options": ["red", "blue"], "recommended": 2}
NAME = {"question": "Which name?", "options": ["x", "y"], "recommended": 1}


class AskingCase(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.script_planning(node("a"))

    def asks(self, *questions: dict[str, Any], role: str = "brainstorm", times: int = 1) -> None:
        for _ in range(times):
            self.fake.queue(role, answer({"questions": list(questions)}))

    def prompts(self, heading: str) -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.heading == heading]

    def decisions(self) -> list[tuple[str, str]]:
        found = self.stored("plan_stage.json")["decisions"]
        return [(one["answer"], one["by"]) for one in found]


class TestAsked(AskingCase):
    def test_planning_waits_and_the_file_decides(self) -> None:
        self.asks(COLOUR, NAME)
        done = self.ends(0, "plan", "make a")
        self.assertIn("1. Which colour?\n   a: red\n   b: blue (recommended)\n", done.out)
        self.assertIn("The planner needs 2 decisions from you", done.out)
        self.assertIn(str(self.home / "questions.md"), done.out)
        text = (self.home / "questions.md").read_text()
        (self.home / "questions.md").write_text(text.replace("[ ] a: red", "[x] a: red"))
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.decisions(), [("red", "person"), ("x", "recommendation")])
        self.assertFalse((self.home / "questions.md").exists())
        self.assertEqual(self.stored("plan_stage.json")["stage"], "gate_spec")
        told = "## Decisions\n\n- Which colour?\n  Decided: red\n- Which name?\n  Decided: x"
        self.assertIn(told, self.prompts("Spec")[1])
        self.ends(0, "plan", "--continue")
        self.assertIn(told, self.prompts("Plan")[0])
        kinds = [line["kind"] for line in self.lines("events.jsonl")]
        self.assertEqual((kinds.count("questions"), kinds.count("decided")), (1, 1))

    def test_json_has_the_questions_and_the_reason(self) -> None:
        self.asks(COLOUR)
        said = self.ends(0, "plan", "make a", "--json").json
        self.assertEqual(said["reason"], "decision_needed")
        self.assertTrue(said["ok"] and said["paused"])
        (asked,) = said["questions"]
        self.assertEqual((asked["options"], asked["recommended"]), (["red", "blue"], 1))
        self.assertEqual(said["next_command"], ["director", "plan", "--continue"])

    def test_status_says_that_answers_are_waited_for(self) -> None:
        self.asks(COLOUR)
        self.ends(0, "plan", "make a")
        said = self.ends(0, "status").out
        self.assertIn("The planner lacks 1 decision", said)
        self.ends(0, "plan", "--continue")
        self.assertIn("approve spec.md", self.ends(0, "status").out)

    def test_answers_on_the_command_line_win_over_the_file(self) -> None:
        self.asks(COLOUR, NAME)
        self.ends(0, "plan", "make a")
        text = (self.home / "questions.md").read_text()
        (self.home / "questions.md").write_text(text.replace("[ ]", "[x]", 1))
        self.ends(0, "plan", "--answer", "1: green", "--answer", "2: b")
        self.assertEqual(self.decisions(), [("green", "person"), ("y", "person")])

    def test_a_mistake_is_named_and_nothing_is_settled(self) -> None:
        self.asks(COLOUR)
        self.ends(0, "plan", "make a")
        before = len(self.fake.calls())
        wrong = (("2: a", "no question 2"), ("1: z", "not z"), ("b", "is not an answer"))
        for pair, problem in wrong:
            said = self.ends(2, "plan", "--continue", "--answer", pair, "--json").json
            self.assertIn(problem, said["error"])
            self.assertEqual(said["reason"], "usage")
        (self.home / "questions.md").write_text("## 4. What?\n")
        self.assertIn("questions.md: there is no", self.ends(2, "plan", "--continue").err)
        (self.home / "questions.md").unlink()
        self.assertEqual(len(self.fake.calls()), before)
        self.ends(0, "plan", "--continue")
        self.assertEqual(self.decisions(), [("blue", "recommendation")])

    def test_the_same_task_again_asks_again_and_pays_nothing(self) -> None:
        self.asks(COLOUR)
        first = self.ends(0, "plan", "make a").out
        before = len(self.fake.calls())
        self.assertEqual(self.ends(0, "plan", "make a").out, first)
        self.assertEqual(self.ends(0, "plan", "--show").out, first)
        self.assertIn("waits for answers", self.ends(2, "plan", "another").err)
        self.assertIn("waits for answers", self.ends(2, "plan", "--revise", "x").err)
        self.assertEqual(len(self.fake.calls()), before)

    def test_the_plan_and_its_revision_may_need_a_decision_too(self) -> None:
        self.ends(0, "plan", "make a")
        self.asks(COLOUR, role="planner")
        self.assertIn("Which colour?", self.ends(0, "plan", "--continue").out)
        self.ends(0, "plan", "--answer", "1: a")
        self.assertIn("Decided: red", self.prompts("Plan")[1])
        self.asks(NAME, role="planner")
        asked = self.ends(0, "plan", "--revise", "call it better")
        self.assertIn("Which name?", asked.out)
        self.assertNotIn("as it was", asked.out)
        self.ends(0, "plan", "--answer", "1: y")
        for told in ("Decided: red", "Decided: y", "call it better"):
            self.assertIn(told, self.prompts("Plan")[3])
        self.ends(0, "plan", "--continue")


class TestTooManyQuestions(AskingCase):
    def test_after_two_rounds_the_planner_has_to_decide(self) -> None:
        self.asks(COLOUR, times=3)
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--answer", "1: a")
        done = self.ends(0, "plan", "--answer", "1: b")
        self.assertIn("spec waits for your approval", done.out)
        told = [("red", "person"), ("blue", "person"), ("blue", "recommendation")]
        self.assertEqual(self.decisions(), told)
        without, *_, third, fourth = self.prompts("Spec")
        self.assertNotIn("No more questions", without)
        for prompt in (third, fourth):
            self.assertIn("No further question will be answered", prompt)

    def test_one_that_never_stops_is_stopped(self) -> None:
        self.asks(COLOUR, times=6)
        self.ends(0, "plan", "make a")
        self.ends(0, "plan", "--continue")
        said = self.ends(1, "plan", "--continue", "--json").json
        self.assertEqual(said["reason"], "decision_needed")
        self.assertIn("keeps asking", said["error"])
        self.assertEqual(len(self.prompts("Spec")), 5)


class TestNoPersonThere(AskingCase):
    def test_it_ends_with_the_questions_and_can_be_answered(self) -> None:
        self.asks(COLOUR)
        for flag in ("--no-critique", "--auto"):
            done = self.ends(2, "plan", "make a", flag, "--json")
            said = done.json
            self.assertEqual((said["reason"], said["ok"]), ("decision_needed", False))
            self.assertEqual(said["questions"][0]["question"], "Which colour?")
            self.assertIn("lacks 1 decision", done.err)
        shown = self.ends(2, "plan", "make a", "--no-critique")
        self.assertIn("1. Which colour?", shown.out)
        self.assertIn("\n  next: ", shown.err)
        self.assertEqual(len(self.prompts("Spec")), 1)
        self.ends(0, "plan", "--no-critique", "--answer", "1: a")
        self.assertEqual(self.decisions(), [("red", "person")])
        self.assertEqual(self.stored("plan_stage.json")["stage"], "ready")


class TestKilled(KilledCase):
    def test_questions_and_answers_are_paid_for_once(self) -> None:
        self.configure('[sandbox]\nmode = "off"\n')  # the agent itself kills director
        self.script_planning(node("a"))
        there = wait_for(self.tmp / "pid-is-there")
        for said, call in (
            (answer({"questions": [COLOUR]}), "spec.agent"),
            (say("the spec"), "spec.agent-2"),
        ):
            kill = self.kill_once_written(call)
            self.fake.queue("brainstorm", said, finish(), there, kill, hang())
        for argv in (("make a",), ("--answer", "1: a")):
            (self.tmp / "pid-is-there").unlink(missing_ok=True)
            process = self.started("plan", *argv)
            (self.tmp / "pid").write_text(str(process.pid))
            (self.tmp / "pid-is-there").touch()
            self.assertEqual(process.wait(), -9)
            done = self.ends(0, "plan", "--continue")
        self.assertIn("spec waits for your approval", done.out)
        self.assertEqual(sum(call.heading == "Spec" for call in self.fake.calls()), 2)
        found = self.stored("plan_stage.json")["decisions"]
        self.assertEqual([one["answer"] for one in found], ["red"])
