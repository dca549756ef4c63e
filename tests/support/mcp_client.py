"""A client of ``director mcp`` that says exactly what a test has it say."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.warm import SOURCE

PATIENCE_SECS = 60.0


class HandFed:
    """``director mcp``, its input and its output, line by line."""

    def __init__(self, repository: Path, env: Mapping[str, str], *flags: str) -> None:
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-m", "director", "mcp", f"--repo={repository}", *flags],
            cwd=repository,
            env={**env, "PYTHONPATH": str(SOURCE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        self.heard: list[Any] = []
        self._rest = b""

    def say(self, line: bytes | str) -> None:
        """Send a line as it is."""
        assert self.process.stdin
        data = line.encode() if isinstance(line, str) else line
        self.process.stdin.write(data + b"\n")

    def send(self, method: str, params: object = None, **more: object) -> None:
        """Send a message; with ``id=…`` it is a request."""
        given = {} if params is None else {"params": params}
        self.say(json.dumps({"jsonrpc": "2.0", "method": method, **given, **more}))

    def hear(self) -> Any:
        """Return the next message of the server's; it is added to ``heard``."""
        assert self.process.stdout
        deadline = time.monotonic() + PATIENCE_SECS
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"no message came; before: {self.heard}")
            data = self.process.stdout.read(65536)
            if not data:
                raise AssertionError(f"it has ended: {self.errors()}")
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        self.heard.append(json.loads(line))
        return self.heard[-1]

    def answer(self, request_id: object) -> Any:
        """Return the answer to a request; what comes before it is in ``heard``."""
        while True:
            message = self.hear()
            its_own = isinstance(message, dict) and "method" not in message
            if its_own and message.get("id") == request_id:
                return message

    def asks(self, method: str, params: object = None) -> Any:
        """Send a request and return its answer."""
        request_id = f"{method} {len(self.heard)}"
        self.send(method, params, id=request_id)
        return self.answer(request_id)

    def begin(self, version: str = "2025-06-18") -> Any:
        """Greet the server, and return what it says of itself."""
        client = {"name": "by hand", "version": "1"}
        told = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
        found = self.asks("initialize", told)["result"]
        self.send("notifications/initialized")
        return found

    def call(self, tool: str, **arguments: object) -> Any:
        """Call a tool and return the object that its command printed."""
        found = self.asks("tools/call", {"name": tool, "arguments": arguments})["result"]
        return json.loads(found["content"][0]["text"])

    def read(self, name: str) -> str:
        """Return the text of a resource."""
        found = self.asks("resources/read", {"uri": f"director://job/{name}"})
        return str(found["result"]["contents"][0]["text"])

    def ends(self) -> int:
        """Close its input, and return the exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE_SECS)

    def errors(self) -> str:
        """Return what it says on standard error, once it has ended."""
        assert self.process.stderr
        return self.process.stderr.read().decode()

    def put_down(self) -> None:
        """End it, whatever it does; for a cleanup."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
