"""Agent files: a YAML header between ``---`` lines, then the prompt.

Reads the part of YAML that such headers use: scalars and nested maps by indentation. Anything
else is an error, never a guess.
"""

from __future__ import annotations

import json
import re

from director.model.patterns import lazy_pattern

Value = str | int | float | bool | dict[str, "Value"]
_LINE = lazy_pattern(
    r"""(?P<indent> *)(?P<key>"[^"]*"|'[^']*'|[^\s:#'"][^:#]*?)\s*:(?:\s+(?P<value>.*))?$"""
)
_WORDS: dict[str, bool] = {"true": True, "false": False}


class FrontmatterError(Exception):
    """A header that cannot be read; the text names the line."""


def split_frontmatter(text: str) -> tuple[dict[str, Value], str]:
    """Return the header as a map, and the prompt; raises FrontmatterError.

    A text without a header is all prompt.
    """
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return {}, text.strip()
    for end, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            return _read_map(lines[1:end]), "\n".join(lines[end + 1 :]).strip()
    raise FrontmatterError("line 1: the header is not closed by a line '---'")


def _read_map(lines: list[str]) -> dict[str, Value]:
    root: dict[str, Value] = {}
    open_maps: list[tuple[int, dict[str, Value]]] = [(-1, root)]
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if not match:
            raise FrontmatterError(f"line {number}: {line.strip()!r} is not 'key: value'")
        indent = len(match["indent"])
        while indent <= open_maps[-1][0]:
            open_maps.pop()
        value = _scalar(match["value"] or "", number)
        open_maps[-1][1][match["key"].strip("\"'")] = value
        if isinstance(value, dict):
            open_maps.append((indent, value))
    return root


def _scalar(text: str, number: int) -> Value:
    text = text.strip()
    if text[:1] not in ("'", '"'):
        text = re.sub(r"\s+#.*$", "", text)
    if text == "" or text.startswith("#"):
        return {}
    if text[0] in "[{|>&*!":
        raise FrontmatterError(
            f"line {number}: {text!r} uses YAML that director does not read here"
        )
    if text[0] in "'\"":
        return _quoted(text, number)
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _quoted(text: str, number: int) -> str:
    closed = re.match(r"""("(?:\\.|[^"\\])*"|'(?:''|[^'])*')\s*(?:#.*)?$""", text)
    if not closed:
        raise FrontmatterError(f"line {number}: the quote in {text!r} is not closed")
    inner = closed[1]
    if inner[0] == "'":
        return inner[1:-1].replace("''", "'")
    try:
        return str(json.loads(inner))
    except ValueError:
        raise FrontmatterError(f"line {number}: {text!r} has an unknown escape") from None
