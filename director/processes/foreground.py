"""Programs that talk with the person at the terminal themselves: an editor, a pager."""

from __future__ import annotations

import os
import signal
import subprocess
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from director.model.errors import InterruptedRunError
from director.processes.children import CHILDREN

STANDARD_OUTPUT = 1
TERMINAL = 2  # standard error is the terminal where standard output may be a file


def run_in_front(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], shown: str | None = None
) -> int:
    """Run a program in the terminal's foreground and return its exit code.

    ``shown`` is what it reads (None: from the terminal). A ctrl-C is for the program alone. Raises
    OSError when it cannot be started.
    """
    out = None if os.isatty(STANDARD_OUTPUT) else TERMINAL
    with _interrupts_pass_by(), terminal_kept():
        process = CHILDREN.start(
            argv,
            cwd=cwd,
            env=dict(env),
            stdin=None if shown is None else subprocess.PIPE,
            stdout=out,
            start_new_session=False,
        )
        try:
            process.communicate(None if shown is None else shown.encode(errors="replace"))
        finally:
            CHILDREN.forget(process)
    return process.returncode


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Give the terminal back as it was: a program that is killed leaves it without echo."""
    try:
        before = termios.tcgetattr(TERMINAL)
    except termios.error:  # it is none
        yield
        return
    try:
        yield
    finally:
        with suppress(termios.error):
            if termios.tcgetattr(TERMINAL) != before:
                termios.tcsetattr(TERMINAL, termios.TCSADRAIN, before)


@contextmanager
def _interrupts_pass_by() -> Iterator[None]:
    """Let ctrl-C and ctrl-\\ pass by here; a program that is started gets them as usual."""

    def nothing(_number: int, _frame: FrameType | None) -> None:
        """A handler of ours, and not SIG_IGN: that one would be inherited."""

    before = {one: signal.signal(one, nothing) for one in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_end_waiting() -> Iterator[None]:
    """While a person is waited for, a ctrl-C raises KeyboardInterrupt.

    Other signals that end director raise InterruptedRunError: reading continues after a
    handler that only takes note.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise InterruptedRunError(number)

    before = {signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler)}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
