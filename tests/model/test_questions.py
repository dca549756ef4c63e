"""Questions come back from the edited file as a person answered them; slips are named."""

from __future__ import annotations

import unittest

from director.model.questions import (
    OPEN,
    PERSON,
    RECOMMENDATION,
    AnswerError,
    Decision,
    Question,
    decided,
    given,
    laid_out,
    marked,
)

WHERE = Question("Where is it stored?", ("SQLite", "a JSON file"), 1, "Another module is needed.")
WHO = Question("Who may delete?", ("the author", "admins", "both: author, admins"))
NAME = Question("What is it called?")
ASKED = (WHERE, WHO, NAME)
TEXT = laid_out(ASKED, "add\nnotes", "director plan --continue")


def edited(*changes: tuple[str, str]) -> str:
    text = TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


class TestFile(unittest.TestCase):
    def test_it_shows_all_that_is_needed_to_answer(self) -> None:
        self.assertEqual(
            TEXT.partition("## 3.")[0],
            "# Questions about: add notes\n\n"
            "Put an x into the box of an option, or write an answer of your own after `Answer:`.\n"
            "If nothing is marked, the recommended option counts. "
            "Then: `director plan --continue`\n\n"
            "## 1. Where is it stored?\n\n> Another module is needed.\n\n"
            "- [ ] a: SQLite\n- [ ] b: a JSON file (recommended)\n\nAnswer:\n\n"
            "## 2. Who may delete?\n\n"
            "- [ ] a: the author (recommended)\n- [ ] b: admins\n- [ ] c: both: author, admins\n\n"
            "Answer:\n\n",
        )

    def test_as_it_was_written_nothing_is_answered(self) -> None:
        self.assertEqual(marked(TEXT, ASKED), {})
        self.assertEqual(marked("", ASKED), {})

    def test_what_the_planner_says_is_no_answer(self) -> None:
        for why in ("Answer: drop it", "- [x] b: admins", "## 2. What?", "Why so?\nAnswer: x"):
            asked = (WHO._replace(why=why.replace("\n", " ")),)
            text = laid_out(asked, "add notes", "director plan --continue")
            self.assertEqual(marked(text, asked), {}, why)
            said = marked(text.replace("\nAnswer:\n", "\nAnswer: me\n"), asked)
            self.assertEqual(said, {1: "me"}, why)

    def test_marks_and_words_count(self) -> None:
        text = edited(
            ("[ ] a: SQLite", "[x] a: SQLite"),
            ("[ ] c: both", "[X] c: both"),
            ("3. What is it called?\n\nAnswer:", "3. What is it called?\n\nAnswer:\nnotes,\n  say"),
        )
        said = {1: "SQLite", 2: "both: author, admins", 3: "notes, say"}
        self.assertEqual(marked(text, ASKED), said)

    def test_however_the_mark_is_typed(self) -> None:
        for mark in ("-[x]", "* [x]", "- [ x ]", "- [✓]", "  - [X]"):
            with self.subTest(mark):
                text = edited(("- [ ] b: a JSON file", f"{mark} b: a JSON file"))
                self.assertEqual(marked(text, ASKED), {1: "a JSON file"})

    def test_several_marks_and_words_are_all_said(self) -> None:
        text = edited(
            ("[ ] a: SQLite", "[x] a: SQLite"),
            ("[ ] b: a JSON file", "[x] b: a YAML file"),
            ("\nAnswer:", "\nAnswer: later"),
        )
        self.assertEqual(marked(text, ASKED), {1: "SQLite; a YAML file; later"})

    def test_a_letter_after_answer_is_an_option(self) -> None:
        self.assertEqual(marked(edited(("\nAnswer:", "\nAnswer: B")), ASKED), {1: "a JSON file"})

    def test_a_section_that_was_removed_is_not_answered(self) -> None:
        self.assertEqual(marked(TEXT.partition("## 2.")[0], ASKED), {})

    def test_slips_are_named(self) -> None:
        for text, slip in (
            (edited(("## 3.", "## 7.")), "no question 7"),
            (edited(("\nAnswer:", "\nAnswer: x")), "a to b, not x"),
        ):
            with self.subTest(slip), self.assertRaisesRegex(AnswerError, slip):
                marked(text, ASKED)


class TestGiven(unittest.TestCase):
    def test_letters_and_words(self) -> None:
        pairs = ["1: b", "2. B", "3) my  notes"]
        self.assertEqual(given(pairs, ASKED), {1: "a JSON file", 2: "admins", 3: "my notes"})
        letters = Question("Which?", ("x", "y"))
        self.assertEqual(given(["1: Y"], [letters]), {1: "y"})  # what it is called, not its letter
        self.assertEqual(given(["3: a"], ASKED), {3: "a"})  # it has no options

    def test_slips_are_named(self) -> None:
        for pairs, slip in (
            (["b"], "begins with the number"),
            (["1:"], "begins with the number"),
            (["0: a"], "no question 0: their numbers are 1 to 3"),
            (["1: c"], "a to b, not c"),
            (["1: a", "1: b"], "twice"),
        ):
            with self.subTest(pairs), self.assertRaisesRegex(AnswerError, slip):
                given(pairs, ASKED)
        with self.assertRaisesRegex(AnswerError, "their numbers are 1$"):
            given(["2: a"], [WHERE])


class TestDecided(unittest.TestCase):
    def test_what_was_not_answered_is_as_recommended(self) -> None:
        self.assertEqual(
            decided(ASKED, {2: "admins"}),
            (
                Decision(WHERE.question, "a JSON file", RECOMMENDATION),
                Decision(WHO.question, "admins", PERSON),
                Decision(NAME.question, OPEN, RECOMMENDATION),
            ),
        )
