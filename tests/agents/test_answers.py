"""The JSON object is found wherever the model put it, and a cut-off one is called so."""

import json
import unittest

from director.agents.answers import NoAnswerError, json_object

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
