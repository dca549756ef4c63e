"""The prose of the sample job: the task, what the explorer reports, and the spec."""

TASK = "Add a table of contents for Markdown texts, with linked headings and the reading time"

RECON = """\
## Layout
- textkit/__init__.py: the public names (`excerpt`, `squeeze`) and `__all__`
- textkit/spacing.py: `squeeze(text: str) -> str`
- textkit/excerpt.py: `excerpt(text: str, length: int = 80) -> str`
- tests/: one file for each module

## Conventions
Pure Python, standard library only, one small module for each function. Annotated throughout,
`from __future__ import annotations` first (textkit/spacing.py). Wrong arguments raise ValueError
with a sentence (textkit/excerpt.py). One docstring line for each public function.

## Tests
unittest; one file runs with `python3 -m unittest tests.test_spacing`.

## Touch points
- textkit/__init__.py gets the new public name; `__all__` is in alphabetical order.
- Nothing for Markdown, slugs or reading time is there yet.

## Risks
Comments in fenced code look like headings. Two headings may have the same text.
"""

SPEC = """\
## Goal
Whoever publishes Markdown texts with textkit can put a table of contents on top: linked headings,
and how long the text takes to read. Today they have to write it by hand.

## Behaviour
- `textkit.table_of_contents(markdown: str) -> str` returns "" for a text without headings. Else the
  line "*N min read*", an empty line, and "- [text](#anchor)" for each heading, indented by two
  spaces for each level below the highest one in the text.
- `textkit.headings.headings(markdown)` returns `Heading(level, text, line)` for each line of one
  to six "#" and a space; lines in fenced code are none, however fences are nested.
- `textkit.slug.slugify(text, separator="-")` returns lower-case words without accents, joined by
  the separator. Anchors are slugs; one that is taken gets "-1", "-2" and so on; an empty one is
  "section".
- `textkit.reading.reading_time(text, words_per_minute=200)` returns whole minutes, rounded up, 0
  for no words; a speed below 1 raises ValueError("words_per_minute must be at least 1").

## Design
Four small modules, one for each function, because slugs and reading times are useful alone:
textkit/slug.py, textkit/reading.py, textkit/headings.py, and textkit/contents.py, which uses them.
Rejected: a Markdown parser as a dependency; textkit has none, and headings need no parser.

## Out of scope
Underlined headings, HTML, inserting the table into the text.

## Assumptions
- 200 words a minute, as is usual for prose. Words in code count as well.
- Anchors follow what Git hosting sites do, as far as the Latin alphabet goes.
"""
