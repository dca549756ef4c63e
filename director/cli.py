"""The command line: parser → command → exit code; the one place where errors become messages."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from director import __version__
from director.model.errors import DirectorError, ExitCode, RequestError
from director.model.reason import Reason
from director.reporting.streams import Outlet, guard_streams

if TYPE_CHECKING:  # what follows is imported by whoever needs it: `--version` needs none
    from pathlib import Path

    from director.model.secrets import Redactor

COMMANDS = {
    "plan": "turn a task into a spec, a DAG of nodes and frozen, red tests",
    "run": "work off the plan: implement, gate, review, merge",
    "stop": "end a run from another terminal, at once or after the calls under way",
    "status": "show where every node stands, and what it cost",
    "verify": "check that every merge is what its receipt says, and what was tested",
    "clean": "remove the prepared worktrees that are kept for the jobs of the repository",
    "bench": "run one task under several profiles and compare cost and quality",
    "sync-agents": "install the role agents and a starter configuration in the repository",
    "demo": "show a whole job on a sample repository, with scripted models",
}


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
        args = _parser(words).parse_args(words)
    except RequestError as error:
        return _explain(error, argparse.Namespace(json="--json" in words))
    from director.commands.context import Context
    from director.model.secrets import Redactor, secrets_in
    from director.processes.cancellation import Cancellation, signals_cancel

    env, cancellation = dict(os.environ), Cancellation()
    redactor = Redactor(secrets_in(env, os.path.exists))
    context = Context(env, cancellation, sys.stdin, sys.stdout, sys.stderr, redactor)
    try:
        with signals_cancel(cancellation):
            return int(_module(args.command).run(args, context))
    except DirectorError as error:
        return _explain(error, args, context.redactor)
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
    except Exception as error:
        return _report_bug(error, args, context.redactor)


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes end like all others: what is wrong, what to do next, exit code."""

    def error(self, message: str) -> NoReturn:
        """Raise RequestError, with the likely word for one that is nearly right."""
        from difflib import get_close_matches

        wrong = re.search(r"invalid choice: '([^']*)'", message)
        guess = get_close_matches(wrong[1], COMMANDS, n=1) if wrong else []
        hint = f"did you mean `director {guess[0]}`?" if guess else f"see `{self.prog} --help`"
        raise RequestError(message, hint, Reason.USAGE)


def _say_what_was_lost(outlet: Outlet) -> None:
    """Say when the result could not be printed; the exit code stays what it is."""
    sys.stdout.flush()
    if outlet.lost is not None:
        what = f"the result could not be printed: {outlet.lost.strerror}"
        next_step = "make room or print it elsewhere; `director status` shows where the job stands"
        _complain(what, next_step)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; a command that ``words`` begin with is the only one it knows."""
    parser = _Parser(
        prog="director",
        description="A strong model plans, a cheap one implements, exit codes decide what merges.",
        epilog="Exit codes: 0 done or paused at a gate, 1 the work failed, 2 the request cannot be "
        "carried out, 3 stopped and resumable, 70 a bug, 130/143 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"director {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, prog=parser.prog
    )
    for name in words[:1] if words[:1] and words[0] in COMMANDS else COMMANDS:
        summary = COMMANDS[name]
        command = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
        )
        if name in words:
            _module(name).add_arguments(command)
    return parser


def _module(command: str) -> Any:
    return importlib.import_module(f"director.commands.{command.replace('-', '_')}")


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
