"""The one door through which processes are started, and through which they end.

Every process gets a session of its own and a marker in its environment. Agents start commands
in sessions of their own, which outlive them; the marker finds those too (Linux, by
``/proc/<pid>/environ``; elsewhere only the process group is ended). One that dropped its
environment as well is found as a child of director's (``adopt_orphans``).
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from director.model.errors import InterruptedRunError, StoppedError
from director.processes.bounded_log import BoundedLog
from director.processes.cancellation import Cancellation, in_charge
from director.processes.process_table import (
    PROC,
    Listed,
    carries,
    children_of_first_thread,
    left_in_group,
    list_processes,
    look_up,
    works_in,
)
from director.records.files import open_to_append

MARKER = "DIRECTOR_PROCESS"
POLL_SECS = 0.1
END_SECS = 0.4  # for a short command that is under way at a ctrl-C
LAST_SECS = 5.0  # for all that are begun after it
EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)
PIPE_BYTES = 1024 * 1024  # what Linux allows everybody (pipe(7))
LAST_READS = 16
VERSION_SECS = 10.0
GRACE_SECS = (1.0, 2.0)  # after the first signal and the SIGTERM that follows; then SIGKILL
SET_CHILD_SUBREAPER = 36  # prctl(2)
# Becomes the command; what stays behind in the background ends its group when standard input does.
WATCHED = """\
exec 3<&0 </dev/null
(read -r _ <&3; trap '' TERM; kill -- -$$; sleep 1; kill -9 -- -$$) >/dev/null 2>&1 &
exec "$@" 3<&-
"""


class _Children:
    """The processes that this one started itself; any other child of it is an orphan."""

    def __init__(self) -> None:
        self.adopting = False
        self.own: dict[int, subprocess.Popen[bytes]] = {}
        self.markers: set[str] = set()  # of trees that somebody ends yet
        self.marker = f"director:{os.urandom(6).hex()}"  # of what git leaves: it is the user's
        # Its holder may be made to end a process: the garbage collector runs anywhere.
        self.turn = threading.RLock()

    def start(self, *args: Any, **how: Any) -> subprocess.Popen[bytes]:
        """Start a process; nobody can take it for an orphan, and a second ctrl-C kills it.

        Raises OSError; StoppedError where there is no room for one more.
        """
        cancellation = in_charge()
        if cancellation and self.kill_all not in cancellation.last_resorts:
            cancellation.last_resorts.append(self.kill_all)
        with self.turn, _room():
            process = subprocess.Popen(*args, **how)
            self.own[process.pid] = process
            return process

    def kill_all(self) -> None:
        """Kill what was started in a session of its own. Takes no lock: for a signal handler."""
        for process in list(self.own.values()):
            _signal_group(process, signal.SIGKILL)

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """Note that a process of ours is over: its id may be given out again."""
        with self.turn:
            if self.own.get(process.pid) is process:
                del self.own[process.pid]

    def orphans(self) -> list[int]:
        """Return orphans that nobody else ends, and let those that are over go.

        A marker is a variable, for anybody to set: only those that were given out count. Only for
        the holder of ``turn``, or in a process that is about to end.
        """
        if not self.adopting:
            return []
        found, needles = [], [_needle(marker) for marker in (self.marker, *self.markers)]
        for one in filter(self.is_strange, list_processes()):
            if one.over:
                with suppress(OSError):
                    os.waitpid(one.pid, os.WNOHANG)
            elif not any(carries(one.pid, needle) for needle in needles):
                found.append(one.pid)
        return found

    def is_strange(self, one: Listed) -> bool:
        """Whether a process is a child that this one did not start."""
        return self.adopting and one.parent == os.getpid() and one.pid not in self.own

    def are_all_known(self) -> bool:
        """Whether every child of this process is one that it started itself.

        Then nothing is left of a tree whose root is over: what outlives its parent becomes a
        child of this process (prctl(2), PR_SET_CHILD_SUBREAPER), of its first thread. The kernel
        may pass over a child while another one ends (proc(5)), so it is asked twice.
        """
        return self.adopting and all(self._known_now() for _ in range(2))

    def _known_now(self) -> bool:
        found = children_of_first_thread()
        return found is not None and self.own.keys() >= found


_CHILDREN = _Children()


class _Awaited:
    """Short commands that somebody waits for until they end; after a ctrl-C not for long.

    One that was under way then has END_SECS left. Those begun later, so that all ends in good
    order, have LAST_SECS from then on, and END_SECS each after that.
    """

    def __init__(self) -> None:
        self._since: dict[subprocess.Popen[bytes], float] = {}
        self._cut: dict[subprocess.Popen[bytes], int] = {}  # process → the signal it was cut for
        self._watched: Cancellation | None = None

    def wait(self, process: subprocess.Popen[bytes]) -> _Wait:
        """Return the context in which to wait for a process, as often as needed."""
        self._watch()
        return _Wait(self, process)

    def begin(self, process: subprocess.Popen[bytes]) -> None:
        """Note that somebody waits from now on."""
        self._since[process] = time.monotonic()

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Note that the wait is over; InterruptedRunError when it was ended meanwhile."""
        del self._since[process]
        if number := self._cut.pop(process, None):
            raise InterruptedRunError(number)

    def _watch(self) -> None:
        """Make sure that a thread looks for a ctrl-C: whoever waits cannot."""
        cancellation = in_charge()
        if cancellation and cancellation is not self._watched:
            self._watched = cancellation
            threading.Thread(target=self._end_late, args=(cancellation,), daemon=True).start()

    def _end_late(self, cancellation: Cancellation) -> None:
        while not cancellation.requested:
            time.sleep(POLL_SECS)
        asked = time.monotonic()
        while True:
            late = [process for process, since in list(self._since.items()) if _late(since, asked)]
            for process in late:
                self._cut.setdefault(process, cancellation.signal_number or signal.SIGINT)
                _signal_group(process, signal.SIGTERM)  # git removes its lock files then
            time.sleep(POLL_SECS)
            for process in late:
                _signal_group(process, signal.SIGKILL)


