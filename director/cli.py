"""The command line: parser → command → exit code; the one place where errors become messages."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from director.commands.catalog import COMMANDS
from director.commands.parser import module_of, parse
from director.model.errors import DirectorError, ExitCode, RequestError
from director.model.reason import Reason
from director.reporting.streams import Outlet, guard_streams

if TYPE_CHECKING:  # what follows is imported by whoever needs it: `--version` needs none
    from pathlib import Path

    from director.model.secrets import Redactor


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line (default: this process's) and return the exit code."""
    outlet = guard_streams()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    finally:
        _say_what_was_lost(outlet)
        gc.freeze()  # the process is about to end: what is garbage goes with it, unsearched


def _run(words: list[str]) -> int:
    try:
        args = parse(words)
    except RequestError as error:
        command = words[0] if words[0] in COMMANDS else None
        return _explain(error, argparse.Namespace(command=command, json="--json" in words))
    from director.commands.context import Context
    from director.model.secrets import Redactor, secrets_in
    from director.processes.cancellation import Cancellation, signals_cancel

    env, cancellation = dict(os.environ), Cancellation()
    redactor = Redactor(secrets_in(env, os.path.exists))
    context = Context(env, cancellation, sys.stdin, sys.stdout, sys.stderr, redactor)
    try:
        with signals_cancel(cancellation):
            return int(module_of(args.command).run(args, context))
    except DirectorError as error:
        return _explain(error, args, context.redactor)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except Exception as error:
        return _report_bug(error, args, context.redactor)


def _say_what_was_lost(outlet: Outlet) -> None:
    """Say when the result could not be printed; the exit code stays what it is."""
    sys.stdout.flush()
    if outlet.lost is not None:
        what = f"the result could not be printed: {outlet.lost.strerror}"
        next_step = "make room or print it elsewhere; `director status` shows where the job stands"
        _complain(what, next_step)


def _explain(
    error: DirectorError, args: argparse.Namespace, redactor: Redactor | None = None
) -> int:
    """Say what happened and what to do next, one line each."""
    said = (redactor.text(text) if redactor else text for text in (error.what, error.next_step))
    what, next_step = map(_line, said)
    return _end(args, what, next_step, error.exit_code, error.reason)


def _end(
    args: argparse.Namespace, what: str, next_step: str, code: ExitCode, reason: Reason
) -> int:
    if getattr(args, "json", False):
        from director.commands.result import Result

        result = Result("", {"error": what}, code, what, next_step, reason)
        print(result.as_json(getattr(args, "command", None) or "director"))
    _complain(what, next_step)
    return int(code)


def _complain(what: str, next_step: str) -> None:
    print(f"director: {what}\n  next: {next_step}", file=sys.stderr, flush=True)


def _report_bug(error: Exception, args: argparse.Namespace, redactor: Redactor) -> int:
    """Keep the traceback in a file and say where."""
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
    what = f"a bug in director: {type(error).__name__}: {_line(redactor.text(str(error)))}"
    return _end(args, what, f"report it; {where}", ExitCode.BUG, Reason.BUG)


def _logs_folder(args: argparse.Namespace) -> Path:
    """Return the logs of the job, or of the nearest ``.director`` above, or the current folder."""
    from pathlib import Path

    start = Path(getattr(args, "repo", None) or ".").resolve()
    for folder in (start, *start.parents):
        if (folder / ".director").is_dir():
            return folder / ".director" / "logs"
    return start / ".director" / "logs"


def _line(text: str) -> str:
    return " ".join(text.split())
