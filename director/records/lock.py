"""One process per job: an flock that the kernel drops when its holder dies."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from director.model.errors import StoppedError
from director.model.reason import Reason
from director.records.clock import now
from director.records.files import READ, content_of, make_folder, os_errors_stop

MAX_ATTEMPTS = 20
PAUSE_SECS = 0.01


class Holder(NamedTuple):
    """The process that a lock file names: its command, and since when it has had the lock.

    ``started`` tells it from a later process with the same ``pid``: clock ticks since ``host``
    was booted (None: not known, as with earlier versions and where there is no /proc).
    """

    pid: int
    command: str
    since: str
    started: int | None = None
    host: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether this process runs on this machine, as far as can be known here."""
        return (
            self.host == os.uname().nodename
            and self.started is not None
            and started_at(self.pid) == self.started
        )

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.command} (process {self.pid}, since {_local(self.since)})"


def _local(moment: str) -> str:
    """Return a moment as a person's clock has it; what is none stays as it is."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return moment


def started_at(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the boot; None: unknown, or it is over.

    Without /proc (macOS) it is 0 for every process that runs: the lock itself has to tell then.
    """
    if not Path("/proc/self/stat").exists():
        with suppress(OSError):
            os.kill(pid, 0)
            return 0
        return None
    try:
        said = os.fsdecode(Path(f"/proc/{pid}/stat").read_bytes()).rpartition(")")[2].split()
        return None if said[0] in ("Z", "X") else int(said[19])
    except (OSError, ValueError, IndexError):
        return None


def has_open(pid: int, path: Path) -> bool:
    """Whether a process has the lock file at ``path`` open; True where that cannot be known."""
    try:
        wanted = path.stat()
        found = list(Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return not Path("/proc/self/fd").exists()
    except PermissionError:  # another user's, or one that may not be traced
        return has_locked(pid, path)
    for descriptor in found:
        with suppress(OSError):  # it was closed meanwhile
            if os.path.samestat(descriptor.stat(), wanted):
                return True
    return False


def has_locked(pid: int, path: Path) -> bool:
    """Whether the kernel lists an flock of a process on ``path`` (proc_locks(5)); True: unknown."""
    try:
        inode = path.stat().st_ino
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return True
    taken = (line.split()[1:6] for line in lines)
    return any(
        (kind, holder, file.rpartition(":")[2]) == ("FLOCK", str(pid), str(inode))
        for kind, _, _, holder, file in taken
    )


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
                f"{_holder(descriptor)} holds the job's lock",
                "wait for it to end, or end it with `director stop`",
                Reason.LOCKED,
            )
        pid, host = os.getpid(), os.uname().nodename
        holder = Holder(pid, purpose, now(), started_at(pid), host)
        with os_errors_stop(path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(holder._asdict()).encode())
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)  # whoever is named after the end was killed
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock at ``path`` now, whatever the file says of one."""
    try:
        descriptor = os.open(path, READ)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


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


def read_holder(path: Path) -> Holder | None:
    """Return the process that the lock file at ``path`` names; None: it names none.

    One that ended in good order has taken its name out. Whether the lock is held now ``is_held``
    tells: a killed process leaves its name.
    """
    try:
        return _named(content_of(path))
    except OSError:
        return None


def _holder(descriptor: int) -> str:
    named = _named(os.pread(descriptor, 4096, 0))
    return str(named) if named else "a process that is just starting"


def _named(text: bytes) -> Holder | None:
    try:
        known: dict[str, Any] = json.loads(text)
        pid, started = int(known["pid"]), known.get("started")
        return Holder(
            pid,
            str(known["command"]),
            str(known["since"]),
            started if isinstance(started, int) else None,
            str(known.get("host", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
