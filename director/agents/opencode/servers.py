"""The warm OpenCode of one run: a server for all lanes, replaced when it is old or dead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from director.agents.opencode.server_error import ServerError
from director.records.events import Events, Kind

if TYPE_CHECKING:
    from director.agents.opencode.server import Server

SESSIONS_EACH = 40  # a server keeps some 15 MB of every session it had
DEATHS_BORNE = 3


class _Place:
    """A server that may have sessions. ``taken`` were begun, ``open_now`` are not over yet."""

    def __init__(self, server: Server, taken: int = 0, open_now: int = 0) -> None:
        self.server = server
        self.taken = taken
        self.open_now = open_now


class Servers:
    """At most one server at a time takes new sessions. For any number of threads.

    ``start`` returns one that is ready or raises ServerError. When that fails, or a server dies
    too often, there is none from then on; one event tells.
    """

    def __init__(self, start: Callable[[], Server] | None, events: Events) -> None:
        self._start = start
        self._events = events
        self._lock = threading.Lock()
        self._place: _Place | None = None
        self._deaths = 0
        self._passed_by: set[str] = set()
        self.version = ""  # of the server that started last

    @contextmanager
    def lease(self) -> Iterator[Server | None]:
        """Give a server for one session, or None where there is none to be had."""
        place = self._enter()
        try:
            yield place.server if place else None
        finally:
            if place:
                self._leave(place)

    def pass_by(self, reason: str) -> None:
        """Note that a call has an OpenCode of its own, and why; one event for each reason."""
        with self._lock:
            known = reason in self._passed_by
            self._passed_by.add(reason)
        if not known:
            message = f"calls do not share an OpenCode server: {reason}"
            self._events.emit(Kind.NOTICE, message=message)

    def close(self) -> None:
        """End the server, if there is one."""
        with self._lock:
            self._start = None
            place, self._place = self._place, None
        if place:
            place.server.end()

    def _enter(self) -> _Place | None:
        with self._lock:
            old = self._used_up()
            if self._place is None and self._start:
                self._place = self._started(self._start)
            place = self._place
            if place:
                place.taken += 1
                place.open_now += 1
        if old:
            old.server.end()
        return place

    def _leave(self, place: _Place) -> None:
        with self._lock:
            place.open_now -= 1
            last = place is not self._place and not place.open_now
        if last:
            place.server.end()

    def _used_up(self) -> _Place | None:
        """Let no new session begin on a server that is dead, or has had as many as it may.

        Returns it where it has to be ended now: else its last session does.
        """
        place = self._place
        if place is None:
            return None
        alive = place.server.alive()
        if alive and place.taken < SESSIONS_EACH:
            return None
        self._deaths += not alive
        self._place = None
        if self._deaths >= DEATHS_BORNE:
            self._give_up("it died too often")
        return None if alive and place.open_now else place

    def _started(self, start: Callable[[], Server]) -> _Place | None:
        try:
            server = start()
            self.version = server.version
            return _Place(server)
        except ServerError as error:
            self._give_up(str(error))
            return None

    def _give_up(self, reason: str) -> None:
        self._start = None
        self._events.emit(
            Kind.NOTICE,
            message=f"no OpenCode server ({reason}): each call starts an OpenCode of its own",
        )
