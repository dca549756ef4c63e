"""Lines laid out for a terminal: paragraphs, tables, what stands at the right edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from director.reporting.terminal.cells import beginning, filled, width_of, wrapped
from director.reporting.terminal.style import Line, Paint, Span, Style


def shown(lines: Iterable[Line], style: Style) -> str:
    """Return the text of ``lines``."""
    return "\n".join(_text(line, style) for line in lines)


def _text(line: Line, style: Style) -> str:
    return "".join(style.painted(style.plain(span.text), span.paint) for span in line).rstrip()


def shortened(text: str, width: int) -> str:
    """Return a line in at most ``width`` cells: its first words, and … for the others."""
    if width_of(text) <= width:
        return text
    short = next(wrapped(text, width - 2))
    return f"{short} …" if width_of(short) <= width - 2 else beginning(text, width - 1) + "…"


def paragraph(
    text: str, style: Style, indent: int = 0, paint: Paint = Paint.PLAIN, *, hanging: int = 0
) -> list[Line]:
    """Return ``text`` as lines that are indented, all but the first by ``hanging`` cells more."""
    first, *others = wrapped(text, style.width - indent - hanging)
    lines: list[Line] = [(Span(" " * indent), Span(first, paint))]
    return lines + [(Span(" " * (indent + hanging)), Span(line, paint)) for line in others]


def beside(left: Sequence[Span], right: Span, style: Style, indent: int = 4) -> list[Line]:
    """Return one line with ``right`` at its right edge; two where they do not fit."""
    taken = sum(width_of(span.text) for span in left)
    room = style.measure - taken - width_of(right.text)
    if room >= 2:
        return [(*left, Span(" " * room), right)]
    return [tuple(left), *paragraph(right.text, style, indent, right.paint)]


def rows(
    table: Sequence[Sequence[Span]], style: Style, indent: int = 2, drop: Sequence[int] = ()
) -> list[Line]:
    """Return a table, its columns two blanks apart; the last one takes the rest of the line.

    ``drop`` are columns that are left out, first to last, while the line has too little room.
    """
    if not table:
        return []
    columns = list(range(len(table[0])))
    widths = [max(width_of(row[at].text) for row in table) for at in columns]
    for at in drop:
        if indent + sum(widths[one] + 2 for one in columns[:-1]) + 10 <= style.width:
            break
        columns.remove(at)
    room = style.width - indent - sum(widths[one] + 2 for one in columns[:-1])
    lines: list[Line] = []
    for row in table:
        spans = [Span(" " * indent)]
        spans += [Span(filled(row[at].text, widths[at] + 2), row[at].paint) for at in columns[:-1]]
        last = row[columns[-1]]
        lines.append((*spans, Span(shortened(last.text, max(room, 1)), last.paint)))
    return lines
