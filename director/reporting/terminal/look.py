"""Lines for a terminal: as wide as it is, in its letters, with colour or without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from director.reporting.terminal.cells import width_of

NARROWEST, WIDEST = 40, 200
USUAL = 80  # where nobody knows the width
FARTHEST = 100  # where what belongs to the right edge of a line stands at most
WORD = re.compile(r"\s*\S+")
ASCII = str.maketrans(
    {"✗": "x", "✓": "+", "●": "*", "■": "!", "‖": "=", "–": "-", "│": "|", "·": "-", "…": "..."}
    | {"—": "-", "→": "->", "“": '"', "”": '"', "’": "'"}
)


class Tone(StrEnum):
    """How a piece of text is meant; the value is its colour (SGR)."""

    PLAIN = ""
    STRONG = "1"
    DIM = "2"
    BAD = "1;31"
    GOOD = "1;32"
    BUSY = "1;36"
    WARNING = "1;33"


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]


class Look(NamedTuple):
    """What a terminal can show: its width in cells, colours, letters beyond ASCII."""

    width: int = USUAL
    colour: bool = False
    unicode: bool = True

    @property
    def measure(self) -> int:
        """The width of lines with something at their right edge."""
        return min(self.width, FARTHEST)


PLAIN = Look()


def shown(lines: Iterable[Line], look: Look) -> str:
    """Return the text of ``lines``."""
    return "\n".join("".join(_painted(span, look) for span in line).rstrip() for line in lines)


def _painted(span: Span, look: Look) -> str:
    text = span.text if look.unicode else span.text.translate(ASCII)
    return f"\x1b[{span.tone}m{text}\x1b[0m" if look.colour and span.tone and text else text


def look_of_width(width: int, *, colour: bool = False, unicode: bool = True) -> Look:
    """Return the look of a terminal that is ``width`` cells wide, as far as that is of use."""
    return Look(max(NARROWEST, min(width, WIDEST)), colour, unicode)


def wrapped(text: str, width: int) -> list[str]:
    """Return a line as lines of at most ``width`` cells, broken between words; at least one.

    A word that is longer stands whole. The first line keeps its indentation.
    """
    if width_of(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in WORD.findall(text):
        if line.strip() and width_of(line) + width_of(word) > width:
            lines.append(line)
            line = word.lstrip()
        else:
            line += word
    return [*lines, line]


def shortened(text: str, width: int) -> str:
    """Return a line in at most ``width`` cells: its first words, and … for the others."""
    if width_of(text) <= width:
        return text
    short = wrapped(text, width - 2)[0]
    return f"{short} …" if width_of(short) <= width - 2 else _clipped(text, width - 1) + "…"


def _clipped(text: str, width: int) -> str:
    while width_of(text) > width:
        text = text[:-1]
    return text


def padded(text: str, width: int) -> str:
    """Return ``text`` with blanks up to ``width`` cells."""
    return text + " " * (width - width_of(text))


def paragraph(
    text: str, look: Look, indent: int = 0, tone: Tone = Tone.PLAIN, *, hanging: int = 0
) -> list[Line]:
    """Return ``text`` as lines that are indented, all but the first by ``hanging`` cells more."""
    first, *others = wrapped(text, look.width - indent - hanging)
    lines: list[Line] = [(Span(" " * indent), Span(first, tone))]
    return lines + [(Span(" " * (indent + hanging)), Span(line, tone)) for line in others]


def beside(left: Sequence[Span], right: Span, look: Look, indent: int = 4) -> list[Line]:
    """Return one line with ``right`` at its right edge; two where they do not fit."""
    taken = sum(width_of(span.text) for span in left)
    room = look.measure - taken - width_of(right.text)
    if room >= 2:
        return [(*left, Span(" " * room), right)]
    return [tuple(left), *paragraph(right.text, look, indent, right.tone)]


def rows(
    table: Sequence[Sequence[Span]], look: Look, indent: int = 2, drop: Sequence[int] = ()
) -> list[Line]:
    """Return a table, its columns two blanks apart; the last one takes the rest of the line.

    ``drop`` are columns that are left out, first to last, while the line has too little room.
    """
    if not table:
        return []
    columns = list(range(len(table[0])))
    widths = [max(width_of(row[at].text) for row in table) for at in columns]
    for at in drop:
        if indent + sum(widths[one] + 2 for one in columns[:-1]) + 10 <= look.width:
            break
        columns.remove(at)
    room = look.width - indent - sum(widths[one] + 2 for one in columns[:-1])
    lines: list[Line] = []
    for row in table:
        spans = [Span(" " * indent)]
        spans += [Span(padded(row[at].text, widths[at] + 2), row[at].tone) for at in columns[:-1]]
        last = row[columns[-1]]
        lines.append((*spans, Span(shortened(last.text, max(room, 1)), last.tone)))
    return lines
