"""Reading files that others wrote: as much as is worth it, and never an error."""

from __future__ import annotations

from pathlib import Path

LONGEST = 1_000_000  # bytes


def text_of(path: Path) -> str:
    """Return the beginning of a file; "" where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(LONGEST).decode(errors="surrogateescape")
    except OSError:
        return ""