def _late(since: float, asked: float) -> bool:
    """Whether a wait that began at ``since`` is over, where the end was asked for at ``asked``."""
    begun = asked if since <= asked else max(since, asked + LAST_SECS - END_SECS)
    return time.monotonic() > begun + END_SECS


class _Wait:
    """The context of waiting for a process (a class, for speed: there are thousands of waits)."""

    def __init__(self, awaited: _Awaited, process: subprocess.Popen[bytes]) -> None:
        self._awaited = awaited
        self._process = process

    def __enter__(self) -> None:
        self._awaited.begin(self._process)

    def __exit__(self, *_error: object) -> None:
        self._awaited.end(self._process)


_AWAITED = _Awaited()


def adopt_orphans() -> None:
    """Become the parent of whatever loses its parent below this process (Linux)."""
    import ctypes

    with suppress(OSError, AttributeError):
        _CHILDREN.adopting = ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


class Ending(StrEnum):
    """Why a process is over."""

    EXITED = "exited"
    NOT_STARTED = "not started"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Command:
    """What to run. Streams are files, so that nothing is lost and no open pipe can block.

    ``stderr`` None: the same file as ``stdout``. ``timeout_secs`` is wall time. ``keep_bytes``:
    of what it says, on both streams, only so much is kept of the beginning and of the end.
    ``bind`` binds the thread that starts it, which does nothing else, and so all that it starts.
    ``first_signal`` is what it understands best when it is to end.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)  # holds keys
    stdout: Path
    timeout_secs: float
    stderr: Path | None = None
    stdin: Path | None = None
    bind: Callable[[], None] | None = None
    keep_bytes: int | None = None
    first_signal: signal.Signals = signal.SIGTERM


@dataclass(frozen=True)
class Ended:
    """How a process ended. ``code`` as subprocess has it; ``reason`` is set when it was stopped.

    ``left_out`` counts the bytes that ``keep_bytes`` kept out of its log.
    """

    ending: Ending
    code: int | None
    wall_secs: float
    reason: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class Captured:
    """Exit code and both streams of a short command."""

    code: int
    out: bytes
    err: bytes


Watch = Callable[[], str | None]
"""Called while a process runs; a sentence it returns ends the process."""


class Processes:
    """Starts processes on behalf of one job and ends what they leave behind."""

    def __init__(self, label: str, cancellation: Cancellation) -> None:
        self.label = label
        self.cancellation = cancellation
        self._run = f"{label}:{os.urandom(6).hex()}"
        cancellation.last_resorts.append(self.kill_all)

    def run(self, command: Command, watch: Watch | None = None) -> Ended:
        """Run ``command`` to its end, whichever comes first: exit, time-out, cancel, ``watch``.

        Whatever it started is ended before this returns. Never raises for what the command does;
        StoppedError where nothing can be started.
        """
        with _room(), _said_by(command) as said:
            ended = self._run_to_end(command, said, watch)
        return replace(ended, left_out=said.left_out) if said else ended

    def _run_to_end(self, command: Command, said: _Said | None, watch: Watch | None) -> Ended:
        marker = self.new_marker()
        started = time.monotonic()
        try:
            with _room():
                process = _start(command, marker, said)
        except (OSError, ValueError) as error:
            _CHILDREN.markers.discard(marker)
            return Ended(Ending.NOT_STARTED, None, time.monotonic() - started, str(error))
        tree = _Tree(marker, process, first_signal=command.first_signal)
        try:
            with _end_of(process, said) as over:
                ending, reason = self.follow(over, command.timeout_secs, watch)
        finally:
            tree.end()
            _CHILDREN.forget(process)
        return Ended(ending, process.returncode, time.monotonic() - started, reason)

    def start(self, command: Command) -> Service:
        """Start a command that serves until it is told to end.

        It ends when director does, however that ends. Its input and its time limit play no part.
        Raises OSError when it cannot be started; StoppedError where nothing can be.
        """
        with _room():
            return Service(command, self.new_marker())

    def new_marker(self) -> str:
        """Return a marker that nothing carries yet; what carries it is spared until it is ended."""
        marker = f"{self._run}:{os.urandom(6).hex()}"
        _CHILDREN.markers.add(marker)
        return marker

    def end_marked(self, marker: str, worktree: Path) -> None:
        """End everything that carries ``marker``, and orphans that carry nobody else's.

        So ends what this run has at work in ``worktree``, whatever it is marked as.
        """
        _Tree(marker, within=(self._run, worktree)).end()

    def follow(
        self, over: Callable[[float], bool], timeout_secs: float, watch: Watch | None
    ) -> tuple[Ending, str]:
        """Wait until something is over, or there is a reason not to; returns which, in words.

        ``over`` waits for it so many seconds at most, and returns whether it is.
        """
        deadline = time.monotonic() + timeout_secs
        while True:
            left = deadline - time.monotonic()
            if over(max(0.0, min(POLL_SECS, left))):
                return Ending.EXITED, ""
            if self.cancellation.requested:
                return Ending.CANCELLED, "cancelled"
            if left <= 0:
                return Ending.TIMED_OUT, f"no end within {timeout_secs:g} s"
            if watch and (reason := watch()):
                return Ending.STOPPED, reason

    def kill_all(self) -> None:
        """Kill every process of this run at once (the second ctrl-C)."""
        for _ in range(2):  # what the first pass orphans, the second finds
            for pid in (*_marked(self._run), *_CHILDREN.orphans()):
                _signal(pid, signal.SIGKILL)

    def sweep(self) -> int:
        """End what killed runs of this job left running; returns how many processes.

        Only for the holder of the job's lock: no other run of the job can be alive.
        """
        left = [pid for pid in _marked(f"{self.label}:") if pid != os.getpid()]
        for pid in left:
            _signal(pid, signal.SIGKILL)
        return len(left)


class Service:
    """A process that runs beside the others until it is ended, or director is.

    A shell waits beside it for the end of a pipe that director holds: not even a SIGKILL of
    director leaves the service running.
    """

    def __init__(self, command: Command, marker: str) -> None:
        argv = ["/bin/sh", "-c", WATCHED, "sh", *command.argv]
        with open_to_append(command.stdout) as out:
            self._process: subprocess.Popen[bytes] = _bound(
                command.bind,
                argv,
                cwd=command.cwd,
                env={**command.env, MARKER: marker},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._tree = _Tree(marker, self._process)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """End it and whatever it started that has no marker of its own."""
        self._tree.end()
        _CHILDREN.forget(self._process)
        if self._process.stdin:
            self._process.stdin.close()


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
    pipe = subprocess.PIPE
    given = pipe if stdin else subprocess.DEVNULL
    streams = {"stdin": given, "stdout": pipe, "stderr": pipe}
    told = _own_environment(env)
    with _CHILDREN.start(argv, cwd=cwd, env=told, start_new_session=True, **streams) as process:
        try:
            with _AWAITED.wait(process) if interruptible else nullcontext():
                out, err = process.communicate(stdin or None, timeout_secs)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise TimeoutError(str(error)) from None
        finally:
            _CHILDREN.forget(process)
    return Captured(process.returncode, out, err)


class Dialogue:
    """A process that answers on its pipes for as long as it is needed (git).

    It ends by itself when this process does: then there is nobody left to read from. What goes
    wrong in between is an OSError; after a ctrl-C an answer may end in InterruptedRunError.
    """

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._process = _CHILDREN.start(
            argv,
            cwd=cwd,
            env=_own_environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin and self._process.stdout
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self._wait = _AWAITED.wait(self._process)

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
            raise BrokenPipeError("the answer broke off")
        return line[:-1]

    def read(self, size: int) -> bytes:
        """Return the next ``size`` bytes of the answer."""
        with self._wait:
            data = self._answers.read(size)
        if len(data) < size:
            raise BrokenPipeError("the answer broke off")
        return data

    def end(self) -> None:
        """End the process; may be called again."""
        for pipe in (self._questions, self._answers):
            with suppress(OSError):
                pipe.close()
        self._process.wait()
        _CHILDREN.forget(self._process)


def absolute_path(env: Mapping[str, str]) -> str:
    """Return PATH without relative folders: in a worktree those are the agent's."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).is_absolute())


