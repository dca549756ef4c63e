"""What can be shown on a stream: how large its window is, and in which style."""

import codecs
import os
from collections.abc import Mapping
from typing import IO, NamedTuple

from director.reporting.terminal.style import USUAL, Style, style_of_width


class Window(NamedTuple):
    """The size of a terminal in cells."""

    width: int
    height: int


NO_SIZE = Window(USUAL, 24)  # of a stream that is no terminal, or one that does not say it


def window_of(stream: IO[str]) -> Window:
    """Return the size of the terminal that ``stream`` goes to, as it is now."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return NO_SIZE
    return Window(size.columns or NO_SIZE.width, size.lines or NO_SIZE.height)


def width_for(stream: IO[str], env: Mapping[str, str]) -> int:
    """Return how wide lines on ``stream`` may be. COLUMNS counts before what a terminal says."""
    said = env.get("COLUMNS", "")
    asked = int(said) if said.isascii() and said.isdecimal() else 0
    return asked or window_of(stream).width


def style_for(stream: IO[str], env: Mapping[str, str], *, colour: bool) -> Style:
    """Return the style in which to write to a stream."""
    width, unicode = width_for(stream, env), shows_unicode(getattr(stream, "encoding", None))
    style = style_of_width(width, colour=colour, unicode=unicode)
    return style if unicode else style._replace(width=style.width - 1)  # "->" is wider than "→"


def shows_unicode(encoding: str | None) -> bool:
    """Whether a stream of this ``encoding`` shows more than ASCII."""
    try:
        return codecs.lookup(encoding or "ascii").name == "utf-8"
    except LookupError:
        return False
