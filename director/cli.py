"""The command line: parser → command → exit code; the one place where errors become messages."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from director.command_line.grammar.catalog import COMMANDS
from director.command_line.grammar.parser import module_of, parse
from director.model.errors import BugError, DirectorError, InterruptedRunError
from director.reporting.terminal.streams import Outlet, guard_streams

if TYPE_CHECKING:  # imported where they are needed: `--version` needs none
    from pathlib import Path

    from director.command_line.context import Context
    from director.command_line.result import Result
    from director.model.secrets import Redactor


def main(argv: Sequence[str] | None = None, early: Sequence[int] = ()) -> int:
    """Run the command line (default: this process's) and return the exit code.

    ``early`` are the signals that came before this was imported, and those that still come before
    they are waited for: the command ends by the first of them.
    """
    outlet = guard_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words, early)
    except KeyboardInterrupt:  # before signals are waited for
        return _fail(_unparsed(words), InterruptedRunError(signal.SIGINT), _context())
    finally:
        _say_what_was_lost(outlet)
        gc.freeze()  # the process is about to end: what is garbage goes with it, unsearched


def _run(words: list[str], early: Sequence[int]) -> int:
    try:
        args = parse(words)  # help and `--version` end here
    except DirectorError as error:
        return _fail(_unparsed(words), error, _context())
    args.words = tuple(words)
    context = _context()
    from director.processes.cancellation import signals_cancel
    from director.records.files import full_disk_stops

    context.cancellation.last_resorts.append(lambda: _end_at_once(args, context))
    try:
        with signals_cancel(context.cancellation):
            for number in early:
                context.cancellation.cancel(number)
            context.cancellation.check()
            with full_disk_stops():
                return int(module_of(args.command).run(args, context))
    except DirectorError as error:
        return _fail(args, error, context)
    except Exception as error:
        return _fail(args, _bug(error, args, context.redactor), context)


def _context() -> Context:
    from director.command_line.context import Context
    from director.command_line.ending import Ends
    from director.model.secrets import Redactor, secrets_in
    from director.processes.cancellation import Cancellation

    env = {name: value for name, value in os.environ.items() if not _is_ignored(name, value)}
    redactor = Redactor(secrets_in(env, os.path.exists))
    return Context(env, Cancellation(), sys.stdin, sys.stdout, sys.stderr, redactor, Ends())


def _is_ignored(variable: str, value: str) -> bool:
    """Whether it is a folder of the user's that must not be relative, so as not to be anywhere.

    XDG Base Directory Specification: "consider the path invalid and ignore it".
    """
    is_folder = variable.startswith("XDG_") and variable.endswith("_HOME")
    return is_folder and not value.startswith("/")


def _fail(args: argparse.Namespace, error: DirectorError, context: Context) -> int:
    from director.command_line.ending import of_error

    return context.fail(args, of_error(error, context.redactor))


def _end_at_once(args: argparse.Namespace, context: Context) -> None:
    """Tell how the command ends before a second signal ends the process, as far as can be.

    The job's journal has it, and ``--json`` its object.
    """
    from contextlib import suppress

    from director.command_line.ending import of_error

    error = InterruptedRunError(context.cancellation.signal_number or signal.SIGINT)
    with suppress(Exception):  # a handler of a signal: nothing may keep the process from its end
        context.note_end(args, of_error(error, context.redactor))
    with suppress(Exception):
        _say_at_once(args, context, of_error(error, context.redactor))


def _say_at_once(args: argparse.Namespace, context: Context, result: Result) -> None:
    import select

    from director.command_line.context import wants_json

    if context.ends.said or not wants_json(args):
        return
    text = context.as_json(args, result)
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing of another thread comes after it
    if select.select((), (out,), (), 0)[1]:
        os.write(out, f"{text}\n".encode())


def _unparsed(words: Sequence[str]) -> argparse.Namespace:
    """Return what is known of a command line that cannot be parsed: how that is to be told."""
    command = next((word for word in words[:1] if word in COMMANDS), "director")
    wanted = {name: f"--{name}" in words for name in ("json", "events")}
    return argparse.Namespace(command=command, words=tuple(words), **wanted)


def _say_what_was_lost(outlet: Outlet) -> None:
    """Say when the result could not be printed; the exit code stays what it is."""
    sys.stdout.flush()
    if outlet.lost is not None:
        what = f"the result could not be printed: {outlet.lost.strerror}"
        next_step = (
            "free disk space or print it elsewhere; `director status` shows where the job stands"
        )
        _context().complain(what, next_step)


def _bug(error: Exception, args: argparse.Namespace, redactor: Redactor) -> BugError:
    """Keep the traceback in a file; return the end that says where."""
    import traceback
    from datetime import UTC, datetime

    from director.records.files import write_text

    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    log = _logs_folder(args) / f"bug-{moment}-{os.getpid()}.log"
    text = redactor.text("".join(traceback.format_exception(error)))
    try:
        write_text(log, text)
        where = f"the traceback is in {log}"
    except DirectorError:
        where = f"the traceback could not be kept: {text}"
    return BugError(f"a bug in director: {type(error).__name__}: {error}", f"report it; {where}")


def _logs_folder(args: argparse.Namespace) -> Path:
    """Return the logs of the job, or of the nearest ``.director`` above, or the current folder."""
    from pathlib import Path

    start = Path(getattr(args, "repo", None) or ".").resolve()
    for folder in (start, *start.parents):
        if (folder / ".director").is_dir():
            return folder / ".director" / "logs"
    return start / ".director" / "logs"
