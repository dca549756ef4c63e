"""A scripted model on loopback, whose API is a dialect: streamed answers, faults included.

Which turn is due is read from the request: it is the number of answers since the last prompt.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol

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


class ScriptedServer:
    """Serves ``script`` in ``dialect`` on 127.0.0.1 while the context is open.

    ``requests`` are all that arrived, in their order; ``headers`` are theirs (lower case), and
    ``strays`` the method and path of whatever else was asked. All stay readable afterwards.
    """

    def __init__(self, dialect: Dialect, script: Script) -> None:
        self.dialect = dialect
        self.requests: list[Request] = []
        self.headers: list[dict[str, str]] = []
        self.strays: list[str] = []
        self.stopping = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        self._http = _Http(self)

    @property
    def root_url(self) -> str:
        """The address without any path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def base_url(self) -> str:
        """The address with ``/v1``."""
        return f"{self.root_url}/v1"

    def __enter__(self) -> ScriptedServer:
        """Start to serve, on a thread of its own."""
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop to serve; answers that are under way are given up."""
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()

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


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a request that hangs on purpose must not hold up the end

    def __init__(self, owner: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is what some scripts are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        owner = self.server.owner
        self.close_connection = True
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.partition("?")[0] != owner.dialect.path:
            return self._stray()
        try:
            request = owner.dialect.read(json.loads(content))
        except (ValueError, AttributeError) as error:
            return self._whole(400, json.dumps({"error": {"message": str(error)}}))
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self._answer(request, owner.turn_for(request, headers))

    def do_GET(self) -> None:
        self.close_connection = True
        self._stray()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _stray(self) -> None:
        self.server.owner.strays.append(f"{self.command} {self.path}")
        self._whole(404, '{"error": {"message": "not served"}}')

    def _answer(self, request: Request, turn: Simple) -> None:
        owner = self.server.owner
        match turn:
            case Fault(status, body, headers):
                self._whole(status, body, headers.items())
            case Silence(secs):
                owner.stopping.wait(secs)
            case Cut() | Hang():
                self._stream(owner.dialect.frames(request, turn))
                if isinstance(turn, Hang):
                    owner.stopping.wait(turn.secs)
            case _ if request.body.get("stream"):
                self._stream(owner.dialect.frames(request, turn))
            case _:
                self._whole(200, json.dumps(owner.dialect.whole(request, turn)))

    def _whole(self, status: int, body: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        content = body.encode()
        self.send_response(status)
        defaults = {"content-type": "application/json", "connection": "close"}
        for name, value in {**defaults, **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _stream(self, frames: Iterable[str]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for frame in frames:
            self.wfile.write(frame.encode())
            self.wfile.flush()


def frame(event: dict[str, Any]) -> str:
    """Return a server-sent event whose name is its ``type``."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
