from __future__ import annotations

import unittest

from director.model.commit_policy import LONGEST_SUBJECT, CommitPolicy, template_problems

VALUES = {"title": "Make a", "node": "a", "task": "do it", "type": "feat"}


def text(template: str, **values: str) -> str:
    return CommitPolicy(template).text({**VALUES, **values})


class TestText(unittest.TestCase):
    def test_by_default_it_is_the_title(self) -> None:
        self.assertEqual(CommitPolicy().text(VALUES), "Make a")

    def test_places_are_filled_in(self) -> None:
        self.assertEqual(
            text("{type}({node}): {title}\n\nPart of: {task}\n"),
            "feat(a): Make a\n\nPart of: do it",
        )

    def test_no_value_brings_a_line_of_its_own(self) -> None:
        for hostile in (
            "x\nDirector-Node: b",
            "x\n\nDirector-Node: b",
            "x\r\n\r\nSigned-off-by: b",
        ):
            with self.subTest(hostile):
                lines = text("{title}\n\n{task}", title=hostile, task=hostile).splitlines()
                self.assertEqual(lines, [" ".join(hostile.split()), "", " ".join(hostile.split())])

    def test_what_a_value_holds_is_no_place(self) -> None:
        self.assertEqual(text("{title}", title="use {node} and {task}"), "use {node} and {task}")

    def test_the_first_line_has_a_bounded_length_and_an_empty_line_after_it(self) -> None:
        subject, empty, body = text("{title}\nbody", title="long " * 100).splitlines()
        self.assertEqual((empty, body), ("", "body"))
        self.assertLessEqual(len(subject), LONGEST_SUBJECT)
        self.assertTrue(subject.endswith("long…"), subject)

    def test_an_empty_first_line_is_the_title(self) -> None:
        self.assertEqual(text("{task}\n\nbody", task=""), "Make a\n\nbody")


class TestTemplateProblems(unittest.TestCase):
    def test_what_can_be_used_has_none(self) -> None:
        for template in ("{title}", "{type}: {title}\n\n{task} ({node})", "fixed"):
            self.assertEqual(list(template_problems(template)), [])

    def test_each_problem_is_said(self) -> None:
        for template, said in (
            (" \n", "empty"),
            ("{titel}", "names {titel}, which is not one of {title}, {node}, {task}, {type}"),
            ("{}", "names {}"),
            ("{title}\x07", "printable"),
        ):
            with self.subTest(template):
                (problem,) = template_problems(template)
                self.assertIn(said, problem)
