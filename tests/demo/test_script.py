import json
import unittest

from director.agents.answers import json_object
from director.demo.nodes import scripted_nodes
from director.demo.script import turns
from director.demo.turns import Say, Turn, Use
from director.model.codec.encoding import encode


def tools(conversation: list[Turn]) -> list[tuple[str, str]]:
    """Return (tool, first argument) of every call."""
    calls = [call for turn in conversation if isinstance(turn, Use) for call in turn.calls]
    return [(call.tool, str(next(iter(call.arguments.values())))) for call in calls]


def said(conversation: list[Turn]) -> str:
    last = conversation[-1]
    assert isinstance(last, Say)
    return last.text


class Answers(unittest.TestCase):
    def test_prose_has_the_headings_that_the_roles_ask_for(self) -> None:
        for heading, expected in (("Recon", "## Touch points"), ("Spec", "## Assumptions")):
            self.assertIn(expected, said(turns("planner", f"# {heading}\n\nTask: x")))

    def test_critiques_approve(self) -> None:
        for heading in ("Critique of the spec", "Critique of the plan"):
            answer = json_object(said(turns("planner", f"# {heading}\n")))
            self.assertEqual(answer, {"verdict": "approve", "problems": []})

    def test_reviews_pass(self) -> None:
        for heading in ("Review", "Compliance"):
            answer = json_object(said(turns("reviewer", f"# {heading}\nNode: slug\n")))
            self.assertEqual((answer["verdict"], answer["findings"]), ("pass", []))

    def test_the_plan_holds_all_nodes(self) -> None:
        answer = json.loads(said(turns("local/planner", "# Plan\n")))
        stored = [{**encode(s.node)} for s in scripted_nodes()]
        for node in stored:
            del node["test_hashes"]
        self.assertEqual(answer, {"nodes": stored})

    def test_something_else_is_answered_harmlessly(self) -> None:
        for prompt in ("", "Generate a title", "# Implement\nNode: unknown\n", "# Tests\n"):
            with self.subTest(prompt=prompt):
                (turn,) = turns("executor", prompt)
                self.assertIsInstance(turn, Say)


class NodeBound(unittest.TestCase):
    def test_the_test_author_writes_then_runs(self) -> None:
        self.assertEqual(
            tools(turns("test-author", "# Tests\n\nNode: slug\n")),
            [("write", "tests/test_slug.py"), ("bash", "python3 -m unittest tests.test_slug")],
        )

    def test_the_executor_watches_the_test_fail_first(self) -> None:
        run = ("bash", "python3 -m unittest tests.test_reading")
        self.assertEqual(
            tools(turns("executor", "# Implement\n\nNode: reading-time\nAttempt: 1\n")),
            [run, ("write", "textkit/reading.py"), run],
        )

    def test_a_file_that_is_there_is_read_before_it_is_written(self) -> None:
        used = tools(turns("executor", "# Implement\nNode: contents\nAttempt: 1"))
        path = "textkit/__init__.py"
        self.assertLess(used.index(("read", path)), used.index(("write", path)))

    def test_attempts_differ_until_the_right_one(self) -> None:
        def asked(model: str, number: int) -> list[Turn]:
            return turns(model, f"# Implement\n\nNode: headings\nAttempt: {number}\n")

        first, second, third = (asked("executor", number) for number in (1, 2, 3))
        self.assertNotEqual(first, second)
        self.assertEqual(second, third)
        for number in (1, 3):
            self.assertNotIn(asked("escalation", number), (first, second))
