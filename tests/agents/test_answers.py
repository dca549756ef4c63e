"""The JSON object is found wherever the model put it, and a cut-off one is called so."""

import json
import unittest

from director.agents.answers import NoAnswerError, json_object, questions_in
from director.agents.templates import bundled_text
from director.model.questions import Question
from director.model.roles import Agent

VALUE = {"nodes": [{"id": "a", "spec": "use {x} and \"y\" or '}'"}]}


class TestJsonObject(unittest.TestCase):
    def test_wherever_it_stands(self) -> None:
        text = json.dumps(VALUE, indent=2)
        for answer in (
            text,
            f"\n\n{text}\n\n",
            f"```json\n{text}\n```",
            f"Here is the plan:\n\n{text}\n\nTell me if you like it.",
            f"I use {{braces}} in prose, then {text} and {{more}}.",
            f'First {{"small": 1}}, then\n{text}\nand {{"also": "small"}}',
        ):
            with self.subTest(answer):
                self.assertEqual(json_object(answer), VALUE)

    def test_the_largest_wins_and_objects_inside_do_not_count(self) -> None:
        self.assertEqual(json_object('{"a": {"b": 1}} {"c": 1}'), {"a": {"b": 1}})

    def test_a_cut_off_object_is_called_so(self) -> None:
        text = json.dumps(VALUE)
        for cut in (len(text) - 1, len(text) - 4, 12, 1):
            with self.subTest(text[:cut]), self.assertRaisesRegex(NoAnswerError, "cut off"):
                json_object(text[:cut])

    def test_an_object_with_a_mistake_names_it(self) -> None:
        with self.assertRaisesRegex(NoAnswerError, "cannot be read: .*line 1 column"):
            json_object("{'verdict': 'pass'} and prose")

    def test_beyond_all_bounds(self) -> None:
        for answer in ('{"a": ' * 100_000, f'{{"a": {"[" * 100_000}', f'{{"a": {"1" * 5000}}}'):
            with self.assertRaisesRegex(NoAnswerError, "cannot be read"):
                json_object(answer)

    def test_prose_and_nothing(self) -> None:
        with self.assertRaisesRegex(NoAnswerError, "no JSON object, only prose"):
            json_object("It is fine. [1, 2]")
        with self.assertRaisesRegex(NoAnswerError, "empty"):
            json_object("")


class TestQuestions(unittest.TestCase):
    def test_what_the_bundled_agents_are_told_to_ask_is_understood(self) -> None:
        for agent in (Agent.BRAINSTORM, Agent.PLANNER):
            text = bundled_text(agent)
            example = text[text.index('{"questions"') :]
            example = example[: example.index("]}\n") + 2]
            (asked,) = questions_in(f"```json\n{example}\n```")
            self.assertEqual((len(asked.options), asked.recommended), (2, 0), agent)
            self.assertTrue(asked.question.endswith("?") and asked.why, agent)

    def test_prose_around_is_no_answer_and_a_spec_that_quotes_one_is(self) -> None:
        asked = json.dumps({"questions": [{"question": "Which?", "options": ["x", "y"]}]})
        found = (Question("Which?", ("x", "y")),)
        self.assertEqual(questions_in(f"I need to know:\n\n{asked}\n\nThank you."), found)
        self.assertEqual(questions_in(f"## Goal\n\nThe API answers {asked}\n"), ())

    def test_however_the_recommended_one_is_said(self) -> None:
        for said, options, index in (
            (2, ("x", "y"), 1),
            ("2", ("x", "y"), 1),
            ("b", ("x", "y"), 1),
            ("y", ("x", "y"), 1),
            ("z", ("z", "x", "y"), 0),
            (7, ("x", "y"), 0),
            (None, ("x", "y"), 0),
        ):
            with self.subTest(said):
                one = {"question": "Which?", "options": ["x", "y"], "recommended": said}
                (asked,) = questions_in(json.dumps({"questions": [one]}))
                self.assertEqual((asked.options, asked.recommended), (options, index))

    def test_what_is_none_is_none(self) -> None:
        for text in (
            "the spec",
            "{",
            '{"questions": []}',
            '{"questions": "no"}',
            '{"questions": [{"options": ["x"]}, 7, ""]}',
            '{"nodes": [], "questions": ["Which?"]}',
            '{"questions": ["Which?"',
        ):
            with self.subTest(text):
                self.assertEqual(questions_in(text), ())

    def test_what_it_says_is_lines_that_can_be_printed(self) -> None:
        wild = {"question": "Wh\x1b[31mich\n one?", "options": ["a\tb", 3, "a b", ""]}
        (asked,) = questions_in(json.dumps({"questions": [wild]}))
        self.assertEqual(asked, Question("Wh[31mich one?", ("a b",)))
