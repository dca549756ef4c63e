"""The node that puts the others together; it also changes a file that is already there."""

from director.demo.sample_files import PACKAGE
from director.demo.scripted_node import ScriptedNode
from director.model.plan import Node

SPEC = """\
Add the module textkit/contents.py with table_of_contents(markdown: str) -> str, and export that
function from textkit/__init__.py next to what is exported there.

It uses textkit.headings.headings (Heading has level, text, line), textkit.slug.slugify and
textkit.reading.reading_time, which exist.

- A text without headings gives "".
- Else the first line is "*N min read*" with N = reading_time(markdown), then an empty line, then
  one line for each heading: "- [text](#anchor)". The result ends with one newline.
- A line is indented by two spaces for each level below the highest heading that the text has.
- anchor is slugify(text), or "section" where that is empty. Anchors are unique: one that is taken
  gets "-1", or the next number that is free.
- "[" and "]" in the text are written "\\[" and "\\]".
"""

TESTS = '''\
"""The contract of textkit.contents."""

import unittest

import textkit
from textkit.contents import table_of_contents

GUIDE = """\\
## Getting started

### Install it

```sh
# as root
```

## What's next?
"""


class TableOfContents(unittest.TestCase):
    def links(self, markdown: str) -> "list[str]":
        return table_of_contents(markdown).splitlines()[2:]

    def test_links_every_heading_below_the_reading_time(self) -> None:
        expected = (
            "*1 min read*\\n\\n"
            "- [Getting started](#getting-started)\\n"
            "  - [Install it](#install-it)\\n"
            "- [What's next?](#whats-next)\\n"
        )
        self.assertEqual(table_of_contents(GUIDE), expected)

    def test_the_reading_time_counts_the_whole_text(self) -> None:
        text = "# Long\\n" + "word " * 500
        self.assertEqual(table_of_contents(text).splitlines()[:2], ["*3 min read*", ""])

    def test_indents_below_the_highest_heading(self) -> None:
        self.assertEqual(
            self.links("### c\\n## b\\n#### d\\n"),
            ["  - [c](#c)", "- [b](#b)", "    - [d](#d)"],
        )

    def test_anchors_are_unique(self) -> None:
        self.assertEqual(
            self.links("# Notes\\n# Notes 1\\n# Notes\\n# Notes\\n"),
            [
                "- [Notes](#notes)",
                "- [Notes 1](#notes-1)",
                "- [Notes](#notes-2)",
                "- [Notes](#notes-3)",
            ],
        )

    def test_a_heading_without_words_has_an_anchor(self) -> None:
        self.assertEqual(self.links("# ?\\n# !\\n"), ["- [?](#section)", "- [!](#section-1)"])

    def test_brackets_do_not_break_the_link(self) -> None:
        self.assertEqual(self.links("# a[0]"), ["- [a\\\\[0\\\\]](#a-0)"])

    def test_no_headings_no_contents(self) -> None:
        self.assertEqual(table_of_contents("Just a paragraph."), "")

    def test_the_package_exports_it(self) -> None:
        self.assertIs(textkit.table_of_contents, table_of_contents)
        self.assertIn("table_of_contents", textkit.__all__)
        self.assertIn("excerpt", textkit.__all__)


if __name__ == "__main__":
    unittest.main()
'''

SOLUTION = '''\
"""A table of contents for a Markdown text."""

from __future__ import annotations

from textkit.headings import headings
from textkit.reading import reading_time
from textkit.slug import slugify

_BRACKETS = str.maketrans({"[": r"\\[", "]": r"\\]"})


def table_of_contents(markdown: str) -> str:
    """Return the reading time and linked headings of ``markdown``; "" without headings."""
    found = headings(markdown)
    if not found:
        return ""
    top = min(heading.level for heading in found)
    lines = [f"*{reading_time(markdown)} min read*", ""]
    taken: set[str] = set()
    for heading in found:
        anchor = _free_anchor(slugify(heading.text) or "section", taken)
        taken.add(anchor)
        indent = "  " * (heading.level - top)
        lines.append(f"{indent}- [{heading.text.translate(_BRACKETS)}](#{anchor})")
    return "\\n".join(lines) + "\\n"


def _free_anchor(wanted: str, taken: set[str]) -> str:
    anchor = wanted
    number = 0
    while anchor in taken:
        number += 1
        anchor = f"{wanted}-{number}"
    return anchor
'''

WITH_EXPORT = PACKAGE.replace(
    "from textkit.excerpt", "from textkit.contents import table_of_contents\nfrom textkit.excerpt"
).replace('"squeeze"]', '"squeeze", "table_of_contents"]')

CONTENTS = ScriptedNode(
    Node(
        id="contents",
        title="Put the table of contents together",
        spec=SPEC,
        files=("textkit/contents.py", "textkit/__init__.py"),
        depends_on=("slug", "reading-time", "headings"),
        test_cmd="python3 -m unittest tests.test_contents",
        tests=("tests/test_contents.py",),
        estimated_difficulty="medium",
    ),
    tests={"tests/test_contents.py": TESTS},
    attempts=({"textkit/contents.py": SOLUTION, "textkit/__init__.py": WITH_EXPORT},),
    by_executor=1,
)
