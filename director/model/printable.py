"""Text that agents and tools wrote, made harmless for a terminal."""

from __future__ import annotations

import re

from director.model.patterns import lazy_pattern

ESCAPES = lazy_pattern(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
"""The sequences that set colours, move the cursor or set titles (ECMA-48)."""

STEERING = lazy_pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What moves the cursor, rings, reverses text or cannot be written; not line feed and tabulator."""


def printable(text: str) -> str:
    """Return ``text`` without escape sequences, and what else steers a terminal spelled out."""
    if text.replace("\n", "").replace("\t", "").isprintable():  # what steers is none of it
        return text
    return STEERING.sub(_spelled, ESCAPES.sub("", text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """Return ``text`` as one printable line, its white space as single blanks."""
    return printable(" ".join(printable(text).split()))


def _spelled(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
