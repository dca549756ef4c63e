"""Terminal output as plain text."""

from __future__ import annotations

from director.model.patterns import lazy_pattern

ESCAPES = lazy_pattern(r"\x1b\[[\d;?]*[A-Za-z]")
"""The sequences that set colours and move the cursor (ECMA-48)."""


def plain_text(output: str) -> str:
    """Return ``output`` without escape sequences, its lines ended by a line feed."""
    return ESCAPES.sub("", output).replace("\r\n", "\n").replace("\r", "\n")
