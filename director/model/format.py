"""How numbers read."""

from __future__ import annotations

from collections.abc import Sequence


def money(usd: float | None) -> str:
    """Return US dollars, with the digits that matter; None is unknown."""
    if usd is None:
        return "unknown"
    return f"${usd:.2f}" if usd >= 1 or usd == 0 else f"${usd:.4f}"


def duration(secs: float) -> str:
    """Return seconds as people say them."""
    if secs < 60:
        return f"{secs:.1f} s"
    minutes, rest = divmod(round(secs), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def clock(secs: float) -> str:
    """Return seconds as a stop watch shows them."""
    minutes, rest = divmod(max(0, int(secs)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def size(count: int) -> str:
    """Return a number of bytes as people say it."""
    if count < 10**6:
        return f"{count / 10**3:.0f} kB"
    return f"{count / 10**6:.0f} MB" if count < 10**9 else f"{count / 10**9:.1f} GB"


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, in the plural where it needs one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def yes_no(value: bool | None, unknown: str = "–") -> str:
    """Return yes, no or ``unknown``."""
    return unknown if value is None else ("yes" if value else "no")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns as wide as their widest cell, two blanks apart."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
