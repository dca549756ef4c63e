"""Printing a log while it grows, until what it is about is over."""

from __future__ import annotations

from collections.abc import Callable

from director.records import json_lines
from director.records.following import LinesFollower
from director.records.job_directory import JobDirectory
from director.records.lock import is_held
from director.reporting.logs.log_view import node_end
from director.reporting.logs.node_log import NodeLog
from director.reporting.logs.printer import LogPrinter

ENDED = frozenset({"done", "failed", "blocked"})


class LogFollower:
    """Prints ``log`` as the journal of a job grows."""

    def __init__(self, directory: JobDirectory, log: NodeLog, printer: LogPrinter) -> None:
        self._directory = directory
        self._log = log
        self._printer = printer
        self._journal = LinesFollower(directory.events, self._take)

    def follow(self, pause: Callable[[], bool]) -> None:
        """Print what there is and what comes, until it is over; or until ``pause`` says so.

        ``pause`` waits a moment and returns whether to stop.
        """
        while not self._step():
            if pause():
                return

    def _step(self) -> bool:
        """Print what is new; returns whether nothing more will come."""
        working = is_held(self._directory.lock)  # asked first: what it did last is read below
        self._journal.poll()
        over = self._log.status in ENDED or not working
        self._printer.advance(self._log, over=over)
        if over and self._log.status in ENDED:
            self._printer.lines(node_end(self._log, self._printer.style))
        return over

    def _take(self, line: bytes) -> None:
        event = json_lines.object_in(line)
        if event is not None:  # else half a line that a crash left
            self._log.take(event)
