"""The kinds of values in a configuration, each with what it must be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from director.model.codec.marks import Convert, DecodeWith, ErrorMessage, Validate, between, one_of
from director.model.codec.mistakes import guess, mismatch

LOCAL_PREFIX = "local/"
PLACEHOLDER = "PROVIDER/"
HIGHEST_LIMIT = 1_000_000_000
TOO_LARGE = 2**64  # for those who read a request
SANDBOX_MODES = ("auto", "protect", "strict", "off")
SANDBOX_PLACES = ("worktree", "scratch", "git", "repo", "home")


def _model_problems(model: str) -> Iterator[str]:
    if not re.fullmatch(r"[^/\s]+/\S+", model):
        yield f'must be "provider/model", not {model!r}'
    elif model.startswith(PLACEHOLDER):
        yield f"still names the example's {model!r}: put one of your models there"


def _unsendable(value: object) -> Iterator[str]:
    if not _can_be_sent(value):
        yield "must be finite numbers below 2**64, and no dates"


def _can_be_sent(value: object) -> bool:
    """Whether JSON can hold a value, and common readers the numbers in it."""
    match value:
        case dict():
            return all(map(_can_be_sent, value.values()))
        case list():
            return all(map(_can_be_sent, value))
        case int() | float():
            return abs(value) < TOO_LARGE  # never true of a NaN
        case _:
            return isinstance(value, str)


def _sandbox_command(given: object) -> tuple[str, ...]:
    """Return the words of a command, which is a list of them, or one string."""
    try:
        words = shlex.split(given) if isinstance(given, str) else given
    except ValueError as error:
        raise mismatch(f"cannot be split into words: {error}") from None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise mismatch("must be a list of strings, or one string")
    return tuple(words)


def _user_command(given: object) -> tuple[str, ...]:
    """Return the words of a command: a list of them, or one string for the shell."""
    if isinstance(given, str):
        return ("sh", "-c", given) if given.strip() else ()
    if not isinstance(given, list) or not all(isinstance(word, str) for word in given):
        raise mismatch("must be a list of strings, or a shell command (one string)")
    return tuple(given)


def _command_problems(command: str | tuple[str, ...]) -> Iterator[str]:
    if any("\0" in word for word in command):  # in a string: of its characters
        yield "must not contain a NUL character, which no command can be given"


def _emptiness(command: str) -> Iterator[str]:
    if not command.strip():
        yield "is empty: give a command, or remove the line"


def _filling_problems(words: tuple[str, ...]) -> Iterator[str]:
    for place in re.findall(r"\{(\w*)\}", " ".join(words)):
        if place not in SANDBOX_PLACES:
            meant = guess(place, SANDBOX_PLACES)
            yield f"names {{{place}}}, which is not a place director fills in ({meant})"


def _place_problems(places: tuple[str, ...]) -> Iterator[str]:
    for one in places:
        if not one.startswith(("/", "~/")) and one != "~":
            yield f'must be absolute paths, or paths that begin with "~/", not {one!r}'


def _path_problems(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        parts = path.split("/")
        if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
            yield f"must be paths inside the repository, relative to its root, not {path!r}"
        elif ".git" in parts or parts[0] == ".director":
            yield f"must be paths outside .git and .director, not {path!r}"


def _without_last_slash(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path.rstrip("/") for path in paths)


Model = Annotated[str, ErrorMessage('must be a string "provider/model"'), Validate(_model_problems)]
ShellCommand = Annotated[
    str, ErrorMessage("must be a shell command (a string)"), Validate(_command_problems)
]
GateCommand = Annotated[ShellCommand, Validate(_emptiness)]
GateCommands = Mapping[str, GateCommand]
Count = Annotated[int, between(1, HIGHEST_LIMIT)]
CountOrNone = Annotated[int, between(0, HIGHEST_LIMIT)]
Ceiling = Annotated[float, between(0, HIGHEST_LIMIT, " (0: no ceiling)")]
Number = Annotated[float, Validate(_unsendable)]
Whole = Annotated[int, Validate(_unsendable)]
Settings = Annotated[Mapping[str, Any], Validate(_unsendable)]
SandboxMode = Annotated[str, one_of(SANDBOX_MODES)]
SandboxCommand = Annotated[
    tuple[str, ...],
    DecodeWith(_sandbox_command),
    Validate(_filling_problems),
    Validate(_command_problems),
]
UserCommand = Annotated[tuple[str, ...], DecodeWith(_user_command), Validate(_command_problems)]
"""A command of the user's own, which nothing is filled in or confined in: its words."""
Places = Annotated[tuple[str, ...], Validate(_place_problems)]
"""On this machine: absolute, or below the home folder."""
Paths = Annotated[tuple[str, ...], Convert(_without_last_slash), Validate(_path_problems)]
"""Inside the repository, relative to its root."""
