"""Questions to a person on a terminal; a ctrl-C or the end of the input ends them."""

from __future__ import annotations

import os
import select

from director.command_line.context import Context
from director.model.errors import InterruptedRunError

POLL_SECS = 0.1
READ_BYTES = 4096


def can_ask(context: Context) -> bool:
    """Whether there is a person to answer: both input and standard error are a terminal."""
    return context.stdin.isatty() and context.err.isatty()


class Questions:
    """Asks on standard error and reads from standard input, line by line."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._pending = b""

    def tell(self, text: str) -> None:
        """Show something that is no question."""
        print(self._context.redactor.text(text), file=self._context.err, flush=True)

    def ask(self, question: str) -> str | None:
        """Return the answer without white space around it; None: the input is over.

        InterruptedRunError after a ctrl-C: its handler only notes it, so no read may wait for ever.
        """
        print(question, end=" ", file=self._context.err, flush=True)
        while b"\n" not in self._pending:
            cancellation = self._context.cancellation
            if cancellation.requested:
                print(file=self._context.err, flush=True)
                raise InterruptedRunError(cancellation.signal_number or 2)
            number = self._context.stdin.fileno()
            if not select.select([number], [], [], POLL_SECS)[0]:
                continue
            read = os.read(number, READ_BYTES)
            if not read:
                print(file=self._context.err, flush=True)
                return None
            self._pending += read
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace").strip()
