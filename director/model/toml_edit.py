"""Single keys of a TOML text, set in place: comments, order and all else stay as they are."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from director.model.errors import RequestError
from director.model.patterns import lazy_pattern

BARE = lazy_pattern(r"[A-Za-z0-9_-]+")
HEADER = lazy_pattern(r"\s*\[")
Path = tuple[str, ...]


def parse_assignment(text: str) -> tuple[Path, object]:
    """Return key and value of ``tiers.planner=anthropic/x``; what is no TOML value is a string.

    Raises RequestError for what is no assignment.
    """
    for place in (found.start() for found in re.finditer("=", text)):
        try:
            path = _only_path(tomllib.loads(f"{text[:place]} = 0"))
        except tomllib.TOMLDecodeError:
            continue
        return path, _value(text[place + 1 :].strip())
    raise RequestError(
        f"--set {text} does not set a key", "write it as --set tiers.planner=PROVIDER/MODEL"
    )


def _only_path(document: Mapping[str, Any]) -> Path:
    ((key, inner),) = document.items()
    return (key, *(_only_path(inner) if isinstance(inner, dict) else ()))


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def set_key(text: str, path: Path, value: object) -> str:
    """Return ``text`` with a key set: where it stands, else in its section, else at the end.

    RequestError where the text says it in a way that cannot be edited safely.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    begin, end = _section(lines, path[:-1])
    if begin is None:
        new = _appended(lines, path, value)
    elif (number := _line_of_key(lines, begin, end, path[-1])) is not None:
        new = _replaced(lines, number, end, value)
    else:
        new = _inserted(lines, begin, end, path[-1], value)
    edited = "".join(new)
    if _read(edited) != _with(_read(text), path, value):
        raise RequestError(
            f"{_dotted(path)} cannot be set in place", "edit the configuration by hand"
        )
    return edited


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _with(document: dict[str, Any] | None, path: Path, value: object) -> dict[str, Any]:
    """Return what the document must say afterwards."""
    found, key = document or {}, path[0]
    inner = found.get(key)
    if len(path) == 1:
        return {**found, key: value}
    return {**found, key: _with(inner if isinstance(inner, dict) else {}, path[1:], value)}


def _section(lines: Sequence[str], section: Path) -> tuple[int | None, int]:
    """Return where a section begins (after its header) and ends; None: there is none."""
    headers = [number for number, line in enumerate(lines) if HEADER.match(line)]
    if not section:
        return 0, headers[0] if headers else len(lines)
    for place, number in enumerate(headers):
        try:
            found = _path_of_header(lines[number])
        except (tomllib.TOMLDecodeError, ValueError):
            continue
        if found == section:
            return number + 1, [*headers, len(lines)][place + 1]
    return None, len(lines)


def _path_of_header(line: str) -> Path:
    return _only_path(tomllib.loads(f"{line}\nx = 0\n"))[:-1]


def _line_of_key(lines: Sequence[str], begin: int, end: int, key: str) -> int | None:
    """Return the number of the line that sets a key; lines inside of values do not count."""
    number = begin
    while number < end:
        name, _, rest = lines[number].partition("=")
        if not rest or lines[number].lstrip().startswith("#"):
            number += 1
            continue
        if name.strip().strip("\"'") == key:
            return number
        number += _length(lines, number, end)
    return None


def _length(lines: Sequence[str], number: int, end: int) -> int:
    """Return how many lines the value that begins on a line takes."""
    for count in range(1, end - number + 1):
        if _read("".join(lines[number : number + count])) is not None:
            return count
    return 1


def _replaced(lines: Sequence[str], number: int, end: int, value: object) -> list[str]:
    count = _length(lines, number, end)
    name, _, rest = "".join(lines[number : number + count]).partition("=")
    blank = re.match(r"[ \t]*", rest)
    comment = next(
        (
            rest[place:].strip()
            for place in (found.start() for found in re.finditer("#", rest))
            if "\n" not in rest[place:].strip() and _read(f"x = {rest[:place]}") is not None
        ),
        "",
    )
    line = f"{name}={blank[0] if blank else ' '}{_words(value)}"
    return [*lines[:number], f"{line}   {comment}".rstrip() + "\n", *lines[number + count :]]


def _inserted(lines: Sequence[str], begin: int, end: int, key: str, value: object) -> list[str]:
    """Put a key after the last one of its section."""
    after = number = begin
    while number < end:
        if "=" in lines[number] and not lines[number].lstrip().startswith("#"):
            number += _length(lines, number, end)
            after = number
        else:
            number += 1
    return [*lines[:after], f"{_name(key)} = {_words(value)}\n", *lines[after:]]


def _appended(lines: Sequence[str], path: Path, value: object) -> list[str]:
    start = "\n" if lines and lines[-1].strip() else ""
    header = f"{start}[{_dotted(path[:-1])}]\n"
    return [*lines, header, f"{_name(path[-1])} = {_words(value)}\n"]


def _dotted(path: Path) -> str:
    return ".".join(map(_name, path))


def _name(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _words(value: object) -> str:
    """Return a value as TOML spells it; JSON's strings, numbers, lists and booleans are TOML's."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_name(key)} = {_words(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_words, value))}]"
    return json.dumps(value, ensure_ascii=False, default=str)
