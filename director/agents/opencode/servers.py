"""The warm OpenCode of one run: a server for all lanes, replaced when it is old, large or dead."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from director.agents.opencode.server_error import ServerError
from director.model.errors import DirectorError
from director.records.events import Events, Kind

if TYPE_CHECKING:
    from director.agents.opencode.server import Server

DEATHS_BORNE = 3
MIB = 2**20


class Bounds(NamedTuple):
    """When a server takes no more sessions: after ``sessions``, or when it holds ``max_mib``.

    ``max_mib`` 0: however large it is. Its size is looked at every ``look_secs`` at most, and not
    before it has had ``least_sessions``: one is soon as large as the last where the bound is low.
    """

    sessions: int = 40  # it keeps 1 MiB of each at least, and 7 of long ones
    max_mib: int = 0
    look_secs: float = 5.0
    least_sessions: int = 4


USUAL = Bounds()


class _Place:
    """A server that may have sessions. ``taken`` were begun, ``open_now`` are not over yet."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.taken = 0
        self.open_now = 0
        self.looked_at = 0.0  # when it was seen how large it is


class Servers:
    """At most one server at a time takes new sessions. For any number of threads.

    ``start`` returns one that is ready, or raises ServerError, also soon after ``closing`` is set.
    When it fails, or a server dies too often, there is none from then on; one event tells.
    """

    def __init__(
        self,
        start: "Callable[[threading.Event], Server] | None",
        events: Events,
        bounds: Bounds = USUAL,
    ) -> None:
        self._start = start
        self._events = events
        self._bounds = bounds
        self._choosing = threading.Lock()  # one thread at a time starts a server, or has one go
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._warming: threading.Thread | None = None
        self._place: _Place | None = None
        self._deaths = 0
        self._passed_by: set[str] = set()
        self.version = ""  # of the server that started last

    def warm(self) -> None:
        """Start a server in the background where there is none: a call will come soon."""
        with self._lock:
            if self._place or self._warming or self._start is None:
                return
            self._warming = threading.Thread(target=self._warm, daemon=True)
            self._warming.start()

    @contextmanager
    def lease(self) -> "Iterator[Server | None]":
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

    def stop_starting(self) -> None:
        """Start none any more: no call is going to be made."""
        self._closing.set()

    def close(self) -> None:
        """End the server, if there is one, or the start of one."""
        self._closing.set()
        with self._choosing:
            self._start = None
            with self._lock:
                place, self._place = self._place, None
        if place:
            place.server.end()
        if self._warming:
            self._warming.join()

    def _warm(self) -> None:
        with suppress(DirectorError):  # the first call meets it again
            self._choose(sessions=0)

    def _enter(self) -> _Place | None:
        return self._choose(sessions=1)

    def _choose(self, sessions: int) -> _Place | None:
        """Return the place where ``sessions`` begin now; it is started where there is none."""
        with self._choosing:
            old = self._used_up()
            if self._place is None and self._start and not self._closing.is_set():
                self._place = self._started(self._start)
            with self._lock:
                place = self._place
                if place:
                    place.taken += sessions
                    place.open_now += sessions
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
        """Let no new session begin on a server that is dead, or has reached a bound.

        Returns it where it has to be ended now: else its last session does.
        """
        place = self._place
        if place is None:
            return None
        alive = place.server.alive()
        if alive and place.taken < self._bounds.sessions and not self._is_too_large(place):
            return None
        self._deaths += not alive
        with self._lock:
            self._place = None
            idle = not place.open_now
        if self._deaths >= DEATHS_BORNE:
            self._give_up("it died too often")
        return place if idle or not alive else None

    def _is_too_large(self, place: _Place) -> bool:
        """Whether a server holds more memory than it may; looked at now and then, and told."""
        bounds, now = self._bounds, time.monotonic()
        if not bounds.max_mib or place.taken < bounds.least_sessions:
            return False
        if place.looked_at and now - place.looked_at < bounds.look_secs:
            return False
        place.looked_at = now
        held = place.server.held_bytes()
        if held is None or held <= bounds.max_mib * MIB:
            return False
        grown = f"it holds {held / MIB:,.0f} MiB after {place.taken} calls"
        allowed = f"[opencode] server_max_mib is {bounds.max_mib}"
        self._events.notice(f"another OpenCode server takes over: {grown}, {allowed}")
        return True

    def _started(self, start: "Callable[[threading.Event], Server]") -> _Place | None:
        try:
            server = start(self._closing)
            self.version = server.version
            return _Place(server)
        except ServerError as error:
            if not self._closing.is_set():
                self._give_up(str(error))
            return None

    def _give_up(self, reason: str) -> None:
        self._start = None
        self._events.emit(
            Kind.NOTICE,
            message=f"no OpenCode server ({reason}): each call starts an OpenCode of its own",
        )
