"""A scripted model on loopback, whose API is a dialect: streamed answers, faults included.

Which turn is due is read from the request: it is the number of answers since the last prompt.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any, Protocol

from director.demo.loopback import Answering, LoopbackServer
from director.demo.model_server import Request
from director.demo.turns import Cut, Fault, Say, Silence
from tests.e2e.models.script import Flaky, Hang, Overlong, Script, Simple


class Dialect(Protocol):
    """One API: how its requests are read, and how it says a turn."""

    path: str
    """What requests for an answer are posted to; others get 404."""

    def read(self, body: dict[str, Any]) -> Request:
        """Return the request in ``body``. Raises ValueError for one that cannot be read."""
        ...

    def frames(self, request: Request, turn: Simple) -> Iterable[str]:
        """Return the frames of a streamed answer.

        Those of Cut and Hang end where the stream breaks off: after the text.
        """
        ...

    def whole(self, request: Request, turn: Simple) -> dict[str, Any]:
        """Return the answer to a request that does not want a stream."""
        ...

    def overlong(self) -> Fault:
        """Return what the provider says to a prompt that is too long."""
        ...

    def tools(self, body: dict[str, Any]) -> set[str]:
        """Return the names of the tools that are offered to the model."""
        ...

    def system(self, body: dict[str, Any]) -> str:
        """Return what the model is told before the conversation."""
        ...


class ScriptedServer(LoopbackServer):
    """Serves ``script`` in ``dialect`` while the context is open.

    ``requests`` are all that arrived, in their order; ``headers`` are theirs (lower case), and
    ``strays`` the method and path of whatever else was asked. All stay readable afterwards.
    """

    def __init__(self, dialect: Dialect, script: Script) -> None:
        super().__init__(_Handler)
        self.dialect = dialect
        self.requests: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.strays: list[str] = []
        self._script = script
        self._lock = threading.Lock()

    def turn_for(self, request: Request, headers: dict[str, str]) -> Simple:
        """Return what the model does now; a script that is over repeats its last turn."""
        with self._lock:
            place = (request.model, request.prompt, request.turn)
            earlier = sum((one.model, one.prompt, one.turn) == place for one in self.requests)
            self.requests.append(request)
            self.headers.append(headers)
        conversation = self._script(request.model, request.prompt)
        if not conversation:
            return Say("The script has nothing to say.")
        turn = conversation[min(request.turn, len(conversation) - 1)]
        if isinstance(turn, Flaky):
            turn = turn.first if earlier < turn.times else turn.then
        return self.dialect.overlong() if isinstance(turn, Overlong) else turn


class _Handler(Answering):
    def posted(self, content: bytes) -> None:
        owner = self._owner
        if self.path.partition("?")[0] != owner.dialect.path:
            return self._stray()
        try:
            request = owner.dialect.read(json.loads(content))
        except (ValueError, AttributeError) as error:
            return self.send_whole(400, json.dumps({"error": {"message": str(error)}}))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self._answer(request, owner.turn_for(request, headers))

    def asked(self) -> None:
        self._stray()

    @property
    def _owner(self) -> ScriptedServer:
        owner = self.server.owner
        assert isinstance(owner, ScriptedServer)
        return owner

    def _stray(self) -> None:
        self._owner.strays.append(f"{self.command} {self.path}")
        self.send_whole(404, '{"error": {"message": "not served"}}')

    def _answer(self, request: Request, turn: Simple) -> None:
        owner = self._owner
        match turn:
            case Fault(status, body, headers):
                self.send_whole(status, body, headers.items())
            case Silence(secs):
                owner.stopping.wait(secs)
            case Cut() | Hang():
                self.send_stream(owner.dialect.frames(request, turn))
                if isinstance(turn, Hang):
                    owner.stopping.wait(turn.secs)
            case _ if request.body.get("stream"):
                self.send_stream(owner.dialect.frames(request, turn))
            case _:
                self.send_whole(200, json.dumps(owner.dialect.whole(request, turn)))


def frame(event: dict[str, Any]) -> str:
    """Return a server-sent event whose name is its ``type``."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
