"""``auto``: plan without approvals, then run, under one ceiling; again continues."""

from __future__ import annotations

from tests.support.fake_opencode import answer, exit_with
from tests.support.fake_records import finish
from tests.support.jobs import JobCase, node


class TestAuto(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.script_planning(node("a"), node("b"))

    def test_one_object_says_what_plan_and_run_came_to(self) -> None:
        for name in "ab":
            self.implement(name)
        said = self.ends(0, "auto", "make things", "--json", "--parallel", "2").json
        self.assertEqual((said["schema"], said["ok"]), ("director.auto/1", True))
        self.assertEqual((said["done"], said["plan"]["stage"]), (2, "ready"))
        self.assertEqual(said["plan"]["nodes"], ["a", "b"])
        self.assertEqual(self.on_branch("a.txt"), "good")
        headings = {call.heading for call in self.fake.calls()}
        self.assertNotIn("Critique of the plan", headings)
        self.ends(0, "verify")

    def test_again_continues_where_it_stopped(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.fake.queue("planner", exit_with(1), heading="Plan")
        self.ends(3, "auto", "make things")
        self.implement("a")
        self.fake.queue("executor", exit_with(1), node="b")
        self.ends(3, "auto", "make things")
        self.implement("b")
        done = self.ends(0, "auto", "make things")
        self.assertIn("Everything is done (2 nodes)", done.out)
        asked = [call.heading for call in self.fake.calls()]
        self.assertEqual((asked.count("Spec"), asked.count("Plan")), (1, 2))
        self.assertEqual(asked.count("Tests"), 2)

    def test_a_failed_node_is_exit_1(self) -> None:
        for _ in range(4):
            self.implement("a", *self.good_work("b"))
        self.implement("b")
        said = self.ends(1, "auto", "make things", "--max-attempts", "1", "--json").json
        self.assertEqual((said["reason"], said["failed"]), ("node_failed", 1))

    def test_the_ceiling_of_this_time_counts_from_what_was_spent(self) -> None:
        # A call of the planner's costs $0.015, see PRICING and the fake's tokens.
        done = self.ends(3, "auto", "make things", "--max-cost", "0.02", "--json")
        self.assertEqual(done.json["reason"], "ceiling")
        self.assertIn("--max-cost 0.02", done.json["next"])
        self.assertIn("auto 'make things' --max-cost 0.02", done.err)
        spent = len(self.fake.calls())
        self.assertGreater(spent, 0)
        self.ends(3, "auto", "make things", "--max-cost", "0.02")
        self.assertGreater(len(self.fake.calls()), spent)
        for name in "ab":
            self.implement(name)
        self.ends(0, "auto", "make things", "--max-cost", "5")

    def test_the_configured_ceiling_counts_where_it_is_lower(self) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 0.02\n")
        done = self.ends(3, "auto", "make things", "--max-cost", "5")
        self.assertIn("raise limits.cost_ceiling_usd", done.err)

    def test_the_ceiling_holds_for_the_run_too(self) -> None:
        self.ends(0, "plan", "make things", "--no-critique")
        costly = (*self.good_work("a"), finish(input=100_000))
        self.fake.always("executor", *costly, node="a")
        self.fake.always("executor", *costly, node="b")
        said = self.ends(3, "auto", "make things", "--max-cost", "0.05", "--json").json
        self.assertEqual(said["reason"], "ceiling")
        self.assertIn("director auto", said["next"])

    def test_questions_end_it_and_answers_continue(self) -> None:
        asked = {"questions": [{"question": "Which?", "options": ["x", "y"]}]}
        self.fake.queue("brainstorm", answer(asked))
        said = self.ends(2, "auto", "make things", "--json").json
        self.assertEqual((said["reason"], len(said["questions"])), ("decision_needed", 1))
        self.ends(2, "auto", "make things")  # not answered since
        for name in "ab":
            self.implement(name)
        self.ends(0, "auto", "make things", "--answer", "1: b")
        self.assertEqual(self.stored("plan_stage.json")["decisions"][0]["answer"], "y")

    def test_the_edited_file_answers_too(self) -> None:
        asked = {"questions": [{"question": "Which?", "options": ["x", "y"]}]}
        self.fake.queue("brainstorm", answer(asked))
        self.ends(2, "auto", "make things")
        text = (self.home / "questions.md").read_text()
        (self.home / "questions.md").write_text(text.replace("[ ] b", "[x] b"))
        for name in "ab":
            self.implement(name)
        self.ends(0, "auto", "make things")
        self.assertEqual(self.stored("plan_stage.json")["decisions"][0]["answer"], "y")

    def test_another_unfinished_job_stands_in_the_way(self) -> None:
        self.ends(0, "plan", "make things", "--no-critique")
        self.assertIn("is not finished", self.ends(2, "auto", "another").err)

    def test_mistakes_are_exit_2(self) -> None:
        for argv, problem in (
            ((), "auto needs a task"),
            (("x", "--file", "y"), "only one of them"),
            ((" ",), "the task is empty"),
            (("x", "--max-cost", "0"), "not an amount of US dollars"),
            (("x", "--max-cost", "nan"), "not an amount of US dollars"),
            (("x", "--max-cost", "much"), "not an amount of US dollars"),
            (("x", "--answer", "1: a"), "no question waits"),
        ):
            with self.subTest(argv):
                done = self.ends(2, "auto", *argv)
                self.assertIn(problem, done.err)
                self.assertIn("\n  next: ", done.err)
        self.assertEqual(self.fake.calls(), [])
