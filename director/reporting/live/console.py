"""Everything that happens, a line for each event."""

from __future__ import annotations

from typing import IO

from director.records.events import Event, Listener
from director.reporting.live.words import clock_of, words_of


def console(stream: IO[str]) -> Listener:
    """Return a listener that prints events to ``stream``; a closed stream is no reason to stop."""

    def listen(event: Event) -> None:
        line = line_of(event)
        if line is None:
            return
        try:
            print(line, file=stream, flush=True)
        except (OSError, ValueError):
            return

    return listen


def line_of(event: Event) -> str | None:
    """Return the line for an event, in local time, or None when it is not worth one."""
    text = words_of(event)
    if text is None:
        return None
    node = f"{event.node}: " if event.node else ""
    return f"{clock_of(event)}  {node}{text}"
