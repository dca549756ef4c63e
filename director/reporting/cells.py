"""Text in columns of a terminal: how wide it is there, cut to fit, and safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

NARROWEST = 40
WIDEST = 200
TAB = "    "


def safe(text: str) -> str:
    """Return ``text`` without what would steer a terminal; its lines stay."""
    return "".join(map(_shown, text.replace("\r\n", "\n").replace("\t", TAB)))


def one_line(text: str) -> str:
    """Return ``text`` as one line that can be printed."""
    return " ".join(safe(text).split())


def _shown(letter: str) -> str:
    if letter == "\n" or letter.isprintable():
        return letter
    return letter.encode("unicode_escape").decode()


def width_of(text: str) -> int:
    """Return how many columns a line takes: wide characters take two, combining ones none."""
    return sum(map(_columns, text))


def _columns(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns; what is cut ends in an ellipsis."""
    if width_of(text) <= width:
        return text
    kept, room = "", width - 1
    for letter in text:
        room -= _columns(letter)
        if room < 0:
            break
        kept += letter
    return f"{kept.rstrip()}…" if width > 0 else ""


def padded(text: str, width: int) -> str:
    """Return ``text`` cut or filled up to ``width`` columns."""
    short = cut(text, width)
    return short + " " * (width - width_of(short))


def wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    """Give ``text`` in lines of at most ``width`` columns; no word is broken that fits in one."""
    line = indent
    for word in text.split():
        joined = f"{line}{word}" if line == indent else f"{line} {word}"
        if width_of(joined) > width and line != indent:
            yield line
            joined = f"{indent}{word}"
        line = joined
    if line.strip():
        yield line
