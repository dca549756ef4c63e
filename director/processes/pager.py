"""A pager for long output, as git has one: on a terminal only, and none where it is unwanted."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from shutil import which
from typing import IO

from director.model.patterns import lazy_pattern
from director.processes.children import CHILDREN
from director.processes.foreground import terminal_kept

VARIABLES = ("DIRECTOR_PAGER", "PAGER")
DEFAULT = "less"
# As git sets them where the user did not: quit on one screen, show colours, leave the screen as is.
SETTINGS = {"LESS": "FRX", "LV": "-c"}
NONE = ("", "cat")
PLAIN = lazy_pattern(r"[\w./+-]+(?=\s|$)")  # the name of a program, no other words of shell


def pager_command(env: Mapping[str, str]) -> str | None:
    """Return the pager that the environment asks for, a line of shell; None for none.

    The first of VARIABLES that is set counts, an empty one too. There is none where its program is
    not found.
    """
    command = next((env[name] for name in VARIABLES if name in env), DEFAULT).strip()
    if command in NONE or env.get("TERM") == "dumb":
        return None
    plain = PLAIN.match(command)
    return command if plain is None or which(plain[0], path=env.get("PATH")) else None


@contextmanager
def paged(out: IO[str], env: Mapping[str, str]) -> Iterator[IO[str]]:
    """Give the stream to print to: the pager's where ``out`` is a terminal, else ``out``.

    The body's BrokenPipeError, when the reader had enough, ends it quietly. Meanwhile ctrl-C is
    the pager's.
    """
    command = pager_command(env) if out.isatty() else None
    if command is None:
        yield out
        return
    out.flush()
    reading, writing = os.pipe()
    stream = os.fdopen(
        writing, "w", encoding=getattr(out, "encoding", None), errors="backslashreplace"
    )
    argv, settings = ["/bin/sh", "-c", command], {**SETTINGS, **env}
    process = CHILDREN.start(argv, stdin=reading, env=settings, start_new_session=False)
    os.close(reading)
    with _ignoring_interrupts(), terminal_kept():
        try:
            with suppress(BrokenPipeError):
                yield stream
        finally:
            with suppress(BrokenPipeError):
                stream.close()
            process.wait()
            CHILDREN.forget(process)


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told of signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
