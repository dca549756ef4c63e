"""Where a key stands in a text of TOML: the parser does not say."""

from __future__ import annotations

import re


def line_of(path: tuple[str, ...], text: str) -> int | None:
    """Return the line of a key, as far as the text shows it (1 is the first); None: it does not."""
    inside = len(path) == 1
    section = re.compile(rf"\s*\[+\s*{_dotted(path[:-1])}\s*\]")
    whole = re.compile(rf"\s*\[+\s*{_dotted(path)}\s*[\].]")
    key = re.compile(rf"\s*{_quoted(path[-1])}\s*[=.]")
    for number, line in enumerate(text.splitlines(), 1):
        if whole.match(line) or (inside and key.match(line)):
            return number
        if line.lstrip().startswith("["):
            inside = bool(len(path) > 1 and section.match(line))
    return None


def _dotted(path: tuple[str, ...]) -> str:
    return r"\s*\.\s*".join(map(_quoted, path))


def _quoted(part: str) -> str:
    return rf"[\"']?{re.escape(part)}[\"']?"
