"""What scripted models do, whichever API they speak: the demo's turns, and more ways to fail.

A tool call is written as OpenCode offers it (``read``, ``write``, ``edit``, ``bash`` and their
arguments); a dialect says it in the words of its own agent, and passes on names it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from director.demo import turns


@dataclass(frozen=True)
class Length:
    """The model is stopped by its limit of tokens after ``text``."""

    text: str


@dataclass(frozen=True)
class StreamError:
    """The provider starts to answer and reports an error inside the stream."""

    message: str = "Overloaded"


@dataclass(frozen=True)
class Hang:
    """The provider sends ``text`` and then nothing for ``secs`` seconds, the stream open."""

    text: str
    secs: float


@dataclass(frozen=True)
class Overlong:
    """The prompt is too long for the model: said in the words of the provider."""


@dataclass(frozen=True)
class Flaky:
    """The first ``times`` requests for this turn get ``first``, later ones get ``then``."""

    first: Simple
    then: Simple
    times: int = 1


Simple: TypeAlias = turns.Turn | Length | StreamError | Hang | Overlong
Turn: TypeAlias = Simple | Flaky
Script: TypeAlias = Callable[[str, str], Sequence[Turn]]
"""The model's name and the prompt → its conversation (asked again for every request)."""
