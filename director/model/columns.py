"""Text in the columns of a terminal, where a character takes none, one or two."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category, east_asian_width

TAB = 4  # columns between two tabulators
WITHOUT_WIDTH = frozenset({"Mn", "Me", "Cf"})
WIDE = frozenset({"W", "F"})


def width_of(text: str) -> int:
    """Return how many columns ``text``, one printable line, takes."""
    return len(text) if text.isascii() else sum(map(_width, text))


def clipped(text: str, width: int) -> str:
    """Return one line in ``width`` columns at most; what does not fit ends in ``…``."""
    if width_of(text) <= width:
        return text
    return f"{_beginning(text, max(0, width - 1))}…"


def folded(text: str, width: int) -> Iterator[str]:
    """Give ``text`` in lines of ``width`` columns at most; nothing is lost, words may be cut."""
    for line in text.expandtabs(TAB).split("\n"):
        rest = line
        while width_of(rest) > width:
            part = _beginning(rest, width) or rest[0]
            yield part
            rest = rest[len(part) :]
        yield rest


def wrapped(text: str, width: int) -> Iterator[str]:
    """Give ``text`` in lines of ``width`` columns at most, broken between words where they fit.

    The lines it has stay lines of their own, and keep their indentation.
    """
    for line in text.expandtabs(TAB).split("\n"):
        indent = line[: len(line) - len(line.lstrip())][: width // 2]
        taken = indent
        for word in line.split():
            if taken.strip() and width_of(taken) + 1 + width_of(word) > width:
                yield taken
                taken = indent
            taken += f" {word}" if taken.strip() else word
            *whole, taken = folded(taken, width)
            yield from whole
        yield taken.rstrip()


def _width(character: str) -> int:
    if category(character) in WITHOUT_WIDTH:
        return 0
    return 2 if east_asian_width(character) in WIDE else 1


def _beginning(text: str, width: int) -> str:
    """Return as much of the beginning of ``text`` as has room in ``width`` columns."""
    if text.isascii():
        return text[:width]
    taken = 0
    for at, character in enumerate(text):
        taken += _width(character)
        if taken > width:
            return text[:at]
    return text
