"""One process per job: an flock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from director.model.errors import StoppedError
from director.model.reason import Reason
from director.records.clock import now
from director.records.files import make_folder, os_errors_stop

MAX_ATTEMPTS = 20
PAUSE_SECS = 0.01


@contextmanager
def job_lock(
    path: Path, purpose: str, pause: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the lock at ``path``; StoppedError, naming the holder, when another process has it."""
    with os_errors_stop(path):
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with os_errors_stop(path):
            taken = _taken(descriptor, pause)
        if not taken:
            raise StoppedError(
                f"another run holds the lock: {_holder(descriptor)}",
                "wait for it to end, or stop it",
                Reason.LOCKED,
            )
        said = {"pid": os.getpid(), "command": purpose, "since": now()}
        with os_errors_stop(path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(said).encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock at ``path`` now, whatever the file says of one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


def holder_of(path: Path) -> dict[str, Any] | None:
    """Return what the process that holds the lock at ``path`` says of itself; None: nobody does.

    Empty while it has not said anything yet; else ``pid``, ``command`` and ``since``.
    """
    if not is_held(path):
        return None
    try:
        said = json.loads(path.read_bytes()[:4096])
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _taken(descriptor: int, pause: Callable[[float], None]) -> bool:
    """Take the lock, unless a process works under it.

    Who only asks (``is_held``) shares it for a moment, which is waited for.
    """
    for number in range(MAX_ATTEMPTS):
        if number:
            pause(PAUSE_SECS)
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _holder(descriptor: int) -> str:
    try:
        known = json.loads(os.pread(descriptor, 4096, 0))
        return f"{known['command']} (process {known['pid']}, since {known['since']})"
    except (ValueError, KeyError, TypeError):
        return "a process that has not said its name yet"
