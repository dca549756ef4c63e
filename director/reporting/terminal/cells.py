"""Text in the cells of a terminal: how many it takes, cut, filled up, broken into lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain

from director.model.patterns import lazy_pattern

ELLIPSIS = "…"
WORD = lazy_pattern(r" *[^ ]+")  # with the blanks before it
WORD_OR_COMMAND = lazy_pattern(r" *(?:[^ `]|`[^`]*`|`)+")  # a command stands in backticks
ARGUMENT = lazy_pattern(r""" *(?:[^ '"]|'[^']*'|"(?:[^"\\]|\\.)*"|['"])+""")  # of a command
NO_CELL = frozenset(("Mn", "Me", "Cf"))  # what combines with the letter before, or is not seen
TWO_CELLS = frozenset("WF")  # East Asian wide and full-width


def width_of(text: str) -> int:
    """Return how many cells ``text`` takes; it holds no control characters."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.category(character) in NO_CELL:
        return 0
    return 2 if unicodedata.east_asian_width(character) in TWO_CELLS else 1


def rows_of(text: str, width: int) -> int:
    """Return how many rows ``text`` takes where a row has ``width`` cells; no letter is halved."""
    rows, used = 1, 0
    for cells in map(_cells, text):
        used += cells
        if used > width:
            rows, used = rows + 1, cells
    return rows


def cut(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return ``text``, or what of it fits into ``width`` cells and a sign that there is more."""
    if width_of(text) <= width:
        return text
    room = width - width_of(ellipsis)
    return f"{beginning(text, room).rstrip()}{ellipsis}" if room > 0 else beginning(text, width)


def beginning(text: str, width: int) -> str:
    """Return as much of the beginning of ``text`` as fits into ``width`` cells."""
    used = 0
    for place, character in enumerate(text):
        used += _cells(character)
        if used > width:
            return text[:place]
    return text


def filled(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` with blanks up to ``width`` cells; ``right``: they come before it."""
    blanks = " " * max(0, width - width_of(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"


def wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    """Give the lines of ``text``, each after the first with ``indent``; no word is broken.

    The first keeps its indentation. A word that is wider than a line has one of its own, which is
    too wide.
    """
    return _lines(WORD.findall(text), width, indent)


def wrapped_prose(text: str, width: int, indent: str = "") -> Iterator[str]:
    """Give lines as ``wrapped`` does; a command in backticks is whole where a line has room."""
    room = width - len(indent)
    parts = (
        [part] if width_of(part.lstrip()) <= room else WORD.findall(part)
        for part in WORD_OR_COMMAND.findall(text)
    )
    return _lines(chain.from_iterable(parts), width, indent)


def wrapped_command(command: str, width: int, indent: str = "") -> Iterator[str]:
    """Give the lines of a command; a backslash ends all but the last, so it can be copied.

    Quoted arguments are not broken; lines after the first have ``indent``.
    """
    whole = width_of(command) <= width
    parts = [command] if whole else [*_lines(ARGUMENT.findall(command), width - 2, indent)]
    yield from (f"{part} \\" for part in parts[:-1])
    yield parts[-1]


def _lines(words: Iterable[str], width: int, indent: str) -> Iterator[str]:
    line = ""
    for word in words:
        if line.strip() and width_of(line) + width_of(word) > width:
            yield line
            word = f"{indent}{word.lstrip(' ')}"
            line = ""
        line += word
    yield line
