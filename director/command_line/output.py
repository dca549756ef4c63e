"""How a command shows what happens: its flags, and who listens."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from director.records.events import Event, Listener

if TYPE_CHECKING:  # what prints is imported where it prints: `status` is to be quick
    from director.command_line.context import Context
    from director.reporting.terminal.style import Style

CHOICES = ("auto", "live", "lines", "none")
ON_REQUEST = ("auto", "always", "never")


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """Add ``--progress``, ``--quiet``, ``--verbose`` and ``--color``."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--progress",
        choices=CHOICES,
        default="auto",
        help="how to show progress on standard error: a live view, lines, or nothing "
        "(default: auto, the live view on a terminal, else lines)",
    )
    volume = group.add_mutually_exclusive_group()
    volume.add_argument("-q", "--quiet", action="store_true", help="print the result only")
    volume.add_argument(
        "-v", "--verbose", action="store_true", help="print a line for everything that happens"
    )
    add_color_flag(group)


def add_color_flag(parser: argparse._ActionsContainer) -> None:
    """Add ``--color``."""
    parser.add_argument(
        "--color",
        choices=ON_REQUEST,
        default="auto",
        help="when to use colours (default: auto, on a terminal unless NO_COLOR is set)",
    )


def wants_colour(args: argparse.Namespace, context: Context, *, terminal: bool) -> bool:
    """Whether to print colours to a stream, which is a ``terminal`` or not."""
    wanted = getattr(args, "color", "auto")
    if wanted != "auto":
        return bool(wanted == "always")
    return terminal and not context.env.get("NO_COLOR") and context.env.get("TERM") != "dumb"


def style_of_output(args: argparse.Namespace, context: Context) -> Style:
    """Return what standard output can show, in the colours that were asked for."""
    return _style_of(context.out, args, context)


def style_of_error(args: argparse.Namespace, context: Context) -> Style:
    """Return what standard error can show, in the colours that were asked for."""
    return _style_of(context.err, args, context)


def _style_of(stream: IO[str], args: argparse.Namespace, context: Context) -> Style:
    from director.reporting.terminal.windows import style_for

    colour = wants_colour(args, context, terminal=stream.isatty())
    return style_for(stream, context.env, colour=colour)


def columns(context: Context, stream: IO[str] | None = None) -> int:
    """Return how wide lines on ``stream`` (default: standard output) may be."""
    from director.reporting.terminal.windows import style_for

    return style_for(stream or context.out, context.env, colour=False).width


def mode_of(args: argparse.Namespace, context: Context) -> str:
    """Return how to show what happens: live, lines, verbose or none."""
    if getattr(args, "quiet", False):
        return "none"
    if getattr(args, "verbose", False):
        return "verbose"
    wanted = str(getattr(args, "progress", "auto"))
    if wanted in ("lines", "none"):
        return wanted
    if not context.err.isatty() or context.env.get("TERM", "dumb") == "dumb":
        return "lines"
    programs = getattr(args, "json", False) or getattr(args, "events", False)
    return "lines" if programs and wanted == "auto" else "live"


def listeners_for(args: argparse.Namespace, context: Context) -> list[Listener]:
    """Return who shows on standard error what happens."""
    makers: dict[str, Callable[[argparse.Namespace, Context], Listener]] = {
        "live": _live,
        "lines": _lines,
        "verbose": _verbose,
    }
    make = makers.get(mode_of(args, context))
    return [_never_failing(make(args, context), context)] if make else []


def _live(args: argparse.Namespace, context: Context) -> Listener:
    from director.reporting.live.live_progress import following
    from director.reporting.live.progress import Progress
    from director.reporting.live.view import LiveView, Terminal, showing
    from director.reporting.terminal.windows import style_for

    progress = Progress(args.command)
    colour = wants_colour(args, context, terminal=True)
    terminal = Terminal(context.err, style_for(context.err, context.env, colour=colour))
    cancellation = context.cancellation
    view = LiveView(terminal, progress, _repeated(args), lambda: cancellation.requested)
    cancellation.last_resorts.append(view.abandon)
    return showing(view, following(progress, view.take))


def _lines(args: argparse.Namespace, context: Context) -> Listener:
    from director.reporting.live.lines import Lines, Workflow, printing
    from director.reporting.live.live_progress import following
    from director.reporting.live.progress import Progress

    progress = Progress(args.command)
    lines = Lines(context.err, progress)
    on_github = context.env.get("GITHUB_ACTIONS") == "true"
    take = Workflow(lines, progress).take if on_github else lines.take
    return printing(lines, following(progress, take))


def _verbose(_args: argparse.Namespace, context: Context) -> Listener:
    from director.reporting.live.console import console

    return console(context.err)


def _repeated(args: argparse.Namespace) -> str:
    """Return the flags that a next command must repeat, with a blank before them."""
    repo = getattr(args, "repo", Path())
    return "" if repo == Path() else f" --repo {shlex.quote(str(repo))}"


def _never_failing(listener: Listener, context: Context) -> Listener:
    """Return the listener, which is heard no more after a mistake of its own.

    The work is worth more than its view: a mistake is told once, and the job continues.
    """
    broken: list[Exception] = []

    def listen(event: Event) -> None:
        if broken:
            return
        try:
            listener(event)
        except Exception as error:
            broken.append(error)
            said = f"{type(error).__name__}: {error}"
            what = f"a bug in director's live output, which ends here: {said}"
            context.complain(what, "report it; the job continues")

    return listen
