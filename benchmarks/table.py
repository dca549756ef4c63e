"""The results as a Markdown table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.measuring import Cell, NotMeasured, Result, Samples

EMPTY = ""


def markdown(results: Sequence[Result], columns: Sequence[str]) -> str:
    """Return one table: a row for each thing measured, medians and ranges in the cells."""
    header = ("scenario", "measured", "unit", "goal", *columns)
    lines = [_row(header), _row(["---"] * 4 + ["---:"] * len(columns))]
    notes: dict[str, int] = {}
    goals = {(one.scenario, one.what, one.unit): one.goal for one in results if one.goal}
    for key, cells in rows(results).items():
        shown = [_shown(cells[one], notes) if one in cells else EMPTY for one in columns]
        lines.append(_row((*key, goals.get(key, EMPTY), *shown)))
    if notes:
        lines += ["", *(f"{number}. not measured: {reason}" for reason, number in notes.items())]
    return "\n".join(lines)


def rows(results: Sequence[Result]) -> dict[tuple[str, str, str], dict[str, Cell]]:
    """Return (scenario, what, unit) → column → cell, in the order of their first results."""
    found: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for one in results:
        found.setdefault((one.scenario, one.what, one.unit), {})[one.column] = one.cell
    return found


def as_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return one object for each result."""
    return [
        {
            "scenario": one.scenario,
            "what": one.what,
            "unit": one.unit,
            "column": one.column,
            **({"goal": one.goal} if one.goal else {}),
            **_cell_as_json(one.cell),
        }
        for one in results
    ]


def number(value: float) -> str:
    """Return a number with two or three digits that count, down to thousandths."""
    size = abs(value)
    digits = 3 if size < 1 else 2 if size < 10 else 1 if size < 100 else 0
    return f"{value:,.{digits}f}"


def _cell_as_json(cell: Cell) -> dict[str, Any]:
    if isinstance(cell, NotMeasured):
        return {"not_measured": cell.reason}
    return {"median": cell.median, "low": cell.low, "high": cell.high, "values": list(cell.values)}


def _shown(cell: Cell, notes: dict[str, int]) -> str:
    if isinstance(cell, NotMeasured):
        if cell.limit_secs is not None:
            return f"> {cell.limit_secs:g} s"
        at = notes.setdefault(cell.reason, len(notes) + 1)
        return f"not measured ({at})"
    return _samples(cell)


def _samples(samples: Samples) -> str:
    middle, low, high = map(number, (samples.median, samples.low, samples.high))
    return middle if low == high else f"{middle} ({low}–{high})"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
