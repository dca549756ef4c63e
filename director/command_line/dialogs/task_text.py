"""The task of ``plan``: on the command line, in a file, on standard input, or from an editor."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from director.command_line.context import Context
from director.command_line.dialogs.terminal import Terminal
from director.model.errors import RequestError
from director.model.reason import Reason
from director.records import files

BYTE_ORDER_MARK = "\ufeff"
COMMENT = "#"
MESSAGE = """

# Describe the task in a sentence or more: what will be true afterwards,
# for whom, and what must stay as it is.
# Lines that begin with '#' are left out. An empty text: nothing is planned.
"""


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the ways to say the task."""
    parser.add_argument(
        "task", metavar="TASK", nargs="?", help="what is to be done; - reads standard input"
    )
    parser.add_argument("--file", metavar="F", type=Path, help="read the task from a file")


def given_task(args: argparse.Namespace, context: Context) -> str:
    """Return the task that the command line says; RequestError where it is empty or unreadable."""
    text = context.redactor.text(_read(args, context)).strip()
    if not text:
        raise RequestError(
            "the task is empty", "describe the task in a sentence or more", Reason.USAGE
        )
    return text


def given_wishes(args: argparse.Namespace, context: Context) -> str:
    """Return what ``--revise`` says; RequestError where it is empty or unreadable."""
    text = _read_input(context) if args.revise == "-" else str(args.revise)
    if not text.strip():
        raise RequestError(
            "--revise is empty", "describe the change in a sentence or more", Reason.USAGE
        )
    return context.redactor.text(text.strip())


def _read(args: argparse.Namespace, context: Context) -> str:
    if args.file is None:
        return _read_input(context) if args.task == "-" else str(args.task)
    return _text_of(args.file, lambda: args.file.read_text(encoding="utf-8"))


def _read_input(context: Context) -> str:
    """Return what standard input gives; RequestError where it is no text."""
    return _text_of("standard input", context.stdin.read)


def _text_of(source: Path | str, read: Callable[[], str]) -> str:
    try:
        return read().removeprefix(BYTE_ORDER_MARK)
    except OSError as error:
        raise RequestError(f"cannot read {source}: {error.strerror}", "name another file") from None
    except UnicodeDecodeError:
        raise RequestError(f"{source} is not text (UTF-8)", "name another file") from None


def edited_task(terminal: Terminal, message: Path) -> str:
    """Return the task that is written in the user's editor, in the file ``message``.

    What is left there of an earlier try, which led to no job, is there again. RequestError where
    nothing is written.
    """
    before = _without_comments(files.read_text(message) or "")
    files.write_text(message, f"{before}{MESSAGE}", durable=False)
    terminal.edit(message)
    text = _without_comments(files.read_text(message) or "")
    if not text:
        files.remove(message)
        raise RequestError(
            "nothing is planned: the task is empty",
            'write it above the lines with #, or pass it: `director plan "<task>"`',
            Reason.USAGE,
        )
    return terminal.context.redactor.text(text)


def _without_comments(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.startswith(COMMENT))
    return "\n".join(lines).strip()
