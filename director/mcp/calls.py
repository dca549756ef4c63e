"""The calls that are under way: each runs a command in a thread, and is answered once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from director.mcp.commands import Commands, Running
from director.mcp.protocol import Code, Id, Object, ProtocolError, as_line, error, result
from director.mcp.tool import Invocation

MOST_CALLS = 16  # under way at once
LAST_SECS = 1.0  # for commands that are to end at once

Reply = Callable[[Object | None], None]
"""Takes the answer to a request; None: there is to be none, since it was cancelled."""


class Call:
    """A request whose command is under way: it is answered once, by whichever comes first."""

    def __init__(self, running: Running, reply: Reply) -> None:
        self.running = running
        self._reply = reply
        self._turn = threading.Lock()
        self._answered = False

    def claim(self) -> bool:
        """Whether the caller is to answer: it is the first to ask."""
        with self._turn:
            before, self._answered = self._answered, True
        return not before

    @property
    def is_answered(self) -> bool:
        """Whether it is answered, or about to be."""
        with self._turn:
            return self._answered

    def answer(self, message: Object | None) -> None:
        """Answer; for the caller that has claimed it."""
        self._reply(message)


class Calls:
    """All calls of a conversation that are under way, by the ids of their requests."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands
        self._turn = threading.Lock()
        self._calls: dict[Id, Call] = {}
        self._threads: dict[threading.Thread, Running] = {}

    def __contains__(self, request_id: object) -> bool:
        """Whether a request with this id is under way."""
        return request_id in self._calls

    def add(self, request_id: Id, invocation: Invocation, reply: Reply) -> Call:
        """Return the call for a request; ProtocolError where there are too many."""
        if len(self._threads) >= MOST_CALLS:
            raise ProtocolError(Code.BUSY, f"{MOST_CALLS} calls are under way: wait for one")
        call = Call(Running(self._commands, invocation), reply)
        with self._turn:
            self._calls[request_id] = call
        return call

    def begin(
        self,
        call: Call,
        request_id: Id,
        work: Callable[[], Object],
        timer: threading.Timer | None = None,
    ) -> None:
        """Answer a call with what ``work`` comes to; ``timer`` may answer before."""

        def run() -> None:
            try:
                self.settle(call, lambda: _answer_of(request_id, work))
            finally:
                if timer:
                    timer.cancel()
                del self._threads[threading.current_thread()]

        thread = threading.Thread(target=run, name=f"call {request_id}"[:40], daemon=True)
        self._threads[thread] = call.running
        thread.start()
        if timer:
            timer.start()

    def settle(self, call: Call, answer: Callable[[], Object | None]) -> None:
        """Answer a call, unless it is answered."""
        message = answer()
        if call.claim():
            self._forget(call)
            call.answer(message)

    def cancel(self, request_id: object) -> None:
        """Have the command of a request end in good order; there is no answer to it then."""
        call = self._calls.get(request_id) if isinstance(request_id, int | str) else None
        if call is not None:
            call.running.cancel()
            self.settle(call, lambda: None)

    def cancel_all(self, *, asking_only: bool) -> None:
        """Have every command end in good order, or only those that take long."""
        for running in tuple(self._threads.values()):
            if running.invocation.events or not asking_only:
                running.cancel()

    def insist(self) -> None:
        """Have every command end at once, and wait a moment for it: for a signal handler."""
        running = [one for one in tuple(self._threads.values()) if not one.is_over()]
        for one in running:
            one.insist()
        deadline = time.monotonic() + LAST_SECS
        while time.monotonic() < deadline and not all(one.is_over() for one in running):
            time.sleep(0.02)

    def is_idle(self, wait_secs: float) -> bool:
        """Wait so long at most for what is under way; returns whether nothing is left of it."""
        for thread in tuple(self._threads):
            thread.join(wait_secs)
            return not self._threads
        return True

    def _forget(self, call: Call) -> None:
        with self._turn:
            for request_id in [key for key, one in self._calls.items() if one is call]:
                del self._calls[request_id]


class Batch:
    """Collects the answers to the ``wanted`` messages of a batch, and writes them as one."""

    def __init__(self, wanted: int, write: Callable[[str], None]) -> None:
        self._missing = wanted
        self._write = write
        self._turn = threading.Lock()
        self._answers: list[Object] = []

    def reply(self, message: Object | None) -> None:
        """Take one answer; None: there is none to that message."""
        with self._turn:
            self._missing -= 1
            if message is not None:
                self._answers.append(message)
            over = not self._missing and bool(self._answers)
        if over:
            self._write(as_line(self._answers))


def failure(request_id: Id, problem: Exception) -> Object:
    """Return the answer to a request that failed; a mistake of director's own is told, too."""
    if isinstance(problem, ProtocolError):
        return error(request_id, problem.code, problem.problem, problem.data)
    said = f"a bug in director: {type(problem).__name__}: {problem}"
    return error(request_id, Code.INTERNAL, said)


def _answer_of(request_id: Id, work: Callable[[], Object]) -> Object:
    """Return the answer that ``work`` leads to, whatever happens in it."""
    try:
        return result(request_id, work())
    except Exception as problem:
        return failure(request_id, problem)
