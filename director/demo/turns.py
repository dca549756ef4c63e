"""What a scripted model does: a conversation is a list of these, one for each of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from director.model.values import dataclass, field


@dataclass(frozen=True)
class Call:
    """One tool call, with the tool's name and arguments as OpenCode offers them to a model."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Use:
    """The model calls tools, and then sees what they say."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Say:
    """The model answers with a text and is done."""

    text: str


@dataclass(frozen=True)
class Fault:
    """The provider refuses: an HTTP ``status`` with ``body`` (JSON text) and more headers."""

    status: int
    body: str = '{"error": {"message": "scripted fault", "type": "scripted"}}'
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The provider breaks off in the middle of its answer, after ``text``."""

    text: str = ""


@dataclass(frozen=True)
class Silence:
    """The provider takes the request and says nothing for ``secs`` seconds, then hangs up."""

    secs: float


Turn: TypeAlias = Use | Say | Fault | Cut | Silence


def write(path: str, content: str) -> Use:
    """Return the turn that writes a whole file (``path`` relative to the worktree)."""
    return Use((Call("write", {"filePath": path, "content": content}),))


def read(path: str) -> Use:
    """Return the turn that reads a file."""
    return Use((Call("read", {"filePath": path}),))


def edit(path: str, old: str, new: str) -> Use:
    """Return the turn that replaces the one occurrence of ``old`` in a file."""
    return Use((Call("edit", {"filePath": path, "oldString": old, "newString": new}),))


def shell(command: str, description: str = "Runs a command") -> Use:
    """Return the turn that runs a shell command in the worktree."""
    return Use((Call("bash", {"command": command, "description": description}),))
