"""A node that the executor gets wrong twice (code fences), and the escalation tier gets right."""

from director.demo.scripted_node import ScriptedNode
from director.model.plan import Node

SPEC = """\
Add the module textkit/headings.py with class Heading(NamedTuple), fields level: int, text: str,
line: int, and headings(markdown: str) -> list[Heading], which returns the headings of a Markdown
text in their order. line is the number of the line, the first being 1.

- A heading is a line of one to six "#", indented by at most three spaces, followed by a space, a
  tab or the end of the line. "#hashtag" and "####### seven" are none.
- text has no white space around it, and no closing run of "#" that stands alone: "## Usage ##"
  gives "Usage", "# C#" gives "C#". A heading may be empty.
- Lines in fenced code are no headings. A fence opens with a line of three or more backticks or
  three or more tildes, indented by at most three spaces, with anything behind it. It closes with a
  line of the same character, at least as many of them, and nothing but white space behind. An open
  fence that nothing closes reaches to the end of the text.
- Headings that are underlined (=== or ---) are out of scope.
"""

TESTS = '''\
"""The contract of textkit.headings."""

import unittest

from textkit.headings import Heading, headings


class Headings(unittest.TestCase):
    def test_finds_level_text_and_line(self) -> None:
        found = headings("# Guide\\n\\nSome text.\\n\\n### Details\\n")
        self.assertEqual(found, [Heading(1, "Guide", 1), Heading(3, "Details", 5)])

    def test_a_heading_has_named_fields(self) -> None:
        (found,) = headings("\\n## Setup")
        self.assertEqual((found.level, found.text, found.line), (2, "Setup", 2))

    def test_closing_marks_are_no_text(self) -> None:
        texts = [heading.text for heading in headings("## Usage ##\\n# C#\\n#   Wide  \\n")]
        self.assertEqual(texts, ["Usage", "C#", "Wide"])

    def test_a_heading_may_be_empty(self) -> None:
        self.assertEqual(headings("#\\n"), [Heading(1, "", 1)])

    def test_hashtags_deep_and_indented_lines_are_none(self) -> None:
        self.assertEqual(headings("#hashtag\\n####### seven\\n    # code\\n"), [])

    def test_three_spaces_and_a_tab_are_fine(self) -> None:
        self.assertEqual(headings("   #\\tTabbed"), [Heading(1, "Tabbed", 1)])

    def test_no_text_has_no_headings(self) -> None:
        self.assertEqual(headings(""), [])


class FencedCode(unittest.TestCase):
    def test_comments_in_code_are_no_headings(self) -> None:
        text = "# Install\\n```sh\\n# as root\\n```\\n# Use\\n"
        self.assertEqual(headings(text), [Heading(1, "Install", 1), Heading(1, "Use", 5)])

    def test_only_the_same_character_closes(self) -> None:
        text = "~~~\\n```\\n# code\\n```\\n# still code\\n~~~\\n# Text\\n"
        self.assertEqual(headings(text), [Heading(1, "Text", 7)])

    def test_a_shorter_fence_does_not_close(self) -> None:
        text = "````md\\n```\\n# code\\n```\\n# still code\\n````\\n# Text\\n"
        self.assertEqual(headings(text), [Heading(1, "Text", 7)])

    def test_a_fence_with_words_behind_does_not_close(self) -> None:
        text = "```\\n```python\\n# code\\n```\\n# Text\\n"
        self.assertEqual(headings(text), [Heading(1, "Text", 5)])

    def test_an_open_fence_reaches_to_the_end(self) -> None:
        self.assertEqual(headings("```\\n# code\\n\\n# more\\n"), [])


if __name__ == "__main__":
    unittest.main()
'''

_START = '''\
"""The headings of a Markdown text."""

from __future__ import annotations

import re
from typing import NamedTuple

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \\t]+(.*))?$")
_CLOSING_MARKS = re.compile(r"(?:^|[ \\t]+)#+$")
'''

_TYPE_AND_TEXT = '''

class Heading(NamedTuple):
    """A heading: its level (1 to 6), its text and its line (the first is 1)."""

    level: int
    text: str
    line: int


def _heading(line: str, number: int) -> Heading | None:
    match = _HEADING.match(line.rstrip())
    if match is None:
        return None
    text = _CLOSING_MARKS.sub("", (match[2] or "").strip())
    return Heading(len(match[1]), text, number)

'''

WITHOUT_FENCES = (
    _START
    + _TYPE_AND_TEXT
    + '''
def headings(markdown: str) -> list[Heading]:
    """Return the headings of ``markdown`` in their order."""
    lines = enumerate(markdown.splitlines(), 1)
    found = (_heading(line, number) for number, line in lines)
    return [heading for heading in found if heading]
'''
)

ANY_FENCE_CLOSES = (
    _START
    + '_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")\n'
    + _TYPE_AND_TEXT
    + '''
def headings(markdown: str) -> list[Heading]:
    """Return the headings of ``markdown`` in their order, those in fenced code left out."""
    found = []
    in_code = False
    for number, line in enumerate(markdown.splitlines(), 1):
        if _FENCE.match(line):
            in_code = not in_code
            continue
        heading = None if in_code else _heading(line, number)
        if heading:
            found.append(heading)
    return found
'''
)

SOLUTION = (
    _START
    + '_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")\n'
    + _TYPE_AND_TEXT
    + '''
def _fence_after(line: str, fence: str) -> str:
    """Return the fence that is open after ``line``, "" for none; ``fence`` was open before."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    # The same character, at least as many of them: the open fence is a prefix.
    closes = match[1].startswith(fence) and not match[2].strip()
    return "" if closes else fence


def headings(markdown: str) -> list[Heading]:
    """Return the headings of ``markdown`` in their order, those in fenced code left out."""
    found = []
    fence = ""
    for number, line in enumerate(markdown.splitlines(), 1):
        heading = None if fence else _heading(line, number)
        if heading:
            found.append(heading)
        fence = _fence_after(line, fence)
    return found
'''
)

HEADINGS = ScriptedNode(
    Node(
        id="headings",
        title="Find the headings of a Markdown text",
        spec=SPEC,
        files=("textkit/headings.py",),
        depends_on=(),
        test_cmd="python3 -m unittest tests.test_headings",
        tests=("tests/test_headings.py",),
        estimated_difficulty="hard",
    ),
    tests={"tests/test_headings.py": TESTS},
    attempts=(
        {"textkit/headings.py": WITHOUT_FENCES},
        {"textkit/headings.py": ANY_FENCE_CLOSES},
        {"textkit/headings.py": SOLUTION},
    ),
    by_executor=2,
)
