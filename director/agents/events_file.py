"""Following the file of a call's events while an agent CLI writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from director.agents.reading import EventReader
from director.agents.transcript import Transcript
from director.model.secrets import NOTHING_SECRET, Redactor
from director.records.following import LinesFollower


class EventsFollower(LinesFollower):
    """Follows an events file that another process is writing, whole line by whole line.

    No secret gets into the transcript, nor to ``also``, which is given each event. A line that is
    not an event is passed over.
    """

    def __init__(
        self,
        path: Path,
        reader: EventReader,
        redactor: Redactor = NOTHING_SECRET,
        also: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        super().__init__(path, self._read_line)
        self.transcript = Transcript()
        self.reader = reader
        self._redactor = redactor
        self._also = also

    def _read_line(self, line: bytes) -> None:
        try:
            event = self._redactor.value(json.loads(line))
        except (ValueError, RecursionError):
            return  # not an event: the agent may print other things
        if isinstance(event, dict):
            self.reader.take(event, self.transcript)
            if self._also:
                self._also(event)
