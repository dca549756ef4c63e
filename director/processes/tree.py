"""A process with all that it started: whether any of it is left, and how it is ended.

Agents start commands in sessions of their own, which outlive them; the marker in their environment
finds those too (Linux, by ``/proc/<pid>/environ``; elsewhere only the process group is ended).
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from director.processes.children import CHILDREN, send
from director.processes.process_table import (
    PROC,
    Listed,
    carries,
    left_in_group,
    list_processes,
    look_up,
    process_ids,
    works_in,
)

GRACE_SECS = (1.0, 2.0)  # after the first signal and the SIGTERM that follows; then SIGKILL
TICK_SECS = 0.02


class Tree:
    """A process of ours, if any, with its group, and everything that carries its marker."""

    def __init__(
        self,
        marker: str,
        process: subprocess.Popen[bytes] | None = None,
        within: tuple[str, Path] | None = None,
        first_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._first_signal = first_signal
        self._process = process
        self._marker = marker
        self._within = within  # what also counts: a beginning of markers, in a folder

    def end(self) -> None:
        """End all of it; its marker spares nothing any more."""
        try:
            self._end()
        finally:
            CHILDREN.markers.discard(self._marker)

    def _end(self) -> None:
        for number, grace in zip((self._first_signal, signal.SIGTERM), GRACE_SECS, strict=True):
            if not self._alive():
                return
            self._signal(number)
            deadline = time.monotonic() + grace
            while self._alive() and time.monotonic() < deadline:
                time.sleep(TICK_SECS)
        for _ in range(50):  # a tree that forks while it is killed needs more than one pass
            if not self._alive():
                return
            self._signal(signal.SIGKILL)
            time.sleep(TICK_SECS)

    def _alive(self) -> bool:
        """Whether anything of it is left, an orphan of any tree among it: one look at /proc."""
        if self._process and self._process.poll() is None:
            return True
        if self._process and CHILDREN.are_all_known():
            return False
        found = list(list_processes())
        if any(self._ours(found)) or self._group_lives(found):
            return True
        return any(map(CHILDREN.is_strange, found)) and bool(_orphans())

    def _ours(self, found: Iterable[Listed]) -> Iterator[Listed]:
        """Give those that belong to it. Nothing older than director can have got the marker."""
        director = look_up(os.getpid())
        since = director.started if director else 0
        return (one for one in found if one.started >= since and self._is_ours(one))

    def _is_ours(self, one: Listed) -> bool:
        if carries(one.pid, self._marker):
            return True
        if self._within is None:
            return False
        beginning, folder = self._within
        return works_in(one.pid, folder) and carries(one.pid, beginning)

    def _group_lives(self, found: Iterable[Listed]) -> bool:
        if self._process is None:
            return False
        if PROC.is_dir():
            return left_in_group(self._process.pid, found)
        try:
            os.killpg(self._process.pid, 0)
        except OSError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        found = list(list_processes())
        if self._process and (self._process.poll() is None or self._group_lives(found)):
            with suppress(OSError):
                os.killpg(self._process.pid, number)
        for pid in (*(one.pid for one in self._ours(found)), *_orphans()):
            send(pid, number)


def _orphans() -> list[int]:
    with CHILDREN.turn:
        return CHILDREN.orphans()


def marked(prefix: str) -> list[int]:
    """Return the processes whose marker starts with ``prefix`` (none where there is no /proc)."""
    return [pid for pid in process_ids() if carries(pid, prefix)]
