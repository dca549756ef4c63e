"""The fake's ``opencode serve``: sessions over HTTP, each played by a fake ``opencode run``."""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HEALTHY, DEAF, REFUSES, SILENT = "healthy", "deaf", "refuses", "silent"
AT_WORK = "at work"  # something of its own runs in each folder that it has loaded
SLEEP = ("sleep", "300")
REJECTED = re.compile(r"permission requested: (\w+) \((.*)\); auto-rejecting")
STREAM_ERROR = re.compile(r'message="stream error".*error\.error="([^"]*)"')
PARTS = ("text", "tool_use", "step_start", "step_finish")


def serve(folder: Path, playback: list[str]) -> int:
    """Serve on a free port until a signal comes; ``playback`` begins every session's command."""
    path = folder / "serving"
    behaviour = path.read_text() if path.exists() else HEALTHY
    if behaviour == REFUSES:
        print("Error: serving is not to be had", file=sys.stderr)
        return 1
    server = _Server(folder, playback, behaviour)
    with (folder / "servers").open("a") as stream:
        stream.write(f"{os.getpid()}\n")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if behaviour != DEAF:
        print(f"opencode server listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(0.05)
    return 0


class _Session:
    def __init__(self, server: _Server, number: int, folder: str, opened: dict[str, Any]) -> None:
        self.id = f"ses_{number}"
        self.folder = folder
        self.opened = opened
        self.server = server
        self.said = server.folder / f"session-{os.getpid()}-{number}.out"
        self.complained = self.said.with_suffix(".err")
        self.process: subprocess.Popen[str] | None = None
        self.retries = 0
        self.parts = 0

    def prompt(self, asked: dict[str, Any]) -> None:
        """Play the turn in the background."""
        agent = str(asked["agent"])
        if agent not in json.loads(os.environ["OPENCODE_CONFIG_CONTENT"])["agent"]:
            self.tell("session.error", error=_error(f'Agent not found: "{agent}"'))
            return
        note = Path(f"{self.folder}.env.json")
        agent = re.sub("escalation$", "executor", agent)
        model = asked["model"]
        argv = (
            "run", "--dir", self.folder, "--agent", agent, "--title", self.opened["title"],
            "--model", f"{model['providerID']}/{model['modelID']}", "--format", "json",
        )  # fmt: skip
        rules = json.dumps(self.opened["permission"])
        env = {**os.environ, **json.loads(note.read_text()), "FAKE_RULES": rules}
        env["OPENCODE_SERVER_PASSWORD"] = ""
        self.process = subprocess.Popen(
            [*self.server.playback, *argv],
            cwd=self.folder,
            env={**env, "PWD": self.folder},
            stdin=subprocess.PIPE,
            stdout=self.said.open("wb"),
            stderr=self.complained.open("wb"),
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self.follow, args=(asked["parts"][0]["text"],)).start()

    def follow(self, prompt: str) -> None:
        """Tell what the fake run prints until it is over, whoever else holds its streams."""
        process = self.process
        assert process and process.stdin
        self.tell("session.status", status={"type": "busy"})
        with process.stdin as stdin:
            stdin.write(prompt)
        with self.said.open(errors="replace") as out, self.complained.open(errors="replace") as err:
            over = False
            while not over:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.01)
                    over = True
                for line in err:
                    self.pass_on_complaint(line)
                for line in out:
                    with suppress(ValueError, RecursionError):
                        self.pass_on(json.loads(line))
        self.tell("session.status", status={"type": "idle"})
        self.tell("session.idle")

    def pass_on(self, event: Any) -> None:
        """Tell what the fake run printed in a server's words."""
        kind = event.get("type") if isinstance(event, dict) else None
        if kind == "error":
            self.tell("session.error", error=event.get("error"))
        if kind in PARTS and isinstance(event.get("part"), dict):
            self.parts += 1
            part = {**event["part"], "id": f"prt_{self.parts}", "sessionID": self.id}
            if kind == "text":  # while it grows it has no end
                now = round(time.time() * 1000)
                self.tell("message.part.updated", part={**part, "time": {"start": now}})
                part["time"] = {"start": now, "end": now + 1}
            self.tell("message.part.updated", part=part)

    def pass_on_complaint(self, line: str) -> None:
        print(line, end="", file=sys.stderr, flush=True)
        if asked := REJECTED.search(line):
            self.tell("permission.asked", permission=asked[1], patterns=[asked[2]])
        if failed := STREAM_ERROR.search(line):
            self.retries += 1
            told = {"attempt": self.retries, "message": failed[1], "next": 0}
            self.tell("session.status", status={"type": "retry", **told})

    def abort(self) -> None:
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tell(self, kind: str, **properties: Any) -> None:
        event = {"type": kind, "properties": {"sessionID": self.id, **properties}}
        for folder, listener in self.server.listeners:
            if folder == self.folder:
                listener.put(event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path, playback: list[str], behaviour: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = behaviour
        self.folder = folder
        self.playback = playback
        self.sessions: dict[str, _Session] = {}
        self.listeners: list[tuple[str, queue.SimpleQueue[dict[str, Any] | None]]] = []
        self.opened = 0
        self.loaded: dict[str, subprocess.Popen[bytes] | None] = {}

    def load(self, folder: str) -> None:
        """Note that a folder is loaded, unless it is: OpenCode reads its settings then only."""
        if folder not in self.loaded:
            at_work = self.behaviour == AT_WORK
            self.loaded[folder] = subprocess.Popen(SLEEP, cwd=folder) if at_work else None
            with (self.folder / "loads").open("a") as stream:
                stream.write(f"{folder}\n")

    def providers(self) -> dict[str, Any]:
        """Return what the fake's ``opencode models`` lists, as a server does."""
        path, found = self.folder / "models", dict[str, dict[str, Any]]()
        for line in path.read_text().splitlines() if path.exists() else ():
            provider, _, model = line.partition("/")
            found.setdefault(provider, {})[model] = {"id": model}
        return {"providers": [{"id": one, "models": models} for one, models in found.items()]}

    def forget(self, folder: str) -> None:
        """Forget a folder; its events end."""
        if works := self.loaded.pop(folder, None):
            works.kill()
            works.wait()
        for listener in [one for one in self.listeners if one[0] == folder]:
            self.listeners.remove(listener)
            listener[1].put(None)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        path, folder = self.where()
        if not self.may():
            return
        if path == "/global/health":
            self.answer({"healthy": True, "version": "fake"})
        elif path == "/agent":
            agents = json.loads(os.environ["OPENCODE_CONFIG_CONTENT"])["agent"]
            self.answer([{"name": name, **agent} for name, agent in agents.items()])
        elif path == "/config/providers":
            self.server.load(folder)
            self.answer(self.server.providers())
        elif path == "/event" and self.server.behaviour == SILENT:
            threading.Event().wait()
        elif path == "/event":
            self.stream(folder)

    def do_POST(self) -> None:
        path, folder = self.where()
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"null")
        if not self.may():
            return
        _, _, rest = path.partition("/session/")
        session = self.server.sessions.get(rest.partition("/")[0])
        if path == "/session":
            self.server.opened += 1
            session = _Session(self.server, self.server.opened, folder, body)
            self.server.sessions[session.id] = session
            self.answer({"id": session.id})
        elif session and path.endswith("/prompt_async"):
            session.prompt(body)
            self.answer(None, 204)
        elif session and path.endswith("/abort"):
            session.abort()
            self.answer(True)
        elif path == "/instance/dispose":
            for one in self.server.sessions.values():
                if one.folder == folder:
                    one.abort()
            self.server.forget(folder)
            self.answer(True)
        else:
            self.answer({"name": "NotFoundError"}, 404)

    def do_DELETE(self) -> None:
        path, _folder = self.where()
        if self.may():
            self.answer(self.server.sessions.pop(path.rpartition("/")[2], None) is not None)

    def where(self) -> tuple[str, str]:
        parts = urlsplit(self.path)
        return parts.path, parse_qs(parts.query).get("directory", [""])[0]

    def may(self) -> bool:
        """Whether the request knows the password; else it is refused."""
        user = os.environ.get("OPENCODE_SERVER_USERNAME", "opencode")
        known = f"{user}:{os.environ.get('OPENCODE_SERVER_PASSWORD', '')}".encode()
        if self.headers.get("authorization") == f"Basic {base64.b64encode(known).decode()}":
            return True
        self.answer({"name": "Unauthorized"}, 401)
        return False

    def answer(self, value: object, status: int = 200) -> None:
        content = b"" if status == 204 else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def stream(self, folder: str) -> None:
        listener: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.server.load(folder)
        self.server.listeners.append((folder, listener))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        listener.put({"type": "server.connected", "properties": {}})
        with suppress(OSError):
            while event := listener.get():
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


def _error(message: str) -> dict[str, Any]:
    return {"name": "UnknownError", "data": {"message": message}}
