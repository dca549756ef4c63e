"""One OpenCode server (``opencode serve``): its process, and the requests that are made of it."""

import base64
import http.client
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from director.agents.opencode.listener import Loaded
from director.agents.opencode.server_error import ServerError
from director.model.patterns import lazy_pattern
from director.processes.cancellation import Cancellation
from director.processes.command import Command
from director.processes.service import Service
from director.processes.supervisor import Processes
from director.records import json_lines

ANSWER_SECS = 10.0  # for whatever a server answers at once
POLL_SECS = 0.02
USER = "opencode"
USERNAME, PASSWORD = "OPENCODE_SERVER_USERNAME", "OPENCODE_SERVER_PASSWORD"
SERVE = (
    "serve", "--hostname", "127.0.0.1", "--port", "0", "--print-logs", "--log-level", "ERROR",
)  # fmt: skip
LISTENING = lazy_pattern(rb"listening on (http://\S+)")


class Address(NamedTuple):
    """Where a server is, and what opens it."""

    url: str
    password: str
    user: str = USER

    def __repr__(self) -> str:
        """Return it without the password."""
        return f"Address({self.url!r})"


class Server:
    """A server that is ready. Requests raise ServerError when it does not answer as it should.

    Each may take ``answer_secs``, but for the events, which come when they come.
    """

    def __init__(
        self, address: Address, service: Service | None = None, answer_secs: float = ANSWER_SECS
    ) -> None:
        self.address = address
        self.loaded: dict[Path, Loaded] = {}  # folders, for ``loaded_folders``
        self.version = ""  # as it says when it is asked for its health
        self._service = service
        self._answer_secs = answer_secs
        self._place = urlsplit(address.url)
        credentials = f"{address.user}:{address.password}".encode()
        self._headers = {
            "authorization": f"Basic {base64.b64encode(credentials).decode()}",
            "content-type": "application/json",
        }

    def alive(self) -> bool:
        """Whether its process runs; of the user's server, whether it answers."""
        return self._service.alive() if self._service else self.healthy()

    def held_bytes(self) -> int | None:
        """Return the memory of it and of what serves it; None: unknown, or the user's server."""
        return self._service.held_bytes() if self._service else None

    def healthy(self) -> bool:
        """Whether it runs and answers."""
        try:
            said = self._ask("GET", "/global/health")
        except ServerError:
            return False
        self.version = str(said.get("version") or "")
        return bool(said.get("healthy"))

    def agents(self, folder: Path) -> dict[str, str]:
        """Return the agents it knows in ``folder``: name → prompt."""
        listed = self._ask("GET", "/agent", folder)
        return {str(one["name"]): str(one.get("prompt") or "") for one in listed}

    def models(self, folder: Path) -> frozenset[str]:
        """Return the models that it knows in ``folder``, as ``provider/model``."""
        answer = self._ask("GET", "/config/providers", folder)
        self.dispose(folder)
        return frozenset(models_of(answer))

    def open_session(self, folder: Path, title: str, rules: Iterable[Mapping[str, str]]) -> str:
        """Begin a session in ``folder`` under permission ``rules``; returns its id."""
        body = {"title": title, "permission": list(rules)}
        return str(self._ask("POST", "/session", folder, body)["id"])

    def prompt(self, folder: Path, session: str, agent: str, model: str, text: str) -> None:
        """Give a session its prompt; returns at once. ``model`` is ``provider/model``."""
        provider, _, name = model.partition("/")
        body = {
            "agent": agent,
            "model": {"providerID": provider, "modelID": name},
            "parts": [{"type": "text", "text": text}],
        }
        self._ask("POST", f"/session/{session}/prompt_async", folder, body)

    def close_session(self, folder: Path, session: str, *, abort: bool) -> None:
        """Forget a session; ``abort``: end first what it runs."""
        try:
            if abort:
                self._ask("POST", f"/session/{session}/abort", folder)
        finally:
            self._ask("DELETE", f"/session/{session}", folder)

    def dispose(self, folder: Path) -> None:
        """End all sessions in ``folder`` and whatever serves them, and forget what it holds."""
        self._ask("POST", "/instance/dispose", folder)

    def may_work_in(self, folder: Path) -> bool:
        """Whether anything that it started works in ``folder``, as far as that is known."""
        return self._service is None or self._service.at_work_in(folder)

    def events(self, folder: Path) -> "EventStream":
        """Return the events in ``folder``, to be gone through in a thread of its own."""
        return EventStream(self._connect(None), _path("/event", folder), self._send)

    def end(self) -> bool:
        """End the process, where it is ours; returns whether that was so."""
        if self._service:
            self._service.end()
        return self._service is not None

    def _ask(self, method: str, path: str, folder: Path | None = None, body: object = None) -> Any:
        connection = self._connect(self._answer_secs)
        try:
            with _named(f"{method} {path}"):
                answer = self._send(connection, method, _path(path, folder), body).read()
                return json.loads(answer) if answer else {}
        finally:
            connection.close()

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: object
    ) -> http.client.HTTPResponse:
        content = None if body is None else json.dumps(body).encode()
        with _named(f"{method} {path}"):
            connection.request(method, self._place.path.rstrip("/") + path, content, self._headers)
            response = connection.getresponse()
        if response.status >= 300:
            said = response.read(300).decode(errors="replace")
            raise ServerError(f"{method} {path}: HTTP {response.status} {said}".strip())
        return response

    def _connect(self, timeout_secs: float | None) -> http.client.HTTPConnection:
        secure = self._place.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return kind(self._place.hostname or "", self._place.port, timeout=timeout_secs)


