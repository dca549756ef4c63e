"""The kernel's table of processes, as /proc shows it (Linux; elsewhere it is empty)."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
READ_BYTES = 64 * 1024
MARKER = "DIRECTOR_PROCESS"  # the variable that says who is to end a process


class Listed(NamedTuple):
    """What /proc/<pid>/stat says of a process. ``started`` counts clock ticks since boot."""

    pid: int
    over: bool
    parent: int
    group: int
    started: int


def left_in_group(group: int, found: Iterable[Listed]) -> bool:
    """Whether a process of ``group`` has outlived its leader (zombies do not count).

    While a process has the id of the group, the id may have been given out again: then no.
    """
    members = [one for one in found if one.group == group]
    return all(one.pid != group for one in members) and not all(one.over for one in members)


def process_ids() -> list[int]:
    """Return the ids of all processes (none where there is no /proc)."""
    if not PROC.is_dir():
        return []
    with os.scandir(PROC) as entries:
        return [int(entry.name) for entry in entries if entry.name.isdecimal()]


def list_processes() -> Iterator[Listed]:
    """Give every process (none where there is no /proc)."""
    yield from filter(None, map(look_up, process_ids()))


def look_up(pid: int) -> Listed | None:
    """Return a process, or None for one that is just gone (or where there is no /proc)."""
    try:
        said = os.fsdecode(_read(pid, "stat")).rpartition(")")[2].split()
        state, parent, group, started = said[0], int(said[1]), int(said[2]), int(said[19])
    except (OSError, ValueError, IndexError):
        return None
    return Listed(pid, state in ("Z", "X"), parent, group, started)


def _read(pid: int, name: str) -> bytes:
    descriptor = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)  # often called
    try:
        return b"".join(iter(lambda: os.read(descriptor, READ_BYTES), b""))
    finally:
        os.close(descriptor)


def carries(pid: int, *markers: str) -> bool:
    """Whether the marker in a process's environment begins with one of ``markers``."""
    try:
        environment = b"\0" + _read(pid, "environ")
    except OSError:
        return False  # another user's, or just gone
    return any(f"\0{MARKER}={marker}".encode() in environment for marker in markers)


def proportional_kib(pid: int) -> int | None:
    """Return the memory of a process in KiB, shared pages in parts; None: it is not to be read."""
    try:
        lines = _read(pid, "smaps_rollup").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(b"Pss:")), None)


def resident_pages(pid: int) -> int:
    """Return how many pages of a process are in memory (0: it is just gone)."""
    try:
        return int(_read(pid, "statm").split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def children_of_first_thread() -> set[int] | None:
    """Return the children of this process's first thread (None: this kernel does not tell)."""
    pid = os.getpid()
    try:
        return set(map(int, _read(pid, f"task/{pid}/children").split()))
    except OSError:
        return None


def works_in(pid: int, folder: Path) -> bool:
    """Whether ``folder`` holds a process's working directory."""
    try:
        return (PROC / str(pid) / "cwd").readlink().is_relative_to(folder.resolve())
    except OSError:
        return False  # another user's, or just gone