def _own_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command that director runs for itself, confined by nothing.

    What it leaves (git a shared ssh connection) is the user's.
    """
    return {**env, "PATH": absolute_path(env), MARKER: _CHILDREN.marker}


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
    process: subprocess.Popen[bytes] = _CHILDREN.start(argv, cwd=cwd, env=env)
    passed_on = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(POLL_SECS)
        if cancellation.signal_number == signal.SIGTERM and not passed_on:
            process.terminate()
            passed_on = True


class _Said:
    """What a process says, on a pipe that is read while director waits for its end.

    The end of the pipe is not waited for: what is left running may hold it open.
    """

    def __init__(self, log: BoundedLog) -> None:
        self._log = log
        self.source, self.sink = os.pipe()
        os.set_blocking(self.source, False)
        with suppress(OSError, AttributeError):
            fcntl.fcntl(self.source, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    @property
    def left_out(self) -> int:
        """How many bytes did not get into the log."""
        return self._log.left_out

    def started(self) -> None:
        """Leave the pipe to the process."""
        os.close(self.sink)
        self.sink = -1

    def take(self) -> bool:
        """Read what is there; False: nothing is, and perhaps nothing will be."""
        try:
            data = os.read(self.source, PIPE_BYTES)
        except BlockingIOError:
            return False
        self._log.add(data)
        return bool(data)

    def close(self) -> None:
        """Read the rest, whoever goes on writing, and close the log."""
        try:
            for _ in range(LAST_READS):
                if not self.take():
                    break
        finally:
            for descriptor in filter(lambda one: one >= 0, (self.source, self.sink)):
                os.close(descriptor)
            self._log.close()


@contextmanager
def _said_by(command: Command) -> Iterator[_Said | None]:
    """Give what reads the streams of a command, where they are not to be kept whole."""
    if command.keep_bytes is None:
        yield None
        return
    with closing(_Said(BoundedLog(command.stdout, command.keep_bytes))) as said:
        yield said


@contextmanager
def _end_of(
    process: subprocess.Popen[bytes], said: _Said | None
) -> Iterator[Callable[[float], bool]]:
    """Give what waits for the end of a process, and meanwhile takes in what it says."""
    descriptor = _descriptor_of_end(process)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if said:
        poll.register(said.source, select.POLLIN)

    def over(secs: float) -> bool:
        deadline = time.monotonic() + secs
        while True:
            left = deadline - time.monotonic()
            ready = {number for number, _ in poll.poll(max(0.0, left) * 1000)}
            if descriptor in ready:
                return True
            if said and said.source in ready and not said.take():
                poll.unregister(said.source)  # it closed both streams
            if left <= 0:
                return False

    try:
        yield over
    finally:
        os.close(descriptor)


def _descriptor_of_end(process: subprocess.Popen[bytes]) -> int:
    """Return what becomes readable when a process ends (pidfd_open(2); elsewhere by a thread)."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(process.pid)
    source, sink = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(sink)

    threading.Thread(target=wait, daemon=True).start()
    return source


