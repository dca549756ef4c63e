"""A command of the user's that is told something on standard input, and has a while to react."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from director.model.format import duration
from director.processes.children import CHILDREN, signal_group
from director.processes.process_table import MARKER

READ_BYTES = 4096  # of what it said last


def deliver(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], message: bytes, timeout_secs: float
) -> str | None:
    """Run a command with ``message`` on its input; return why that failed, or None.

    It is confined by nothing and has a session of its own; after ``timeout_secs`` its whole group
    is killed. What it leaves in the background is the user's.
    """
    with tempfile.TemporaryFile() as said:
        try:
            told = {**env, MARKER: CHILDREN.marker}  # what it leaves is not taken for an agent's
            streams = {"stdin": subprocess.PIPE, "stdout": said, "stderr": said}
            process = CHILDREN.start(argv, cwd=cwd, env=told, **streams)
        except (OSError, ValueError) as error:
            return f"it cannot be started: {getattr(error, 'strerror', None) or error}"
        try:
            with process:
                late = _waited_in_vain(process, message, timeout_secs)
        finally:
            CHILDREN.forget(process)
        if late:
            return f"it was ended after {duration(timeout_secs)}"
        return None if process.returncode == 0 else _why(process.returncode, _end_of(said.fileno()))


def _waited_in_vain(process: subprocess.Popen[bytes], message: bytes, timeout_secs: float) -> bool:
    """Give the message and wait; whether the process had to be killed."""
    try:
        process.communicate(message, timeout_secs)
    except subprocess.TimeoutExpired:
        signal_group(process, signal.SIGKILL)
        with suppress(OSError):
            process.communicate()
        return True
    return False


def _why(code: int, said: str) -> str:
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    return f"{how}: {said}" if said else how


def _end_of(descriptor: int) -> str:
    """Return the last line that was written to a file."""
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, READ_BYTES, max(0, size - READ_BYTES)).decode(errors="replace")
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
