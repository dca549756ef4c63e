"""Following the file of a call's events while an agent CLI writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from director.agents.reading import EventReader
from director.agents.transcript import Transcript
from director.model.secrets import NOTHING_SECRET, Redactor
from director.records.following import LinesFollower

Also = Callable[[dict[str, Any]], None]


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
        also: Also | None = None,
    ) -> None:
        self.transcript = Transcript()
        self.reader = reader
        # No method of its own: the transcript, which may be long, goes with the last one to use it.
        super().__init__(path, partial(_take_line, reader, self.transcript, redactor, also))


def _take_line(
    reader: EventReader, transcript: Transcript, redactor: Redactor, also: Also | None, line: bytes
) -> None:
    try:
        event = redactor.value(json.loads(line))
    except (ValueError, RecursionError):
        return  # not an event: the agent may print other things
    if isinstance(event, dict):
        reader.take(event, transcript)
        if also:
            also(event)
