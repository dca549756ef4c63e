"""One process per job: an flock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from director.model.errors import StoppedError
from director.records.clock import now
from director.records.files import explained, make_folder


@contextmanager
def held(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock at ``path``; StoppedError, naming the holder, when another process has it."""
    with explained(path):
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoppedError(
                f"another run holds the lock: {_holder(descriptor)}",
                "wait for it to end, or stop it",
            ) from None
        said = {"pid": os.getpid(), "command": purpose, "since": now()}
        with explained(path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(said).encode())
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether the process that took the lock at ``path`` last still lives.

    Asks without trying the lock: to hold it for a moment could turn a starting run away.
    """
    try:
        os.kill(int(json.loads(path.read_bytes())["pid"]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _holder(descriptor: int) -> str:
    try:
        known = json.loads(os.pread(descriptor, 4096, 0))
        return f"{known['command']} (process {known['pid']}, since {known['since']})"
    except (ValueError, KeyError, TypeError):
        return "a process that has not said its name yet"
