"""A headless Chromium, driven through its DevTools protocol over a pair of pipes."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.e2e.npm import UnavailableError, said

NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
VERSION_SECS = 60
FLAGS = (
    "--headless",
    "--no-sandbox",  # which needs rights that a container may not have; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4.
ON_PIPES = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execvp(sys.argv[3], sys.argv[3:])"
)
TOLD = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}


def require_chromium() -> str:
    """Return the command of a Chromium.

    Where there is none the test is skipped, and says so; with ``CI=true`` it fails instead.
    """
    found = _chromium()
    if isinstance(found, str):
        return found
    reason = f"no Chromium to test with: {found}"
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


@functools.cache
def _chromium() -> str | UnavailableError:
    """Look once per process, and say aloud when the tests are going to be skipped."""
    command = next(filter(None, map(shutil.which, NAMES)), None)
    try:
        if command is None:
            raise UnavailableError(f"none of {', '.join(NAMES)} is on PATH")
        said([command, "--version"], VERSION_SECS)
    except UnavailableError as error:
        print(f"the tests of the page in a browser cannot run: {error}", file=sys.stderr)
        return error
    return command


class Tab:
    """One tab.

    ``complaints`` is all that its console showed, ``dialogs`` are those that it opened, ``asked``
    are the addresses that it asked for.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self.asked: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command, and return its answer."""
        return self._browser.call(method, self._session, **params)

    def open(self, address: str, width: int, scheme: str = "light", media: str = "") -> None:
        """Load a page in a window of that width, in ``light`` or ``dark``, or for ``print``."""
        shape = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **shape)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call("Page.navigate", url=address)
        self._browser.wait_for("Page.loadEventFired", self._session)

    def run(self, script: str) -> Any:
        """Return what a script comes to; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press a key."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **told, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def take(self, event: dict[str, Any]) -> None:
        """Take in what the browser tells of this tab."""
        method, params = event["method"], event["params"]
        if method in TOLD:
            self.complaints.append(json.dumps(params))
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])


class Browser:
    """A running Chromium."""

    def __init__(self, reading: int, writing: int) -> None:
        self._answers = os.fdopen(reading, "rb")
        self._commands = os.fdopen(writing, "wb")
        self._count = 0
        self._tabs: dict[str, Tab] = {}
        self._events: list[dict[str, Any]] = []

    def tab(self) -> Tab:
        """Open an empty tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        session = str(attached["sessionId"])
        self._tabs[session] = Tab(self, session)
        return self._tabs[session]

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command, and return its answer."""
        self._count += 1
        number = self._count
        about = {"sessionId": session} if session else {}
        command = {"id": number, "method": method, "params": params, **about}
        self._commands.write(json.dumps(command).encode() + b"\0")
        self._commands.flush()
        while (told := self._next()).get("id") != number:
            self._events.append(told)
        if "error" in told:
            raise AssertionError(f"{method}: {told['error']}")
        return dict(told["result"])

    def wait_for(self, method: str, session: str) -> None:
        """Wait until the browser has told of an event in a tab."""
        wanted = (method, session)
        while True:
            while self._events:
                told = self._events.pop(0)
                if (told.get("method"), told.get("sessionId")) == wanted:
                    return
            self._events.append(self._next())

    def _next(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            if not byte:
                raise AssertionError("Chromium has ended")
            data += byte
        told: dict[str, Any] = json.loads(data)
        tab = self._tabs.get(str(told.get("sessionId")))
        if tab and "method" in told:
            tab.take(told)
        return told


@contextmanager
def chromium(command: str, folder: Path) -> Iterator[Browser]:
    """Give a browser that keeps its files in ``folder``; it is gone afterwards."""
    (commands, writing), (reading, answers) = os.pipe(), os.pipe()
    own = [command, *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    env = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-c", ON_PIPES, str(commands), str(answers), *own],
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=env,
        start_new_session=True,
    )
    os.close(commands)
    os.close(answers)
    try:
        yield Browser(reading, writing)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
