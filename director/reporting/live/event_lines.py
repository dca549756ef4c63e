"""Events for programs: one JSON object in a line, as they happen."""

from __future__ import annotations

import json
import threading
from typing import IO

from director.records.events import Event, Listener


def event_lines(stream: IO[str]) -> Listener:
    """Return a listener that prints each event to ``stream`` at once, passing ones too.

    A closed stream is no reason to stop.
    """
    whole = threading.Lock()  # a listener of several ``Events`` may be told two at once

    def listen(event: Event) -> None:
        line = json.dumps(event.to_json(), ensure_ascii=False, default=str)
        with whole:
            try:
                print(line, file=stream, flush=True)
            except (OSError, ValueError):
                return

    return listen
