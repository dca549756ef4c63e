"""director's own command line as a child process: what a person could type, and no more."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import director
from director.mcp.protocol import Object
from director.mcp.tool import Invocation
from director.model.errors import DirectorError, ExitCode
from director.model.reason import Reason
from director.processes.companion import Companion

QUIET_SECS = 10.0  # without an event, before a waiting client is told that the command still runs
# The same director as this one, wherever it was started: not what lies in the current folder.
START = """\
import sys
root = sys.argv.pop(1)
root in sys.path or sys.path.insert(0, root)
from director.__main__ import main
sys.exit(main())
"""

Tell = Callable[[Object | None], None]
"""Told each event of a command, and None when there was none for QUIET_SECS."""


class Commands:
    """Where director's command line works: in one repository, with one environment."""

    def __init__(self, repository: Path, env: Mapping[str, str]) -> None:
        self.repository = repository
        self._env = env

    def begin(self, invocation: Invocation) -> Companion:
        """Start a command; OSError, ValueError or DirectorError where it cannot be."""
        output = "--events" if invocation.events else "--json"
        argv = (invocation.command, f"--repo={self.repository}", output, *invocation.words)
        root = str(Path(director.__file__).parents[1])
        python = (sys.executable, "-P", "-c", START, root)
        given = invocation.stdin.encode(errors="replace")
        return Companion((*python, *argv), self.repository, self._env, given)


class Running:
    """One command, from its start to its end; may be cancelled from any thread."""

    def __init__(self, commands: Commands, invocation: Invocation) -> None:
        self.invocation = invocation
        self._commands = commands
        self._turn = threading.Lock()
        self._companion: Companion | None = None
        self._cancelled = False

    def to_end(self, tell: Tell = lambda _: None) -> Object:
        """Run the command and return the object that it prints, or one that says why it has not."""
        try:
            with self._turn:
                if self._cancelled:
                    return self._without(ExitCode.INTERRUPTED, "cancelled before it began")
                self._companion = companion = self._commands.begin(self.invocation)
        except (OSError, ValueError) as error:
            return self._without(ExitCode.STOPPED, f"the command cannot be started: {error}")
        except DirectorError as error:
            return self._without(error.exit_code, error.what, error.next_step)
        last: Object | None = None
        for line in companion.lines(QUIET_SECS):
            said = _object(line)
            if said is not None and "exit_code" in said and "schema" in said:
                last = said
            else:
                tell(said)
        code, errors = companion.wait()
        return last or self._without(_exit_code(code), _last_line(errors))

    def cancel(self) -> None:
        """Have the command end in good order; it may be over, or not have begun."""
        with self._turn:
            before, self._cancelled = self._cancelled, True
            if self._companion and not before:
                self._companion.interrupt()

    def insist(self) -> None:
        """Have it end at once, once it was cancelled. Takes no lock: for a signal handler."""
        if self._companion:
            self._companion.insist()

    def is_over(self) -> bool:
        """Whether its process has ended, or never began. Takes no lock."""
        return self._companion is None or self._companion.is_over()

    def _without(self, code: ExitCode, what: str, next_step: str = "") -> Object:
        """Return the object of a command that printed none."""
        reasons = {ExitCode.BUG: Reason.BUG, ExitCode.REQUEST: Reason.REQUEST}
        stopped = Reason.STOPPED if code is ExitCode.STOPPED else Reason.INTERRUPTED
        return {
            "schema": f"director.{self.invocation.command}/1",
            "command": self.invocation.command,
            "ok": False,
            "exit_code": int(code),
            "reason": reasons.get(code, stopped).value,
            "what": what or "the command ended without a result",
            "next": next_step or "call it again; `status` says where the job stands",
            "next_command": None,
            "job_id": None,
        }


def _object(line: bytes | None) -> Object | None:
    with suppress(ValueError):
        value: Any = json.loads(line) if line else None
        return value if isinstance(value, dict) else None
    return None


def _exit_code(code: int) -> ExitCode:
    """Return how a process ended, by the code that subprocess gives it."""
    number = 128 - code if code < 0 else code
    known = {int(one): one for one in ExitCode}
    return known.get(number, ExitCode.BUG if code >= 0 else ExitCode.TERMINATED)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:1000] if lines else ""
