"""One call to a role: what is asked, and what came of it."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from director.agents.transcript import FaultKind, Transcript
from director.model.roles import Agent, Role


class Outcome(StrEnum):
    """How a call ended. Only the first three are the model's own doing."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    TIMED_OUT = "timed out"
    CONTEXT_TOO_LONG = "context too long"
    PROVIDER_FAULT = "provider fault"
    AGENT_FAULT = "agent fault"
    OVER_BUDGET = "over budget"
    CANCELLED = "cancelled"
    LOST = "lost"


def _ignore(_transcript: Transcript) -> None:
    """Ignore the transcript: nothing watches it."""


class Assignment(NamedTuple):
    """One call: who is asked, on which tier, in which folder, and what it may edit.

    ``name`` names its note and, unless ``log`` does, its logs; ``node`` and ``attempt`` say what it
    is recorded under.
    ``memo`` is what the asker needs to continue when director is killed meanwhile (JSON values).
    ``look`` is shown the transcript again and again while the call runs.
    """

    agent: Agent
    role: Role
    prompt: str
    cwd: Path
    name: str
    allowlist: tuple[str, ...] = ()
    node: str | None = None
    attempt: int | None = None
    memo: Mapping[str, Any] = {}
    log: str = ""
    look: Callable[[Transcript], None] = _ignore


class Reply(NamedTuple):
    """What came of a call. ``reason`` is one sentence when it did not complete.

    ``kind``: what can be done about the fault that ended it. ``model`` is what was asked, as in
    ``[tiers]``, which may name another one since.
    """

    outcome: Outcome
    transcript: Transcript
    reason: str
    wall_secs: float
    log: Path
    kind: FaultKind = FaultKind.TRANSIENT
    model: str = ""


Spending = Callable[[Transcript], str | None]
"""Told the transcript while it grows; a sentence it returns ends the call."""
