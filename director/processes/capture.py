"""Short commands that director runs for itself (git), and what they say."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from director.model.errors import InterruptedRunError
from director.processes.cancellation import Cancellation, in_charge
from director.processes.children import CHILDREN, signal_group
from director.processes.process_table import MARKER

POLL_SECS = 0.1
END_SECS = 0.4  # for a short command that is under way at a ctrl-C
LAST_SECS = 5.0  # for all that are begun after it
VERSION_SECS = 10.0


class _Awaited:
    """Short commands that are waited for until they end; after a ctrl-C not for long.

    One that was under way then has END_SECS left. Those begun later, so that all ends in good
    order, have LAST_SECS from then on, and END_SECS each after that.
    """

    def __init__(self) -> None:
        self.since: dict[subprocess.Popen[bytes], float] = {}
        self.cut: dict[subprocess.Popen[bytes], int] = {}  # process → the signal it was cut for
        self._watched: Cancellation | None = None

    def watch(self) -> None:
        """Make sure that a thread acts on a ctrl-C: a waiting one cannot."""
        cancellation = in_charge()
        if cancellation and cancellation is not self._watched:
            self._watched = cancellation
            end_late = partial(self._end_late, cancellation)
            cancellation.told_of_end.append(end_late)
            if cancellation.requested:  # too late to be told, or just in time: twice is no harm
                threading.Thread(target=end_late, daemon=True).start()

    def _end_late(self, cancellation: Cancellation) -> None:
        asked = time.monotonic()
        while True:
            late = [process for process, since in list(self.since.items()) if _late(since, asked)]
            for process in late:
                self.cut.setdefault(process, cancellation.signal_number or signal.SIGINT)
                signal_group(process, signal.SIGTERM)  # git removes its lock files then
            time.sleep(POLL_SECS)
            for process in late:
                signal_group(process, signal.SIGKILL)


def _late(since: float, asked: float) -> bool:
    """Whether a wait that began at ``since`` is over, where the end was asked for at ``asked``."""
    begun = asked if since <= asked else max(since, asked + LAST_SECS - END_SECS)
    return time.monotonic() > begun + END_SECS


_AWAITED = _Awaited()


class _Wait:
    """The context in which to wait for a process, as often as needed.

    InterruptedRunError when it was ended meanwhile. ``began``: since when the process has been
    under way for the waiter, by the monotonic clock; None: since the wait begins. A class, for
    speed: there are thousands.
    """

    def __init__(self, process: subprocess.Popen[bytes], began: float | None = None) -> None:
        self._process = process
        self._began = began
        _AWAITED.watch()

    def __enter__(self) -> None:
        _AWAITED.since[self._process] = self._began or time.monotonic()

    def __exit__(self, *_error: object) -> None:
        del _AWAITED.since[self._process]
        if number := _AWAITED.cut.pop(self._process, None):
            raise InterruptedRunError(number)


class Captured(NamedTuple):
    """Exit code and both streams of a short command."""

    code: int
    out: bytes
    err: bytes


def capture(
    argv: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    stdin: bytes = b"",
    timeout_secs: float | None = None,
    *,
    interruptible: bool = True,
) -> Captured:
    """Run a short command that leaves nothing behind (git) and return what it said.

    It has a session of its own, so that a ctrl-C in the terminal does not cut it in half; if it
    takes longer than that allows, it is ended in good order, unless it is not ``interruptible``.
    Raises OSError when it cannot be started, and when it is still running after ``timeout_secs``
    (TimeoutError); InterruptedRunError after a ctrl-C.
    """
    given = subprocess.PIPE if stdin else subprocess.DEVNULL
    began = time.monotonic()  # a ctrl-C while it starts finds it under way
    with _start(argv, cwd, env, stdin=given, stderr=subprocess.PIPE) as process:
        try:
            with _Wait(process, began) if interruptible else nullcontext():
                out, err = process.communicate(stdin or None, timeout_secs)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise TimeoutError(str(error)) from None
        finally:
            CHILDREN.forget(process)
    return Captured(process.returncode, out, err)


class Dialogue:
    """A process that answers on its pipes for as long as it is needed (git).

    It ends by itself when this process does: then there is nothing left to read from. What goes
    wrong in between is an OSError; after a ctrl-C an answer may end in InterruptedRunError.
    """

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._process = _start(argv, cwd, env, stdin=pipe, stderr=nowhere)
        assert self._process.stdin and self._process.stdout
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self._wait = _Wait(self._process)

    def say(self, question: bytes) -> None:
        """Send ``question``."""
        with self._wait:
            self._questions.write(question)
            self._questions.flush()

    def line(self) -> bytes:
        """Return the next line of the answer, without its end."""
        with self._wait:
            line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise BrokenPipeError("the answer was cut off")
        return line[:-1]

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes of the answer."""
        with self._wait:
            data = self._answers.read(size)
        if len(data) < size:
            raise BrokenPipeError("the answer was cut off")
        return data

    def end(self) -> None:
        """End the process; may be called again."""
        for pipe in (self._questions, self._answers):
            with suppress(OSError):
                pipe.close()
        self._process.wait()
        CHILDREN.forget(self._process)


def absolute_path(env: Mapping[str, str]) -> str:
    """Return PATH without relative folders: in a worktree those are the agent's."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder.startswith("/"))


def _start(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], **streams: int
) -> subprocess.Popen[bytes]:
    """Start a command that director runs for itself, confined by nothing.

    What it leaves (git a shared ssh connection) is the user's.
    """
    told = {**env, "PATH": absolute_path(env), MARKER: CHILDREN.marker}
    return CHILDREN.start(argv, cwd=cwd, env=told, stdout=subprocess.PIPE, **streams)


def said_version(program: str, env: Mapping[str, str]) -> str:
    """Return what ``program --version`` prints, or ""; asked once per process."""
    return _said_version(program, tuple(sorted(env.items())))


@cache
def _said_version(program: str, env: tuple[tuple[str, str], ...]) -> str:
    try:
        done = capture([program, "--version"], Path("/"), dict(env), timeout_secs=VERSION_SECS)
    except OSError:
        return ""
    return done.out.decode(errors="replace").strip() if done.code == 0 else ""


def run_attached(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], cancellation: Cancellation
) -> int:
    """Run a command on this terminal, as a shell would, and return its exit code.

    A SIGTERM is passed on; a ctrl-C reaches the command from the terminal itself.
    """
    process: subprocess.Popen[bytes] = CHILDREN.start(
        argv, cwd=cwd, env=env, start_new_session=False
    )
    passed_on = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(POLL_SECS)
        if cancellation.signal_number == signal.SIGTERM and not passed_on:
            process.terminate()
            passed_on = True
