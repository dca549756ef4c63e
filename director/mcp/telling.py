"""What happens while a command runs, as notifications: how far it is, and what to log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from director.mcp.protocol import Id, Object, notification
from director.model.printable import one_line
from director.records.events import Event, Kind
from director.reporting.live.words import words_of

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
USUAL_LEVEL = "warning"  # until the client asks for another
STEP_SECS = 1.0  # between two notifications of what an agent is doing


class Teller:
    """Sends what happens in one call to the client.

    ``token`` None: the client does not want to know how far it is. ``level`` says from which level
    on the client wants log messages now.
    """

    def __init__(
        self,
        token: Id | None,
        send: Callable[[Object], None],
        level: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token = token
        self._send = send
        self._level = level
        self._clock = clock
        self._began = clock()
        self._last_step = self._began - STEP_SECS
        self._count = 0

    def tell(self, said: Object | None) -> None:
        """Tell of an event as ``--events`` prints it; None: of the time that went by."""
        if said is None:
            self._progress(f"still at work after {self._clock() - self._began:.0f} s")
            return
        event = event_of(said)
        text = text_of(event) if event else ""
        if event is None or not text or self._is_too_soon(event):
            return
        self._progress(text)
        level = level_of(event)
        if LEVELS.index(level) >= LEVELS.index(self._level()):
            params = {"level": level, "logger": "director", "data": text}
            self._send(notification("notifications/message", params))

    def _is_too_soon(self, event: Event) -> bool:
        """Whether a step of an agent follows another one closely."""
        if event.kind is not Kind.CALL_PROGRESS:
            return False
        now = self._clock()
        if now - self._last_step < STEP_SECS:
            return True
        self._last_step = now
        return False

    def _progress(self, text: str) -> None:
        if self._token is None:
            return
        self._count += 1
        params = {"progressToken": self._token, "progress": self._count, "message": text}
        self._send(notification("notifications/progress", params))


def event_of(said: Mapping[str, Any]) -> Event | None:
    """Return the event in a line of ``--events``, None where it is none that is known."""
    try:
        kind = Kind(str(said.get("kind")))
    except ValueError:
        return None
    data = {key: value for key, value in said.items() if key not in ("kind", "ts", "node")}
    return Event(kind, str(said.get("ts")), said.get("node"), data)


def text_of(event: Event) -> str:
    """Return one printable line for an event, "" for what is not worth one."""
    if event.kind is Kind.CALL_PROGRESS:
        parts = (event.data.get(key) for key in ("role", "tool", "argument"))
        text = one_line(" ".join(str(part) for part in parts if part))[:200]
    else:
        text = words_of(event) or ""
    return f"{event.node}: {text}" if event.node and text else text


def level_of(event: Event) -> str:
    """Return the level at which an event is logged."""
    if event.kind is Kind.CALL_PROGRESS:
        return "debug"
    if event.kind in (Kind.PROVIDER_FAULT, Kind.ATTEMPT_FAILED):
        return "warning"
    return "notice" if event.kind is Kind.NOTICE else "info"
