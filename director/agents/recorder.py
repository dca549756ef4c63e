"""The files that a call leaves: its events, prompt and standard error. No secret stays in them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from director.agents.calls import Assignment, Reply, Spending
from director.agents.events_file import EventsFollower
from director.agents.judging import judge, stopped
from director.agents.reading import EventReader
from director.agents.watching import Watch
from director.model.secrets import NOTHING_SECRET, Redactor
from director.processes.command import Ended, Ending
from director.records.files import os_errors_stop, redact_file, text_of, write_bytes, write_log
from director.records.logs import errors_of, new_call_log, prompt_of

Making = Callable[[Path, Watch], Ended]
"""Makes a call with the prompt in that file, under that watch."""


class CallRecorder(NamedTuple):
    """Records calls in the folder ``logs``. One without output for ``stall_secs`` ends."""

    logs: Path
    stall_secs: float
    redactor: Redactor = NOTHING_SECRET

    def hiding(self, secrets: Mapping[str, str]) -> "CallRecorder":
        """Return one that keeps these secrets (name → value) out of what it records as well."""
        return self._replace(redactor=self.redactor.also(secrets))

    def new_log(self, name: str) -> Path:
        """Return a fresh file for the events of a call of that name."""
        return new_call_log(self.logs, name)

    def record(
        self, assignment: Assignment, spending: Spending, events: Path, reader: EventReader,
        make: Making,
    ) -> Reply:  # fmt: skip
        """Have a call made and return what came of it; its events go into the file ``events``."""
        prompt, errors = prompt_of(events), errors_of(events)
        write_log(prompt, self.redactor.text(assignment.prompt))
        follower = EventsFollower(events, reader, self.redactor)
        watch = Watch(follower, errors, spending, self.stall_secs, assignment.look)
        return self._reply(follower, events, make(prompt, watch), watch)

    def recall(self, events: Path, reader: EventReader) -> Reply:
        """Return the reply that an earlier call, perhaps cut short, left in its events file."""
        follower = EventsFollower(events, reader, self.redactor)
        return self._reply(follower, events, Ended(Ending.EXITED, None, 0.0))

    def _reply(
        self, follower: EventsFollower, events: Path, ended: Ended, watch: Watch | None = None
    ) -> Reply:
        errors = errors_of(events)
        follower.poll()
        _drop_lines(events, follower.reader.fragment)  # no redactor knows a secret in pieces
        redact_file(events, self.redactor)
        complaint = redact_file(errors, self.redactor)
        transcript = follower.transcript
        if watch and watch.outcome is not None:
            end = stopped(ended, transcript, watch.outcome)
        else:
            end = judge(ended, transcript, follower.reader, text_of(complaint))
        reason = self.redactor.text(end.reason)
        return Reply(end.outcome, transcript, reason, ended.wall_secs, events, end.kind)


def _drop_lines(path: Path, part: bytes) -> None:
    """Take the lines that hold ``part`` (b"": none) out of a file, where there is one."""
    if not part or not path.exists():
        return
    with os_errors_stop(path):
        lines = path.read_bytes().splitlines(keepends=True)
        if len(kept := [line for line in lines if part not in line]) < len(lines):
            write_bytes(path, b"".join(kept))


def read_whole(path: Path) -> str:
    """Return the text of a file, "" where there is none; bytes that are no text are replaced."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
