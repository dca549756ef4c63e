"""The warm OpenCode of one run: a server for all lanes, replaced when it is old or dead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from director.agents.calls import ServerError
from director.records.events import Events, Kind

if TYPE_CHECKING:
    from director.agents.server import Server

SESSIONS_EACH = 40  # a server keeps some 15 MB of every session it had
DEATHS_BORNE = 3


@dataclass
class _Place:
    """A server that may have sessions. ``taken`` were begun, ``open_now`` are not over yet."""

    server: Server
    taken: int = 0
    open_now: int = 0
    retired: bool = field(default=False)


class Servers:
    """At most one server at a time takes new sessions. For any number of threads.

    ``start`` returns one that is ready or raises ServerError. When that fails, or a server dies
    too often, there is none from then on; one event tells.
    """

    def __init__(self, start: Callable[[], Server] | None, events: Events) -> None:
        self._start = start
        self._events = events
        self._turn = threading.Lock()
        self._place: _Place | None = None
        self._deaths = 0
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

    def close(self) -> None:
        """End the server, if there is one."""
        with self._turn:
            self._start = None
            if self._place:
                self._place.server.end()
                self._place = None

    def _enter(self) -> _Place | None:
        with self._turn:
            self._retire_what_is_used_up()
            if self._place is None and self._start:
                self._place = self._started(self._start)
            if self._place:
                self._place.taken += 1
                self._place.open_now += 1
            return self._place

    def _leave(self, place: _Place) -> None:
        with self._turn:
            place.open_now -= 1
            if place.retired and not place.open_now:
                place.server.end()

    def _retire_what_is_used_up(self) -> None:
        """Let no new session begin on a server that is dead, or has had as many as it may."""
        if self._place is None:
            return
        alive = self._place.server.alive()
        if alive and self._place.taken < SESSIONS_EACH:
            return
        self._deaths += not alive
        self._place.retired = True
        if not self._place.open_now or not alive:
            self._place.server.end()
        self._place = None
        if self._deaths >= DEATHS_BORNE:
            self._give_up("it died too often")

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
            Kind.NOTICE, message=f"no OpenCode server ({reason}): each call starts OpenCode anew"
        )
