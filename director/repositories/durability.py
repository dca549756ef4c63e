"""Waiting until objects are on disk, all of them for little more than the price of one.

As git does it (git-config(1), ``core.fsyncMethod=batch``): the data of each file is written out,
and one fsync then makes the file system put on disk what it noted of all of them. Where a system
cannot write out a file alone, each is synced.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from director.records.files import os_errors_stop

WRITTEN_OUT = 1 | 2 | 4  # sync_file_range(2): wait before, write, wait after


def sync_files(paths: Iterable[Path | str]) -> None:
    """Wait until the files among ``paths`` that exist are on disk, with their names."""
    write_out, last = _write_out(), None
    for path in paths:
        with os_errors_stop(path), suppress(FileNotFoundError):
            _with_descriptor(path, write_out)
            last = path
    if last:
        with os_errors_stop(last):
            _with_descriptor(last, os.fsync)


def _with_descriptor(path: Path | str, do: Callable[[int], None]) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        do(descriptor)
    finally:
        os.close(descriptor)


@cache
def _write_out() -> Callable[[int], None]:
    """Return what waits until the data of a file is written, where the system has such a call."""
    import ctypes

    found = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if found is None:
        return os.fsync
    found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)

    def write_out(descriptor: int) -> None:
        if found(descriptor, 0, 0, WRITTEN_OUT) != 0:
            os.fsync(descriptor)  # not on this file system

    return write_out
