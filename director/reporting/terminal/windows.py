"""What can be shown where a command prints: how wide the window is, and whether it has colours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from director.reporting.logs.step_view import NARROWEST, WIDEST, Style

WITHOUT_WINDOW = 80  # columns, in a pipe


def style_of(stream: IO[str], env: Mapping[str, str], *, colours: bool) -> Style:
    """Return how to write to a stream. COLUMNS counts before what the terminal says."""
    terminal = stream.isatty()
    unicode = _holds_unicode(stream)
    width = _columns(stream, env) if terminal or env.get("COLUMNS") else WITHOUT_WINDOW
    width = min(max(width, NARROWEST), WIDEST)
    return Style(width if unicode else width - 1, colours, unicode)  # "->" is wider than "→"


def _columns(stream: IO[str], env: Mapping[str, str]) -> int:
    with suppress(ValueError):
        if (said := int(env.get("COLUMNS", ""))) > 0:
            return said
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or WITHOUT_WINDOW
    return WITHOUT_WINDOW


def _holds_unicode(stream: IO[str]) -> bool:
    try:
        "→…─│✓".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
