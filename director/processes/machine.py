"""The machine that director runs on: what it may use of it now."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from director.processes.process_table import PROC

SPARED_BYTES = 200 * 2**20  # of the disk: for records, logs, temporary files
CGROUP = Path("/sys/fs/cgroup")  # version 2, as a container sees its own


class Machine(NamedTuple):
    """Cores, and memory in bytes that can be had without swapping (None: unknown).

    ``cluster``: places on a cluster are counted; who waits for an answer keeps one.
    """

    cores: int
    free_bytes: int | None
    cluster: bool = False


class Room(NamedTuple):
    """Disk for lanes, in bytes: what one takes, and what is ``free``.

    ``prepared`` is the number of those that are there already.
    """

    lane_bytes: int
    free: int
    prepared: int = 0

    @property
    def lanes(self) -> int:
        """How many lanes fit, those that are prepared included."""
        return self.prepared + max(0, self.free - SPARED_BYTES) // max(1, self.lane_bytes)


def free_disk(folder: Path) -> int | None:
    """Return the bytes that may still be written in ``folder``; None: unknown."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def measure_machine(proc: Path = PROC, cgroup: Path = CGROUP) -> Machine:
    """Return what this process may use, the limits of its container included."""
    known = [free for free in (_free_memory(proc), _free_in_cgroup(cgroup)) if free is not None]
    return Machine(_cores(cgroup), min(known, default=None))


def _cores(cgroup: Path) -> int:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = (cgroup / "cpu.max").read_text().split()
        cores = min(cores, int(quota) // int(period))  # "max": no limit, a ValueError
    return max(1, cores)


def _free_memory(proc: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        text = (proc / "meminfo").read_text()
        return int(text.partition("MemAvailable:")[2].split()[0]) * 1024
    with suppress(OSError, ValueError):  # macOS does not say what is free: half of all
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def _free_in_cgroup(cgroup: Path) -> int | None:
    with suppress(OSError, ValueError, IndexError):
        limit = int((cgroup / "memory.max").read_text())  # "max": no limit, a ValueError
        used = int((cgroup / "memory.current").read_text())
        cached = (cgroup / "memory.stat").read_text().partition("inactive_file ")[2].split()[0]
        return max(0, limit - used + int(cached))
    return None