def _start(command: Command, marker: str, said: _Said | None) -> subprocess.Popen[bytes]:
    with ExitStack() as stack:
        given = stack.enter_context((command.stdin or Path(os.devnull)).open("rb"))
        if said:
            stack.callback(said.started)
        out, err = (said.sink,) * 2 if said else _files_for(command, stack)
        return _bound(
            command.bind,
            command.argv,
            cwd=command.cwd,
            env={**command.env, MARKER: marker},
            stdin=given,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )


def _bound(bind: Callable[[], None] | None, *args: Any, **how: Any) -> subprocess.Popen[bytes]:
    """Start a process from a thread that ``bind`` has bound (None: from this one)."""
    if bind is None:
        return _CHILDREN.start(*args, **how)
    started: list[subprocess.Popen[bytes] | BaseException] = []

    def start() -> None:
        try:
            bind()
            started.append(_CHILDREN.start(*args, **how))
        except BaseException as error:  # for whoever waits for this thread
            started.append(error)

    thread = threading.Thread(target=start, name="bound")
    thread.start()
    thread.join()
    if isinstance(started[0], BaseException):
        raise started[0]
    return started[0]


def _files_for(command: Command, stack: ExitStack) -> tuple[BinaryIO, BinaryIO]:
    out = stack.enter_context(open_to_append(command.stdout))
    return out, stack.enter_context(open_to_append(command.stderr)) if command.stderr else out


