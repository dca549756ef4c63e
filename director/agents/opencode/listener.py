"""Hearing what happens in one folder on a server, for one session after another."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from director.agents.opencode.server_error import ServerError

Hear = Callable[[dict[str, Any] | None], None]
"""Is told each event, in another thread; None: no more will come."""


class Stream(Protocol):
    """Events as they come, until it is closed."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give the events; ServerError where none are to be had."""
        ...

    def close(self) -> None:
        """End the stream, whoever waits for the next event."""
        ...


class Listener:
    """Reads the events of a folder as long as they come, and tells whoever hears them now.

    ``heard``: that events come, or that none do; then ``problem`` says why.
    """

    def __init__(self, stream: Stream) -> None:
        self.heard = threading.Event()
        self.connected = False
        self.problem = "it ended in the middle of the call"
        self._over = threading.Event()
        self._stream = stream
        self._lock = threading.Lock()
        self._hear: Hear | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether events still come."""
        return self.connected and not self._over.is_set()

    def tell(self, hear: Hear | None) -> None:
        """Tell ``hear`` alone from now on, or nothing any more (None)."""
        with self._lock:
            self._hear = hear
            if hear and self._over.is_set():
                hear(None)

    def await_end(self, secs: float) -> None:
        """Wait until the server has ended the stream, ``secs`` at most; then it is closed."""
        self._over.wait(secs)
        self.close()

    def close(self) -> None:
        """Hear no more."""
        self._stream.close()
        self._thread.join()

    def _read(self) -> None:
        try:
            for event in self._stream:
                self.connected = True
                self.heard.set()
                self._pass_on(event)
        except ServerError as error:
            self.problem = str(error)
        finally:
            self._over.set()
            self.heard.set()
            self._pass_on(None)

    def _pass_on(self, event: dict[str, Any] | None) -> None:
        with self._lock:
            if self._hear:
                self._hear(event)


class Loaded(NamedTuple):
    """A folder as a server knows it: what hears its events, the digest of its settings.

    The digest is None where the folder cannot be kept.
    """

    listener: Listener
    settings: str | None
