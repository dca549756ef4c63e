"""The part of a backend that interprets what a call left: events and standard error."""

from typing import Any, NamedTuple, Protocol

from director.agents.calls import Outcome
from director.agents.transcript import FaultKind, Transcript

PERMISSION_ASKED = "a permission was asked for and rejected"


class CallEnd(NamedTuple):
    """How a call ended, and why in one sentence ("" when it completed).

    ``kind``: what can be done about it, where a fault ended it.
    """

    outcome: Outcome
    reason: str = ""
    kind: FaultKind = FaultKind.TRANSIENT


class EventReader(Protocol):
    """Reads one call. A new one for each call: it may keep what it has seen.

    It is also given what a killed run left, so it must not ask anything but its arguments.
    ``title`` is what people call the CLI. ``fragment`` stands in the lines of events that give a
    part of what a later line gives whole (b"": in none): they are not kept.
    """

    title: str
    fragment: bytes

    def take(self, event: dict[str, Any], transcript: Transcript) -> None:
        """Put one event (a JSON object) into the transcript; pass over what says nothing."""
        ...

    def failing(self, errors: bytes) -> str | None:
        """Take new whole lines of standard error; what a provider says that keeps failing."""
        ...

    def conclude(self, transcript: Transcript, errors: str) -> CallEnd | None:
        """Return how an exited call ended where only this CLI's words tell, from all ``errors``.

        None leaves it to the rules for all CLIs (``judging.judge``).
        """
        ...
