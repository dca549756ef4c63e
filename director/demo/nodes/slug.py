"""A plain node: right at the first attempt."""

from director.demo.scripted_node import ScriptedNode
from director.model.plan import Node

SPEC = """\
Add the module textkit/slug.py with slugify(text: str, separator: str = "-") -> str, which turns a
text into a name for a URL.

- Letters lose their accents and become lower case: "Crème Brûlée" gives "creme-brulee". Use Unicode
  normalisation and case folding, so that "Straße" gives "strasse".
- Apostrophes (' and ’) vanish: "Don't" gives "dont".
- What remains and is not a-z or 0-9 separates words. A run of it counts once, and none is left at
  either end: "  Hello,   World! " gives "hello-world".
- Words are joined by separator: slugify("a b", "_") gives "a_b".
- A text without any word gives "".
"""

TESTS = '''\
"""The contract of textkit.slug."""

import unittest

from textkit.slug import slugify


class Slugify(unittest.TestCase):
    def test_joins_lower_case_words(self) -> None:
        self.assertEqual(slugify("Getting Started"), "getting-started")

    def test_takes_off_accents_and_folds_case(self) -> None:
        self.assertEqual(slugify("Crème Brûlée"), "creme-brulee")
        self.assertEqual(slugify("Große Straße"), "grosse-strasse")

    def test_drops_apostrophes(self) -> None:
        self.assertEqual(slugify("Don't panic, it’s fine"), "dont-panic-its-fine")

    def test_a_run_of_punctuation_separates_once(self) -> None:
        self.assertEqual(slugify("  Hello,   World! "), "hello-world")
        self.assertEqual(slugify("a/b -- c_d"), "a-b-c-d")

    def test_keeps_digits(self) -> None:
        self.assertEqual(slugify("Version 2.0"), "version-2-0")

    def test_uses_the_separator(self) -> None:
        self.assertEqual(slugify("one two  three", "_"), "one_two_three")
        self.assertEqual(slugify("one two", ""), "onetwo")

    def test_a_text_without_words_is_empty(self) -> None:
        for text in ("", "   ", "?!", "—"):
            with self.subTest(text=text):
                self.assertEqual(slugify(text), "")


if __name__ == "__main__":
    unittest.main()
'''

SOLUTION = '''\
"""Names for URLs."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHES = str.maketrans("", "", "'’")


def slugify(text: str, separator: str = "-") -> str:
    """Return ``text`` as plain lower-case words joined by ``separator``."""
    parts = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    plain = "".join(part for part in parts if not unicodedata.combining(part))
    return separator.join(_WORD.findall(plain.casefold()))
'''

SLUG = ScriptedNode(
    Node(
        id="slug",
        title="Turn a heading into a slug",
        spec=SPEC,
        files=("textkit/slug.py",),
        depends_on=(),
        test_cmd="python3 -m unittest tests.test_slug",
        tests=("tests/test_slug.py",),
        estimated_difficulty="easy",
    ),
    tests={"tests/test_slug.py": TESTS},
    attempts=({"textkit/slug.py": SOLUTION},),
    by_executor=1,
)
