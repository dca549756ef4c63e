"""Bringing the job branch into the user's repository: now, or soon and beside the work."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from director.model.errors import DirectorError
from director.records.events import Events, Kind
from director.repositories.git import GitError
from director.repositories.job_repository import JobRepository

PAUSE_SECS = 5.0  # from the beginning to the first, and between two, while no end is near


class Publisher:
    """Publishes one job's branch. Callable from any thread.

    What is done beside the work keeps a pause (seconds) from the beginning, too: a short run
    publishes once, at its end.
    """

    def __init__(self, job: JobRepository, events: Events, pause_secs: float = PAUSE_SECS) -> None:
        self._job = job
        self._events = events
        self._pause_secs = pause_secs
        self._due = time.monotonic() + pause_secs
        self._turn = threading.Lock()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._beside: threading.Thread | None = None

    def now(self) -> str | None:
        """Publish; returns why that could not be done, or None."""
        tip = self._job.tip()
        try:
            problem = self._job.publish()
        except GitError as error:  # a worse reason to stop may be on its way: do not hide it
            problem = error.what
        if problem is None:
            self._events.emit(Kind.PUBLISHED, branch=self._job.branch, commit=tip)
        else:
            branch = self._job.branch
            self._events.notice(f"{branch} was not updated in your repository: {problem}")
        return problem

    def soon(self) -> None:
        """Publish as soon as may be, at most once in a pause; the caller goes ahead."""
        with self._turn:
            self._wanted.set()
            if self._beside is None:
                self._beside = threading.Thread(target=self._publish_beside, daemon=True)
                self._beside.start()

    def close(self) -> str | None:
        """Publish for the last time, and end."""
        self._closing.set()
        self._wanted.set()
        if self._beside is not None:
            self._beside.join()
        return self.now()

    def _publish_beside(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._closing.wait(self._due - time.monotonic())
            self._wanted.clear()
            if not self._closing.is_set():
                # A fetch into a large repository takes a while: no lane waits for it.
                with suppress(DirectorError):  # the lanes, or the last publishing, raise it
                    self.now()
                self._due = time.monotonic() + self._pause_secs
