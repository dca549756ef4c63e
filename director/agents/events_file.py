"""Following the file of a call's events while an agent CLI writes it."""

from __future__ import annotations

import json
from pathlib import Path

from director.agents.reading import EventReader
from director.agents.transcript import Transcript
from director.model.secrets import NOTHING_SECRET, Redactor

READ_BYTES = 1024 * 1024
LONGEST_LINE = 32 * 1024 * 1024  # bytes


class EventsFollower:
    """Follows an events file that another process is writing, whole line by whole line.

    No secret gets into the transcript. ``size`` is how many bytes were read. A line longer than
    LONGEST_LINE is passed over, like any that is not an event.
    """

    def __init__(
        self, path: Path, reader: EventReader, redactor: Redactor = NOTHING_SECRET
    ) -> None:
        self.transcript = Transcript()
        self.path = path
        self.reader = reader
        self._redactor = redactor
        self.size = 0
        self._rest: list[bytes] = []  # of the line that has no end yet
        self._rest_size = 0

    def poll(self) -> bool:
        """Read what is new; returns whether there was anything."""
        before = self.size
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.size)
                while new := stream.read(READ_BYTES):
                    self._take(new)
        except FileNotFoundError:
            return False
        return self.size > before

    def _take(self, new: bytes) -> None:
        self.size += len(new)
        first, *others = new.split(b"\n")
        self._add_to_line(first)
        for part in others:
            if self._rest_size <= LONGEST_LINE:
                self._read_line(b"".join(self._rest))
            self._rest, self._rest_size = [], 0
            self._add_to_line(part)

    def _add_to_line(self, part: bytes) -> None:
        self._rest_size += len(part)
        self._rest = [*self._rest, part] if self._rest_size <= LONGEST_LINE else []

    def _read_line(self, line: bytes) -> None:
        try:
            event = self._redactor.value(json.loads(line))
        except (ValueError, RecursionError):
            return  # not an event: the agent may print other things
        if isinstance(event, dict):
            self.reader.take(event, self.transcript)