class EventStream:
    """The events of one folder, one by one as they happen; the first tells that they come.

    They end when the server does, or when the stream is closed, by whichever thread.
    """

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        path: str,
        send: Callable[[http.client.HTTPConnection, str, str, object], http.client.HTTPResponse],
    ) -> None:
        self._connection = connection
        self._path = path
        self._send = send
        self._wire: socket.socket | None = None
        self._closed = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with _named("GET /event"):
            self._connection.connect()
        self._wire = self._connection.sock
        if not self._closed:
            yield from _events(self._send(self._connection, "GET", self._path, None))

    def close(self) -> None:
        """End the stream: its reader is woken."""
        self._closed = True
        if self._wire:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def models_of(answer: object) -> Iterator[str]:
    """Give the models in what a server says of its providers."""
    listed = answer.get("providers") if isinstance(answer, dict) else None
    for one in listed if isinstance(listed, list) else ():
        found = one.get("models") if isinstance(one, dict) else None
        yield from (f"{one['id']}/{name}" for name in (found or ()) if "id" in one)


def start_server(processes: Processes, command: Command, unwanted: threading.Event) -> Server:
    """Start a server on loopback, behind a password of its own.

    ``command`` ends in SERVE; its ``timeout_secs`` is how long it may take until it is healthy.
    Raises ServerError when it does not get so far, or is ``unwanted`` before.
    """
    password = secrets.token_urlsafe(24)
    env = {**command.env, USERNAME: USER, PASSWORD: password}  # not as the caller's own server has
    service = _start(processes, command._replace(env=env))
    try:
        return _await_health(service, password, command, processes.cancellation, unwanted)
    except BaseException:
        service.end()
        raise


def _start(processes: Processes, command: Command) -> Service:
    try:
        return processes.start(command)
    except (OSError, ValueError) as error:
        raise ServerError(str(error)) from None


def _await_health(
    service: Service,
    password: str,
    command: Command,
    cancellation: Cancellation,
    unwanted: threading.Event,
) -> Server:
    deadline = time.monotonic() + command.timeout_secs
    while time.monotonic() < deadline:
        cancellation.check()
        if found := LISTENING.search(command.stdout.read_bytes()):
            server = Server(Address(found[1].decode(), password), service)
            if server.healthy():
                return server
        if not service.alive():
            said = command.stdout.read_text(errors="replace").strip().splitlines()[-1:]
            raise ServerError(f"it ended at once: {said[0][:200] if said else 'no message'}")
        if unwanted.wait(POLL_SECS):
            raise ServerError("no call is going to be made")
    raise ServerError(f"it was not healthy within {command.timeout_secs:g} s")


@contextmanager
def _named(request: str) -> Iterator[None]:
    """Turn whatever goes wrong with a request into a ServerError that names it."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ServerError(f"{request}: {str(error) or type(error).__name__}") from None


def _path(path: str, folder: Path | None) -> str:
    return f"{path}?directory={quote(os.fsencode(folder), safe='')}" if folder else path


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """Give what arrives as server-sent events, each a JSON object in one ``data`` line."""
    with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):  # it was closed
        for line in response:
            if line.startswith(b"data:") and (event := json_lines.object_in(line[5:])):
                yield event
