"""The page served on loopback while the job runs: read-only, and only for the user who started it.

Other users of the machine can reach a port on loopback, too, and a web page can make a browser ask
one by a name of its own: so the address has a part that cannot be guessed, and a request must name
the host as it was printed.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from director.model.errors import DirectorError
from director.model.secrets import Redactor
from director.reporting.page.document import (
    Live,
    Part,
    html_file,
    parts_of,
    policy,
)
from director.reporting.page.elements import tag, written
from director.reporting.page.page import Page

HOST = "127.0.0.1"
LOCAL_NAMES = (HOST, "localhost")
KEY_BYTES = 16
REST = 4.0  # times as long as a look took: a large job must not keep a core busy
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"{policy(True)}; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Shown(NamedTuple):
    """The page as it was last read: id → HTML of each part, and since which version it is so."""

    title: str
    parts: tuple[Part, ...]
    html: dict[str, str]
    since: dict[str, int]
    version: int


NOTHING = Shown("", (), {}, {}, 0)


class Watched:
    """A job that is shown as it stands. ``read`` reads it, ``stamp`` differs when it has changed.

    After a look there is no other for ``rest`` times as long as it took. Callable from any thread.
    """

    def __init__(
        self,
        read: Callable[[], Page],
        stamp: Callable[[], object],
        redactor: Redactor,
        rest: float = REST,
    ) -> None:
        self._read, self._stamp, self._redactor, self._rest = read, stamp, redactor, rest
        self._seen: object = None
        self._not_before = 0.0
        self._shown = NOTHING
        self._lock = threading.Lock()

    def document(self) -> str:
        """Return the whole page."""
        shown = self._look()
        return html_file(shown.title, list(shown.parts), self._redactor, Live(shown.version))

    def news(self, since: int) -> dict[str, Any]:
        """Return the parts that are not as they were in the version ``since``.

        ``reload``: parts have come or gone, so all of the page is to be asked for again.
        """
        shown = self._look()
        parts = {name: shown.html[name] for name, at in shown.since.items() if at > since}
        reload = since > shown.version or since < min(shown.since.values(), default=0)
        told = {"version": shown.version, "title": f"director: {shown.title}"}
        return {**told, "reload": reload, "parts": {} if reload else parts}

    def _look(self) -> Shown:
        """Return the page as it stands; where nothing has changed, as it was."""
        with self._lock:
            stamp, began = self._stamp(), time.monotonic()
            if stamp != self._seen and began >= self._not_before:
                self._shown = self._changed(*self._drawn())
                self._seen = stamp
                ended = time.monotonic()
                self._not_before = ended + self._rest * (ended - began)
            return self._shown

    def _drawn(self) -> tuple[str, list[Part]]:
        try:
            page = self._read()
        except DirectorError as error:  # there is no job any more, or a record is damaged
            said = [tag("h1", error.what), tag("p", error.next_step)]
            return error.what, [Part("verdict", tag("section", said, id="verdict"))]
        return f"{page.sentence} {page.status.job_id}", parts_of(page)

    def _changed(self, title: str, parts: list[Part]) -> Shown:
        before, html = self._shown, {one.id: written(one.element, self._redactor) for one in parts}
        version = before.version + 1
        if list(html) != list(before.html):  # a page that is older cannot be brought up to date
            since = dict.fromkeys(html, version)
        else:
            since = {
                name: before.since[name] if text == before.html[name] else version
                for name, text in html.items()
            }
        return Shown(title, tuple(parts), html, since, version)


class PageServer(ThreadingHTTPServer):
    """Serves one job on loopback; ``port`` 0: any that is free. OSError where it cannot."""

    daemon_threads = True

    def __init__(self, watched: Watched, port: int = 0) -> None:
        self.watched = watched
        self.folder = f"/{secrets.token_urlsafe(KEY_BYTES)}/"
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}{self.folder}"

    def is_own(self, host: str | None) -> bool:
        """Whether a request names this server as its user would."""
        return host in {f"{name}:{self.server_port}" for name in LOCAL_NAMES}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for two addresses, which are compared as they are; nothing else."""

    server: PageServer
    server_version = "director"
    sys_version = ""
    timeout = 30  # seconds for a request to arrive

    def do_GET(self) -> None:
        """Answer with the page, or with what is new."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers only."""
        self._answer(body=False)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Refuse every other method."""
        if name.startswith("do_"):
            return self._refuse_method
        raise AttributeError(name)

    def _refuse_method(self) -> None:
        if self._admitted(body=True):
            self._send(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", "read-only\n", True)

    def _admitted(self, *, body: bool) -> bool:
        hosts = self.headers.get_all("Host") or []
        if len(hosts) == 1 and self.server.is_own(hosts[0]):
            return True
        self._send(HTTPStatus.FORBIDDEN, "text/plain", "unknown host\n", body)
        return False

    def _answer(self, *, body: bool) -> None:
        if not self._admitted(body=body):
            return
        where, folder = urlsplit(self.path), self.server.folder
        if secrets.compare_digest(where.path.encode(), folder.encode()):
            self._send(HTTPStatus.OK, "text/html", self.server.watched.document(), body)
        elif secrets.compare_digest(where.path.encode(), f"{folder}state".encode()):
            news = self.server.watched.news(_number(where.query))
            self._send(HTTPStatus.OK, "application/json", json.dumps(news), body)
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "not found\n", body)

    def _send(self, status: HTTPStatus, kind: str, text: str, body: bool) -> None:
        data = text.encode(errors="backslashreplace")
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal free of requests."""


def _number(query: str) -> int:
    said = parse_qs(query).get("since", [""])[-1]
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else 0
