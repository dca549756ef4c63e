"""``director status``: where a job stands, why something failed, and the next command."""

from __future__ import annotations

import argparse
import time
from functools import partial

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.node_flags import add_node_flags
from director.command_line.output import add_color_flag, style_of_output
from director.command_line.screens.job_screen import is_terminal, result_of, view_of
from director.model.errors import InterruptedRunError, RequestError
from director.model.landed import PR, Landed
from director.model.reason import Reason
from director.records.garbage import leave_to_the_end, unsearched
from director.records.job_directory import Home, JobDirectory
from director.records.known_jobs import job_called
from director.reporting.status.reader import read_status
from director.reporting.status.screen import View, render
from director.reporting.status.status import Status
from director.reporting.terminal.windows import window_of
from director.repositories.checkout import head_commit

EXAMPLES = (
    ("director status --watch", "watch until the command at work ends"),
    ("director status --json", "the same as one object, for a program"),
)
SLICE_SECS = 0.1  # between looks at whether an end was asked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``status``."""
    parser.add_argument(
        "--watch",
        action="store_true",
        help="redraw it every 2 seconds while a command works on the job; piped: print what is new",
    )
    parser.add_argument(
        "--job", metavar="JOB", help="another job: an archived one, or one of a bench"
    )
    parser.add_argument("--all", action="store_true", help="show all nodes, however many they are")
    parser.add_argument(
        "--stats", action="store_true", help="add costs by role and model, and rates"
    )
    add_node_flags(parser)
    add_color_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the status; reads records only."""
    if args.diff and not args.node:
        raise RequestError("--diff needs --node", "name a node", Reason.USAGE)
    directory = job_called(find_home(args, context), args.job)
    if args.node:
        from director.command_line.screens.node_status import (
            show_node,  # what reads logs is slow to import
        )

        return show_node(args, context, directory)
    if args.watch:
        return _watch(args, context, directory)
    status = read_status(directory, whole=args.json)
    return _show(args, context, status, view_of(args, directory))


@unsearched()
def _show(args: argparse.Namespace, context: Context, status: Status, view: View) -> int:
    if args.job is None and status.can_move:
        status = status._replace(newer=_newer(context, status))
    if status.landed and status.landed.how != PR:
        undone = _undone(status.landed, find_home(args, context), context)
        status = status._replace(undone=undone)
    text = "" if args.json else _text(args, context, status, view)
    result = result_of(args, status, text, view)
    leave_to_the_end(status, result)
    return context.finish(args, result)


def _newer(context: Context, status: Status) -> int | None:
    """Return how many commits HEAD has that the job's base has not; None where git cannot say.

    Git is asked only where HEAD is another commit.
    """
    top = status.directory.parent
    if status.base_commit in (head_commit(top), ""):
        return 0
    from director.repositories.git import Git, GitError

    try:
        git = Git.at(top, context.env)
        return int(git.text("rev-list", "--count", "HEAD", f"^{status.base_commit}"))
    except (GitError, ValueError):
        return None


def _undone(landed: Landed, home: Home, context: Context) -> str:
    """Say how the user took back what had landed; "" where it is still there."""
    from director.repositories.git import Git, GitError
    from director.repositories.reverts import standing_revert

    git, branch = Git.at(home.path.parent, context.env), f"refs/heads/{landed.onto}"
    if not git.ok("merge-base", "--is-ancestor", landed.commit, branch):
        return f"{landed.onto} does not have it any more"
    try:
        revert = standing_revert(git, landed.commit, branch)
    except GitError:
        return ""
    return f"{revert[:10]} reverted it" if revert else ""


def _text(args: argparse.Namespace, context: Context, status: Status, view: View) -> str:
    style = style_of_output(args, context)
    text = render(status, style, view)
    if not args.stats:
        return text
    from director.reporting.status.stats import render_stats

    return f"{text}\n\n{render_stats(status, style)}"


def _watch(args: argparse.Namespace, context: Context, directory: JobDirectory) -> int:
    """Show the job until no process works on it; ctrl-C ends that, not the job."""
    from director.reporting.status.watch import Redrawn, watch

    view = view_of(args, directory)
    redrawn = Redrawn(context.out, lambda: window_of(context.out))

    def show(status: Status) -> None:
        if status.process is not None:
            text = _text(args, context, status, view._replace(again=True))
            redrawn(context.redactor.text(text))

    drawn = is_terminal(context.out, context) and not args.json
    shows = show if drawn else _News(args, context, view)
    try:
        read = partial(read_status, directory, whole=args.json)
        status = watch(read, shows, lambda s: _wait(context, s))
    except InterruptedRunError as stop:
        return int(stop.exit_code)
    if drawn:
        redrawn.clear()
    return _show(args, context, status, view)


class _News:
    """Prints the screen once, then what is new; nothing where JSON is wanted."""

    def __init__(self, args: argparse.Namespace, context: Context, view: View) -> None:
        self._args, self._context, self._view = args, context, view
        self._before: Status | None = None

    def __call__(self, status: Status) -> None:
        from director.reporting.status.watch import changes

        before, self._before = self._before, status
        if self._args.json or (status.process is None and before is None):
            return
        if before is None:
            self._context.say(_text(self._args, self._context, status, self._view))
            return
        clock = time.strftime("%H:%M:%S", time.localtime(status.now))
        for line in changes(before, status):
            self._context.say(f"{clock}  {line}")


def _wait(context: Context, secs: float) -> None:
    """Wait; raises InterruptedRunError as soon as an end is asked for."""
    until = time.monotonic() + secs
    while (left := until - time.monotonic()) > 0:
        context.cancellation.check()
        time.sleep(min(left, SLICE_SECS))
    context.cancellation.check()
