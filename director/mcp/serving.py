"""A server on two descriptors: lines in, lines out, until the client is gone or a signal comes."""

from __future__ import annotations

import os
import queue
import select
import threading
from collections.abc import Callable

from director.mcp.protocol import LONGEST_MESSAGE
from director.mcp.server import Server
from director.processes.line_buffer import LineBuffer

POLL_SECS = 0.1
READ_BYTES = 65536
FLUSH_SECS = 2.0  # for the last answers, where the client does not read


class LineWriter:
    """Writes lines to a descriptor in a thread of its own: a client that does not read
    holds up no other.
    """

    def __init__(self, descriptor: int) -> None:
        self.is_broken = False
        self._descriptor = descriptor
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line, when those before it are written."""
        self._lines.put(f"{line}\n".encode())

    def close(self) -> None:
        """Write what is left, as far as it is read."""
        self._lines.put(None)
        self._thread.join(FLUSH_SECS)

    def _run(self) -> None:
        while (data := self._lines.get()) is not None:
            while data and not self.is_broken:
                try:
                    data = data[os.write(self._descriptor, data) :]
                except BlockingIOError:
                    select.select((), (self._descriptor,), ())
                except OSError:
                    self.is_broken = True


def serve(
    source: int, writer: LineWriter, server: Server, is_interrupted: Callable[[], bool]
) -> None:
    """Hand the lines of ``source`` to ``server`` until they end, or ``is_interrupted``.

    What is under way has ended in good order when this returns.
    """

    def is_over() -> bool:
        return is_interrupted() or writer.is_broken

    try:
        _read(source, server, is_over)
        server.cancel_all(asking_only=not is_over())
        while not server.is_idle(POLL_SECS):
            if is_over():
                server.cancel_all()
    finally:
        server.cancel_all()
        writer.close()


def _read(source: int, server: Server, is_over: Callable[[], bool]) -> None:
    buffer = LineBuffer(LONGEST_MESSAGE)
    poll = select.poll()
    poll.register(source, select.POLLIN)
    while not is_over():
        if not poll.poll(POLL_SECS * 1000):
            continue
        try:
            data = os.read(source, READ_BYTES)
        except OSError:  # a terminal that is gone
            return
        lines = buffer.add(data) if data else [buffer.rest()]
        for line in lines:
            server.take(line)
        if not data:
            return
