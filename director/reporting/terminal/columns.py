"""Texts of agents and tools in the columns of a window: folded, or wrapped as they are indented."""

from __future__ import annotations

from collections.abc import Iterator

from director.reporting.terminal.cells import beginning, width_of

TAB = 4  # columns between two tabulators


def folded(text: str, width: int) -> Iterator[str]:
    """Give ``text`` in lines of ``width`` columns at most; nothing is lost, words may be cut."""
    for line in text.expandtabs(TAB).split("\n"):
        rest = line
        while width_of(rest) > width:
            part = beginning(rest, width) or rest[0]
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
