"""The one door through which processes of a job are started, and through which they end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from director.processes.bounded_log import BoundedPipe
from director.processes.cancellation import Cancellation
from director.processes.children import CHILDREN, room, send
from director.processes.command import Command, Ended, Ending, Step, Watch, start_command
from director.processes.service import Service
from director.processes.tree import Tree, marked

POLL_SECS = 0.25  # between two looks at what runs; its end is heard of at once
LOST = "what was to run it failed, and how it ended is unknown"


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
        if command.keep_bytes is None:
            return self._run_to_end(command, None, watch)
        with room(), closing(BoundedPipe(command.stdout, command.keep_bytes)) as said:
            ended = self._run_to_end(command, said, watch)
        return ended._replace(left_out=said.left_out)

    def _run_to_end(self, command: Command, said: BoundedPipe | None, watch: Watch | None) -> Ended:
        marker = self.new_marker()
        started = time.monotonic()
        try:
            with room():
                process = start_command(command, marker, said)
        except (OSError, ValueError) as error:
            CHILDREN.markers.discard(marker)
            return Ended(Ending.NOT_STARTED, None, time.monotonic() - started, str(error))
        # What forwards signals to another machine (srun) has its own meaning for the others.
        first_signal = signal.SIGTERM if command.step else command.first_signal
        tree = Tree(marker, process, first_signal=first_signal)
        code, step = None, command.step
        try:
            with _end_of(process, said) as over:
                if step:
                    started = self._wait_turn(over, step)
                ending, reason = self.follow(over, command.timeout_secs, watch)
                code = step.code() if step and ending is Ending.EXITED else None
        finally:
            tree.end()
            CHILDREN.forget(process)
            if step and code is None:
                step.end()
        if step and code is None and ending is Ending.EXITED:
            ending, reason = Ending.LOST, LOST
        code = code if step else process.returncode
        return Ended(ending, code, time.monotonic() - started, reason)

    def _wait_turn(self, over: Callable[[float], bool], step: Step) -> float:
        """Wait until a step begins, or is over, or the end is asked for; returns when that was."""
        while not (step.began() or self.cancellation.requested or over(POLL_SECS)):
            pass
        return time.monotonic()

    def start(self, command: Command) -> Service:
        """Start a command that serves until it is told to end.

        It ends when director does, however that ends. Its input and its time limit play no part.
        Raises OSError when it cannot be started; StoppedError where nothing can be.
        """
        with room():
            return Service(command, self.new_marker())

    def new_marker(self) -> str:
        """Return a marker that nothing carries yet; what carries it is spared until it is ended."""
        marker = f"{self._run}:{os.urandom(6).hex()}"
        CHILDREN.markers.add(marker)
        return marker

    def end_marked(self, marker: str, worktree: Path) -> None:
        """End everything that carries ``marker``, and orphans that carry no other one.

        So ends what this run has at work in ``worktree``, whatever it is marked as.
        """
        Tree(marker, within=(self._run, worktree)).end()

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
            for pid in (*marked(self._run), *CHILDREN.orphans()):
                send(pid, signal.SIGKILL)

    def sweep(self) -> int:
        """End what killed runs of this job left running; returns how many processes.

        Only for the holder of the job's lock: no other run of the job can be alive.
        """
        left = [pid for pid in marked(f"{self.label}:") if pid != os.getpid()]
        for pid in left:
            send(pid, signal.SIGKILL)
        return len(left)


@contextmanager
def _end_of(
    process: subprocess.Popen[bytes], said: BoundedPipe | None
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
