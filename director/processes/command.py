"""A command and how it ended, as values, and the start of one."""

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from director.processes.bounded_log import BoundedPipe
from director.processes.children import start_bound
from director.processes.process_table import MARKER
from director.records.files import open_to_append


class Ending(StrEnum):
    """Why a process is over."""

    EXITED = "exited"
    NOT_STARTED = "not started"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    LOST = "lost"  # the fault of what was to run it, which cannot say how it ended


class Step(Protocol):
    """What runs on another machine for a process of this one, which waits for its end."""

    def began(self) -> bool:
        """Whether it has begun: until then it waits its turn, and its time does not count."""
        ...

    def code(self) -> int | None:
        """Return its exit code; None: unknown how it ended. For after the process's end."""
        ...

    def end(self) -> None:
        """End it, and return when nothing of it runs. For after the process's end."""
        ...


class Command(NamedTuple):
    """What to run. Streams are files, so that nothing is lost and no open pipe can block.

    ``stderr`` None: the same file as ``stdout``. ``timeout_secs`` is wall time. ``keep_bytes``:
    of what it says, on both streams, only so much is kept of the beginning and of the end.
    ``bind`` binds the thread that starts it, which does nothing else, and so all that it starts.
    ``first_signal`` is what it understands best when it is to end; ``step`` is what it does on
    another machine.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stdout: Path
    timeout_secs: float
    stderr: Path | None = None
    stdin: Path | None = None
    bind: Callable[[], None] | None = None
    keep_bytes: int | None = None
    first_signal: signal.Signals = signal.SIGTERM
    step: Step | None = None

    def __repr__(self) -> str:
        """Return it without the variables, which hold keys."""
        return f"Command({self.argv!r}, cwd={self.cwd!r})"


class Ended(NamedTuple):
    """How a process ended. ``code`` as subprocess has it; ``reason`` is set when it was stopped.

    ``left_out`` counts the bytes that ``keep_bytes`` kept out of its log.
    """

    ending: Ending
    code: int | None
    wall_secs: float
    reason: str = ""
    left_out: int = 0


Watch = Callable[[], str | None]
"""Called while a process runs; a sentence it returns ends the process."""


def start_command(
    command: Command, marker: str, said: BoundedPipe | None = None
) -> subprocess.Popen[bytes]:
    """Start a command that carries ``marker`` and says what it says into its files, or ``said``.

    Without a file for its input it gets none. Raises OSError, ValueError; StoppedError where there
    is no room for one more process.
    """
    with ExitStack() as stack:
        given: int | BinaryIO = subprocess.DEVNULL
        if command.stdin:
            given = stack.enter_context(command.stdin.open("rb"))
        out: int | BinaryIO
        err: int | BinaryIO
        if said:
            stack.callback(said.started)
            out = err = said.sink
        else:
            out = err = stack.enter_context(open_to_append(command.stdout))
            if command.stderr:
                err = stack.enter_context(open_to_append(command.stderr))
        env = {**command.env, MARKER: marker}
        streams = {"stdin": given, "stdout": out, "stderr": err}
        return start_bound(command.bind, command.argv, cwd=command.cwd, env=env, **streams)
