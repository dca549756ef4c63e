"""The memory that a process holds with what it started, as /proc shows it (Linux)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from director.processes.process_table import (
    PROC,
    carries,
    list_processes,
    proportional_kib,
    resident_pages,
)


def descendants(root: int) -> Iterator[int]:
    """Give the processes that ``root`` started, and those that these started in their turn."""
    children: dict[int, list[int]] = {}
    for one in list_processes():
        children.setdefault(one.parent, []).append(one.pid)
    found = list(children.get(root, ()))
    for pid in found:
        yield pid
        found.extend(children.get(pid, ()))


def held_bytes(root: int, marker: str) -> int | None:
    """Return what ``root`` holds, with its descendants that carry ``marker``.

    Pages that processes share count in parts where the kernel tells (``smaps_rollup``), else for
    each of them. None: it is not known here.
    """
    if not PROC.is_dir():
        return None
    own = [pid for pid in descendants(root) if carries(pid, marker)]
    return sum(map(_held, (root, *own)))


def _held(pid: int) -> int:
    kib = proportional_kib(pid)
    return resident_pages(pid) * os.sysconf("SC_PAGE_SIZE") if kib is None else kib * 1024
