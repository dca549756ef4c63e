"""The person at the terminal: asked for a line, shown a text, given a file to edit."""

from __future__ import annotations

import argparse
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from director.command_line.context import Context
from director.command_line.output import columns
from director.model.errors import RequestError
from director.model.printable import printable
from director.processes.foreground import run_in_front, signals_end_waiting
from director.reporting.terminal.cells import wrapped

SILENT = ("json", "no_input", "events")
"""Flags with which no question is asked."""

NOT_A_KEY = "Type one of the letters in brackets."


def terminal_of(args: argparse.Namespace, context: Context) -> Terminal | None:
    """Return the terminal of a person who may be asked; None: no person, or no questions."""
    if any(getattr(args, flag, False) for flag in SILENT):
        return None
    if not (context.stdin.isatty() and context.err.isatty()):
        return None
    return Terminal(context, Path.cwd())


class Terminal:
    """Standard input and standard error, with a person there. ``cwd`` is where programs start."""

    def __init__(self, context: Context, cwd: Path) -> None:
        self.context = context
        self.cwd = cwd

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of an editor or a pager: the user's own."""
        return self.context.env

    @property
    def columns(self) -> int:
        """How wide what is said may be."""
        return columns(self.context, self._out)

    @property
    def _out(self) -> IO[str]:
        return self.context.err

    def say(self, text: str = "") -> None:
        """Print lines; what would steer the terminal is made visible."""
        self.context.tell(self._out, printable(text))

    def complain(self, error: RequestError) -> None:
        """Say what cannot be done, and what can be typed instead."""
        self.context.complain(error.what, error.next_step)

    def ask(self, prompt: str) -> str | None:
        """Return the line that is typed, without blanks around; None: end of input, or ctrl-C."""
        try:
            with signals_end_waiting():
                line = self._line(prompt)
        except KeyboardInterrupt:
            line = ""
        except UnicodeDecodeError:
            return "?"  # understood as: what can I type?
        if not line.endswith("\n"):
            print(file=self._out, flush=True)
        return line.strip() if line else None

    def _line(self, prompt: str) -> str:
        """Return what is typed, its line feed included; "" at the end of input.

        A ctrl-C that came just before, when it was only noted, counts as one that comes now.
        """
        cancellation = self.context.cancellation
        if cancellation.signal_number == signal.SIGINT:
            return ""
        cancellation.check()
        # A blank at its end: what is typed stands apart.
        print("\n".join(wrapped(prompt, self.columns - 1)), end=" ", file=self._out, flush=True)
        return self.context.stdin.readline()

    def ask_text(self, prompt: str) -> str | None:
        """Return the lines that are typed up to an empty one; None: end of input, or ctrl-C."""
        lines: list[str] = []
        while True:
            line = self.ask(prompt if not lines else "> ")
            if line is None:
                return None
            if not line:
                return "\n".join(lines)
            lines.append(line)

    def page(self, text: str) -> None:
        """Show a text, in a pager where there is one."""
        clean = self.context.redactor.text(printable(text))
        argv = self._pager()
        if argv is not None:
            env = {"LESS": "FRX", **self.env}
            try:
                run_in_front(argv, self.cwd, env, f"{clean}\n")
                return
            except OSError:
                pass  # then without
        print(clean, file=self._out, flush=True)

    def _pager(self) -> Sequence[str] | None:
        named = self.env.get("DIRECTOR_PAGER", self.env.get("PAGER"))
        if named is None:
            less = shutil.which("less", path=self.env.get("PATH"))
            return [less] if less else None
        return None if named.strip() in ("", "cat") else ["sh", "-c", named]

    def edit(self, path: Path) -> None:
        """Let the user edit a file in their editor; RequestError where that ends badly."""
        editor = self.env.get("VISUAL") or self.env.get("EDITOR") or "vi"
        # As git does: the value is a shell command, the file is one more word of it.
        argv = ["sh", "-c", f'{editor} "$@"', editor, str(path)]
        try:
            code = run_in_front(argv, self.cwd, self.env)
        except OSError as error:
            raise _no_editor(editor, error.strerror or str(error)) from None
        if code != 0:
            raise _no_editor(editor, f"exit code {code}")


def _no_editor(editor: str, problem: str) -> RequestError:
    return RequestError(
        f"the editor failed: {editor}: {problem}", "name another in EDITOR, or VISUAL"
    )
