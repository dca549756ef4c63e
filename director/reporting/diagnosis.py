"""A diagnosis as text: one row after the other, then how many there were."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from director.model.diagnosis import Level, Row, count
from director.model.format import counted, money
from director.reporting.terminal.style import Paint, Style

MARKS = {Level.OK: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}
ASCII_MARKS = {Level.OK: "ok ", Level.WARNING: "!  ", Level.PROBLEM: "X  "}
PAINTS = {Level.OK: Paint.GREEN, Level.WARNING: Paint.YELLOW, Level.PROBLEM: Paint.RED}
ABOUT_WIDTH = 14
NARROWEST, WIDEST = 40, 120


def render_row(row: Row, style: Style) -> str:
    """Return a row as lines for a terminal; its mark has the colour of its level.

    What programs said is in it: what is no printable character is left out.
    """
    mark = (MARKS if style.unicode else ASCII_MARKS)[row.level]
    width = min(WIDEST, style.width)
    start = f"{mark} {row.about:<{ABOUT_WIDTH}}"
    if len(row.about) >= ABOUT_WIDTH:
        start += " "
    indent = " " * (len(mark) + 1 + ABOUT_WIDTH)
    what = f"{row.where}: {row.what}" if row.where else row.what
    lines = _wrapped(what, start, indent, width)
    if row.fix:
        arrow = "→" if style.unicode else "fix:"
        lines += _wrapped(row.fix, f"{indent}{arrow} ", f"{indent}  ", width)
    return style.painted(mark, PAINTS[row.level]) + "\n".join(lines).removeprefix(mark)


def _wrapped(text: str, first: str, indent: str, width: int) -> list[str]:
    words = "".join(one if one.isprintable() else " " for one in text)
    return textwrap.wrap(
        " ".join(words.split()),
        max(NARROWEST, width),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def total(rows: Sequence[Row]) -> str:
    """Return how many rows there are of each level, and what finding out cost."""
    bad, odd = count(rows, Level.PROBLEM), count(rows, Level.WARNING)
    parts = [counted(bad, "problem") if bad else "no problems"]
    parts += [counted(odd, "warning")] if odd else []
    parts += [f"{count(rows, Level.OK)} ok"]
    said = ", ".join(parts)
    if any(row.about == "live" for row in rows):
        said += f"; the calls cost {cost_words(rows)}"
    return said


def cost_words(rows: Sequence[Row]) -> str:
    """Return what the calls cost that were made."""
    known = sum(row.usd or 0.0 for row in rows)
    unknown = sum(row.usd is None for row in rows)
    if not unknown:
        return money(known)
    calls = counted(unknown, "unpriced call")
    return f"{money(known)} + {calls}" if known else calls
