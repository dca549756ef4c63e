"""Telling the user's own command of pauses and ends: ``[notify] command`` of the configuration.

It gets the event that the journal has, with the job and the repository, as one JSON object on its
standard input. Nothing waits for it but the end of director's command, and nothing fails with it.
"""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from director.job.context import Opened
from director.job.stage import Stage
from director.model.codec.decoding import TOML, decode
from director.model.codec.mistakes import MismatchError
from director.model.config import NotifyPolicy
from director.model.errors import DirectorError, RequestError
from director.model.printable import one_line
from director.model.secrets import Redactor
from director.records.events import PASSING, Event, Events, Kind
from director.records.files import read_text
from director.records.job_directory import Home
from director.repositories.repository import Repository

COMMANDS = frozenset({"plan", "run", "auto", "bench"})
SCHEMA = "director.notify/1"
TIMEOUT_SECS = 10.0
CONTINUE = "director plan --continue"
# What comes between a pause and the end of the command and is no work of its own.
BESIDE = PASSING | {Kind.NOTICE, Kind.PUBLISHED, Kind.STOPPED}


def notify_command(home: Home) -> Sequence[str]:
    """Return the words of the command that is to be told, none where there is no such command.

    Mistakes in the configuration are reported by its reader.
    """
    with suppress(RequestError, tomllib.TOMLDecodeError, MismatchError, ValueError):
        document = tomllib.loads(read_text(home.config) or "")
        return decode(NotifyPolicy, document.get("notify", {}), TOML).command
    return ()


class Notifier:
    """Hears the events of a command, and tells the user's command of pauses and of the end.

    A pause that a person at a terminal (``attended``) answers is told when it begins; else it is
    told once, with the end of the command, which knows what happened and what comes next.
    ``opened`` are the jobs of the command, the last one last.
    """

    def __init__(
        self,
        command: Sequence[str],
        repository: Repository,
        opened: Sequence[Opened],
        redactor: Redactor,
        *,
        attended: bool,
    ) -> None:
        self._command = command
        self._repository = repository
        self._opened = opened
        self._redactor = redactor
        self._attended = attended
        self._pause: Event | None = None  # which nothing has followed yet
        self._threads: list[threading.Thread] = []
        self._problems: list[str] = []

    def hear(self, event: Event) -> None:
        """Take an event, as it happens."""
        if event.kind is Kind.APPROVAL_NEEDED:
            self._pause = event
            if self._attended:
                awaited = Stage(event.data["stage"]).awaited
                approval = f"The {awaited} waits for your approval"
                what = approval if awaited else "The planner waits for answers"
                self._begin(self._message(event, {"what": what, "next": CONTINUE}))
        elif event.kind not in BESIDE:
            self._pause = None

    def hear_end(self, event: Event) -> None:
        """Take how the command ended."""
        pause = self._pause if event.data.get("exit_code") == 0 else None
        if pause is None:
            self._begin(self._message(event, {}))
        elif not self._attended:
            self._begin(self._message(pause, event.data))

    def close(self, events: Events) -> None:
        """Wait for what is under way; ``events`` are told what failed."""
        for thread in self._threads:
            thread.join()
        for problem in dict.fromkeys(self._problems):
            with suppress(DirectorError):
                events.notice(f"[notify] command failed: {problem}")

    def _message(self, event: Event, more: Mapping[str, Any]) -> Mapping[str, Any]:
        where = {
            "job_id": self._opened[-1].job_id if self._opened else None,
            "repository": str(self._repository.root),
        }
        return {"schema": SCHEMA, **event.to_json(), **more, **self._redactor.value(where)}

    def _begin(self, message: Mapping[str, Any]) -> None:
        """Start the command; the caller does not wait for it."""
        thread = threading.Thread(target=self._tell, args=(message,), name="notify")
        self._threads.append(thread)
        thread.start()

    def _tell(self, message: Mapping[str, Any]) -> None:
        from director.processes.messenger import deliver  # few have such a command

        root, env = self._repository.root, self._repository.caller_env
        text = json.dumps(message, ensure_ascii=False, default=str)
        data = f"{text}\n".encode(errors="backslashreplace")
        try:
            problem = deliver(self._command, root, env, data, TIMEOUT_SECS)
        except DirectorError as error:
            problem = error.what
        if problem:
            self._problems.append(one_line(problem))