class _Tree:
    """A process of ours, if any, with its group, and everything that carries its marker."""

    def __init__(
        self,
        marker: str,
        process: subprocess.Popen[bytes] | None = None,
        within: tuple[str, Path] | None = None,
        first_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self._first_signal = first_signal
        self._process = process
        self._marker = marker
        self._within = within  # what also counts: a beginning of markers, in a folder
        eldest = look_up(process.pid if process else os.getpid())
        self._since = eldest.started if eldest else 0  # nothing older can have got the marker

    def end(self) -> None:
        """End all of it; its marker spares nothing any more."""
        try:
            self._end()
        finally:
            _CHILDREN.markers.discard(self._marker)

    def _end(self) -> None:
        for number, grace in zip((self._first_signal, signal.SIGTERM), GRACE_SECS, strict=True):
            if not self._alive():
                return
            self._signal(number)
            deadline = time.monotonic() + grace
            while self._alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        for _ in range(50):  # a tree that forks while it is killed needs more than one pass
            if not self._alive():
                return
            self._signal(signal.SIGKILL)
            time.sleep(0.02)

    def _alive(self) -> bool:
        """Whether anything of it is left, an orphan of any tree among it: one look at /proc."""
        if self._process and self._process.poll() is None:
            return True
        if self._process and _CHILDREN.are_all_known():
            return False
        found = list(list_processes())
        if any(map(self._is_ours, found)) or self._group_lives(found):
            return True
        return any(map(_CHILDREN.is_strange, found)) and bool(_orphans())

    def _is_ours(self, one: Listed) -> bool:
        if one.started < self._since:
            return False
        if carries(one.pid, _needle(self._marker)):
            return True
        return bool(
            self._within
            and works_in(one.pid, self._within[1])
            and carries(one.pid, _needle(self._within[0]))
        )

    def _group_lives(self, found: Iterable[Listed]) -> bool:
        if self._process is None:
            return False
        group = self._process.pid
        return left_in_group(group, found) if PROC.is_dir() else _takes_signals(group)

    def _signal(self, number: signal.Signals) -> None:
        found = list(list_processes())
        if self._process and (self._process.poll() is None or self._group_lives(found)):
            with suppress(OSError):
                os.killpg(self._process.pid, number)
        for pid in (*(one.pid for one in found if self._is_ours(one)), *_orphans()):
            _signal(pid, number)


def _orphans() -> list[int]:
    with _CHILDREN.turn:
        return _CHILDREN.orphans()


def _takes_signals(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except OSError:
        return False
    return True


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is None:  # else its id may have been given out again
        with suppress(OSError):
            os.killpg(process.pid, number)


@contextmanager
def _room() -> Iterator[None]:
    """Raise StoppedError when the machine has no room for another process: no command's fault."""
    try:
        yield
    except OSError as error:
        if error.errno not in EXHAUSTED:
            raise
        raise StoppedError(
            f"no process can be started: {error.strerror}",
            "end other programs, or raise the limits (`ulimit -n`, `ulimit -u`), then run the "
            "command again",
        ) from None


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.kill(pid, number)


def _marked(prefix: str) -> list[int]:
    """Return the processes whose marker starts with ``prefix`` (none where there is no /proc)."""
    return [one.pid for one in list_processes() if carries(one.pid, _needle(prefix))]


def _needle(marker: str) -> bytes:
    return f"{MARKER}={marker}".encode()
