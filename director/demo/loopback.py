"""A server on loopback for scripted models: its life, and how answers are sent."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class LoopbackServer:
    """Serves on 127.0.0.1, at a port that is free, while the context is open.

    ``stopping`` is set when it ends: what keeps a client waiting on purpose waits for that.
    """

    def __init__(self, handler: type[Answering]) -> None:
        self.stopping = threading.Event()
        self._http = _Http(self, handler)

    @property
    def root_url(self) -> str:
        """The address without any path."""
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def base_url(self) -> str:
        """What a provider's configuration needs, ``/v1`` included."""
        return f"{self.root_url}/v1"

    def __enter__(self) -> Self:
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


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a request that hangs on purpose must not hold up the end

    def __init__(self, owner: LoopbackServer, handler: type[Answering]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is what some scripts are about."""


class Answering(BaseHTTPRequestHandler, ABC):
    """A handler that sends whole answers and streams, one for each connection."""

    server: _Http
    protocol_version = "HTTP/1.1"

    @abstractmethod
    def posted(self, content: bytes) -> None:
        """Answer a request that posts ``content``."""

    @abstractmethod
    def asked(self) -> None:
        """Answer a request without content (GET, HEAD)."""

    def do_POST(self) -> None:
        """Have what is posted answered."""
        self.close_connection = True
        self.posted(self.rfile.read(int(self.headers.get("content-length", 0))))

    def do_GET(self) -> None:
        """Have a question without content answered."""
        self.close_connection = True
        self.asked()

    def do_HEAD(self) -> None:
        """Answer as to GET; the content is left out."""
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def send_whole(self, status: int, body: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send an answer of known length: JSON, unless ``headers`` say otherwise."""
        content = body.encode()
        self.send_response(status)
        defaults = {"content-type": "application/json", "connection": "close"}
        for name, value in {**defaults, **dict(headers)}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_stream(self, frames: Iterable[str]) -> None:
        """Send server-sent events, which end with the connection."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for frame in frames:
            self.wfile.write(frame.encode())
            self.wfile.flush()
