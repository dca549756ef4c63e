"""The files of the sample repository: a small package of text utilities."""

README = """\
# textkit

Small helpers for plain text and Markdown. No dependencies.

```python
from textkit import excerpt, squeeze

squeeze("  too   many\\n spaces ")  # 'too many spaces'
excerpt("A sentence that goes on.", 12)  # 'A sentence…'
```

Run the tests with `python3 -m unittest discover -s tests -t .`.
"""

GITIGNORE = """\
__pycache__/
*.pyc
"""

PACKAGE = '''\
"""Small helpers for plain text and Markdown."""

from textkit.excerpt import excerpt
from textkit.spacing import squeeze

__all__ = ["excerpt", "squeeze"]
'''

SPACING = '''\
"""White space."""

from __future__ import annotations


def squeeze(text: str) -> str:
    """Return ``text`` on one line, with one space between words and none around them."""
    return " ".join(text.split())
'''

EXCERPT = '''\
"""The beginning of a text."""

from __future__ import annotations

from textkit.spacing import squeeze


def excerpt(text: str, length: int = 80) -> str:
    """Return at most ``length`` characters of ``text``, cut between words where possible."""
    if length < 1:
        raise ValueError("length must be at least 1")
    line = squeeze(text)
    if len(line) <= length:
        return line
    start = line[: length - 1]
    whole_words, space, _ = start.rpartition(" ")
    ends_a_word = line[length - 1] == " "
    return (whole_words if space and not ends_a_word else start).rstrip() + "…"
'''

TEST_SPACING = """\
import unittest

from textkit.spacing import squeeze


class Squeeze(unittest.TestCase):
    def test_one_space_between_words(self) -> None:
        self.assertEqual(squeeze("  too   many\\n\\tspaces "), "too many spaces")

    def test_nothing_stays_nothing(self) -> None:
        self.assertEqual(squeeze(" \\n "), "")


if __name__ == "__main__":
    unittest.main()
"""

TEST_EXCERPT = """\
import unittest

from textkit.excerpt import excerpt


class Excerpt(unittest.TestCase):
    def test_a_short_text_is_whole(self) -> None:
        self.assertEqual(excerpt("Short  enough.", 20), "Short enough.")

    def test_cuts_between_words(self) -> None:
        self.assertEqual(excerpt("A sentence that goes on.", 12), "A sentence…")
        self.assertEqual(excerpt("A sentence that goes on.", 11), "A sentence…")

    def test_cuts_a_word_that_is_too_long(self) -> None:
        self.assertEqual(excerpt("Incomprehensible", 6), "Incom…")

    def test_a_length_below_one_is_an_error(self) -> None:
        with self.assertRaises(ValueError):
            excerpt("text", 0)


if __name__ == "__main__":
    unittest.main()
"""

FILES = {
    ".gitignore": GITIGNORE,
    "README.md": README,
    "textkit/__init__.py": PACKAGE,
    "textkit/spacing.py": SPACING,
    "textkit/excerpt.py": EXCERPT,
    "tests/__init__.py": "",
    "tests/test_spacing.py": TEST_SPACING,
    "tests/test_excerpt.py": TEST_EXCERPT,
}
