"""The memory of one process, or of all that belong to one home folder, watched while they run."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
EVERY_SECS = 0.1
PAGE = os.sysconf("SC_PAGE_SIZE")


class _Watch:
    """Looks again and again while the context is open."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(EVERY_SECS):
            self._look()

    def _look(self) -> None:
        raise NotImplementedError


class PeakMemory(_Watch):
    """Keeps the largest sum of resident memory, ``bytes``, while the context is open.

    Pages that processes share count for each of them. Where there is no ``/proc`` it stays 0.
    """

    def __init__(self, home: str) -> None:
        super().__init__()
        self.bytes = 0
        self._needle = f"HOME={home}\0".encode()

    def _look(self) -> None:
        self.bytes = max(self.bytes, sum(map(self._resident, PROC.glob("[0-9]*"))))

    def _resident(self, process: Path) -> int:
        """Return what a process holds in memory, 0 for one of another user's or one that went."""
        with suppress(OSError):
            if self._needle in (process / "environ").read_bytes():
                return int((process / "statm").read_text().split()[1]) * PAGE
        return 0


class OwnPeak(_Watch):
    """Keeps the most that one process has held, ``mib``; 0 where there is no ``/proc``."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.mib = 0.0
        self._status = PROC / str(pid) / "status"

    def _look(self) -> None:
        with suppress(OSError):
            for line in self._status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.mib = int(line.split()[1]) / 1024
