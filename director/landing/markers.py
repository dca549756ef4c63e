"""The lines by which git marks a conflict in a file, and whether any of them was left there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from director.model.patterns import lazy_pattern

MARKER = lazy_pattern(rb"(<+|>+|\|+)(?: .*)?|(=+)")  # of any size: an attribute can set it
USUAL = 7  # characters of a marker
CONTEXT = 3  # lines around a conflict
BEGINS, ENDS = "<<<<<<<", ">>>>>>>"


def left_markers(text: bytes, marked: bytes, sides: Sequence[bytes]) -> list[str]:
    """Return the lines of ``text`` that mark a conflict as git did in ``marked``, or usually does.

    A line that is in one of the ``sides`` as often is not a marker.
    """
    own = [Counter(_lines(side)) for side in sides]
    sizes = {size for line, size in _added(marked, own) if line.startswith(b"<")}
    left = [line for line, size in _added(text, own) if size in sizes or _is_usual(line, size)]
    return [line.decode(errors="replace") for line in left]


def _added(text: bytes, sides: Sequence[Counter[bytes]]) -> Iterator[tuple[bytes, int]]:
    """Give the lines that look like markers, and that no side has as often, with their sizes."""
    for line, count in Counter(_lines(text)).items():
        found = MARKER.fullmatch(line)
        if found and count > max(side[line] for side in sides):
            yield line, len(found[1] or found[2])


def _is_usual(line: bytes, size: int) -> bool:
    """Whether a line would be a marker anywhere; of `=` it may be a heading's."""
    return size == USUAL and not line.startswith(b"=")


def conflicts_in(marked: str) -> str:
    """Return the conflicts in the text of a file, with their line numbers and some lines around."""
    lines = marked.splitlines()
    shown = dict.fromkeys(number for span in _spans(lines) for number in span)
    parts, before = [], -1
    for number in shown:
        if number != before + 1:
            parts.append(f"@@ line {number + 1} @@")
        parts.append(lines[number])
        before = number
    return "\n".join(parts)


def _spans(lines: Sequence[str]) -> Iterator[range]:
    begin = None
    for number, line in enumerate(lines):
        if line.startswith(BEGINS):
            begin = number
        elif line.startswith(ENDS) and begin is not None:
            yield range(max(0, begin - CONTEXT), min(len(lines), number + CONTEXT + 1))
            begin = None


def _lines(text: bytes) -> list[bytes]:
    return [line.rstrip(b"\r") for line in text.split(b"\n")]
