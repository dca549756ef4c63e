"""A server's events in the words of ``opencode run --format json``: one spelling on record."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

KINDS = {
    "text": "text",
    "tool": "tool_use",
    "step-start": "step_start",
    "step-finish": "step_finish",
}
RUNNING = "running"
SETTLED = ("completed", "error")
LONG = 1000  # characters: an argument that is longer is a content, not what a tool is about


class Narrator:
    """Tells of one session, everything once, and knows whether it is ``over`` or has ``failed``.

    ``clock`` gives the seconds since 1970: a server does not say when an event was.
    """

    def __init__(self, session: str, clock: Callable[[], float] = time.time) -> None:
        self.over = False
        self.failed = False
        self._clock = clock
        self._session = session
        self._busy = False
        self._told: set[str] = set()
        self._begun_tools: set[str] = set()

    def line(self, event: dict[str, Any]) -> dict[str, Any] | None:
        """Return the line that ``opencode run`` would print for ``event``, if any.

        Three kinds of line are told besides, which it does not print: ``retry`` (a provider
        failed, ``next`` is when it is tried again, in milliseconds since 1970), ``permission``
        (one was asked for) and ``tool_begun`` (a tool runs now; only what it is about is told).
        """
        if not self.concerns(event):
            return None
        found = event["properties"]
        match event.get("type"):
            case "message.part.updated":
                return self._part(found.get("part"))
            case "session.error":
                self.failed = True
                self.over = self.over or not self._busy  # it never began: no end will be told
                return self._line("error", error=found.get("error"))
            case "session.status":
                return self._status(found.get("status"))
            case "permission.asked":
                asked = {key: found.get(key) for key in ("permission", "patterns")}
                return self._line("permission", **asked)
        return None

    def concerns(self, event: dict[str, Any]) -> bool:
        """Whether an event is about this session."""
        found = event.get("properties")
        found = found if isinstance(found, dict) else {}
        part = found.get("part")
        inner = part.get("sessionID") if isinstance(part, dict) else None
        return self._session in (found.get("sessionID"), inner)

    def _part(self, part: object) -> dict[str, Any] | None:
        if not isinstance(part, dict) or part.get("id") in self._told:
            return None
        kind = KINDS.get(str(part.get("type")))
        if kind is None:
            return None
        if not _settled(part):
            return self._begun(part)
        self._told.add(str(part.get("id")))
        return self._line(kind, part=part)

    def _begun(self, part: dict[str, Any]) -> dict[str, Any] | None:
        about = _about(part.get("state")) if part["type"] == "tool" else {}
        if not about or part.get("id") in self._begun_tools:
            return None
        self._begun_tools.add(str(part.get("id")))
        state = {"status": RUNNING, "input": about}
        return self._line("tool_begun", part={**part, "state": state})

    def _status(self, status: object) -> dict[str, Any] | None:
        status = status if isinstance(status, dict) else {}
        if status.get("type") == "retry":
            told = {key: status.get(key) for key in ("attempt", "message", "next")}
            return self._line("retry", **told)
        self.over = self.over or (self._busy and status.get("type") == "idle")
        self._busy = status.get("type") == "busy"
        return None

    def _line(self, kind: str, **fields: Any) -> dict[str, Any]:
        at = round(self._clock() * 1000)
        return {"type": kind, "timestamp": at, "sessionID": self._session, **fields}


def _about(state: object) -> dict[str, str]:
    """Return the short arguments of a tool that runs; {} for one that does not."""
    state = state if isinstance(state, dict) else {}
    given = state.get("input") if state.get("status") == RUNNING else None
    items = given.items() if isinstance(given, dict) else ()
    short = {key: one for key, one in items if isinstance(one, str) and len(one) <= LONG}
    return {key: one for key, one in short.items() if not key.endswith(("String", "ontent"))}


def _settled(part: dict[str, Any]) -> bool:
    """Whether nothing more will be said of a part."""
    if part["type"] == "text":
        timed = part.get("time")
        return isinstance(timed, dict) and bool(timed.get("end"))
    if part["type"] == "tool":
        state = part.get("state")
        return isinstance(state, dict) and state.get("status") in SETTLED
    return True
