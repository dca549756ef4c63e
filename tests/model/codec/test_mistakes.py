"""Places are written as people write them, and guesses name what was meant."""

import unittest

from director.model.codec.mistakes import MismatchError, Mistake, dotted, guess, not_known


class TestMistakes(unittest.TestCase):
    def test_places(self) -> None:
        for path, text in (
            ((), ""),
            (("nodes", 3, "files", 0), "nodes[3].files[0]"),
            (("pricing", "p/m", "input"), 'pricing."p/m".input'),
            (("claude-code", "a_b", ""), 'claude-code.a_b.""'),
        ):
            self.assertEqual(dotted(path), text)

    def test_the_error_says_everything(self) -> None:
        error = MismatchError([Mistake(("a",), "is missing"), Mistake((), "must be an object")])
        self.assertEqual(str(error), "a is missing; must be an object")
        self.assertEqual(error.below("x")[0], Mistake(("x", "a"), "is missing"))

    def test_guesses(self) -> None:
        self.assertEqual(guess("limist", ("limits", "git")), "did you mean 'limits'?")
        self.assertEqual(guess("zzz", ("limits", "git")), "known: limits, git")
        expected = "lmits is not a thing (did you mean 'limits'?)"
        self.assertEqual(str(not_known("lmits", ("limits",), "a thing")), expected)
