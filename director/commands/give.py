"""``director give``: gate and merge what a person wrote."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from typing import Any

from director.command_line.context import Context, add_common_flags, add_events_flag
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.workspace import load_config, open_workspace
from director.model.codec.encoding import encode_any
from director.model.errors import ExitCode
from director.model.failure import Failure
from director.model.format import counted
from director.model.printable import one_line, printable
from director.model.reason import Reason
from director.model.state import AttemptOutcome
from director.records.job_directory import FOLDER
from director.running.giving import GiveReport, give_node

EXAMPLES = (
    ("director give parser", "gate what you wrote, and merge it when it is green"),
    ("director give parser --json", "the same, for a program"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``give``."""
    parser.add_argument("node", metavar="NODE", help="the node that you have taken")
    add_output_flags(parser)
    add_common_flags(parser)
    add_events_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Gate and merge, or say what stands against it."""
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    report = give_node(workspace, workspace.home.job, config, args.node)
    return context.finish(args, _merged(report) if report.receipt else _refused(report))


def _merged(report: GiveReport) -> Result:
    assert report.receipt
    retry = ("--retry-failed",) if report.failed and not report.open_nodes else ()
    following = ("director", "run", *retry)
    files = counted(len(report.receipt.files), "file")
    what = f"Node {report.node.id} is merged as {report.receipt.merged[:10]} ({files})"
    return Result(
        f"{what}; {_left(report)}.\nNext: {shlex.join(following)}",
        {**_data(report), "commit": report.receipt.merged, "files": list(report.receipt.files)},
        what=what,
        next_step=shlex.join(following),
        next_command=following,
        job_id=report.job_id,
    )


def _left(report: GiveReport) -> str:
    """Return what is left to be done when the node is merged."""
    told = [f"{counted(len(report.open_nodes), 'node')} can be worked on"] * bool(report.open_nodes)
    told += [f"{counted(len(report.failed), 'node')} failed"] * bool(report.failed)
    return ", ".join(told) or "all that is left is integration"


def _refused(report: GiveReport) -> Result:
    feedback, following = report.feedback, ("director", "give", report.node.id)
    assert feedback
    what = f"Node {report.node.id} is not merged: {one_line(feedback.lesson)}"
    update = ""
    if report.outcome is AttemptOutcome.COLLIDED:
        update = f"`director take --update {report.node.id}` brings what merged meanwhile; "
    next_step = f"{update}correct it in {report.worktree}, then `{shlex.join(following)}`"
    lines = [f"{what}", *_shown(feedback.failure), f"Next: {next_step}"]
    return Result(
        printable("\n".join(lines)),
        {**_data(report), "commit": None, "files": [], "failure": encode_any(feedback.failure)},
        ExitCode.WORK_FAILED,
        what=what,
        next_step=next_step,
        reason=Reason.NODE_FAILED,
        next_command=following,
        job_id=report.job_id,
    )


def _shown(failure: Failure | None) -> Iterator[str]:
    """Give what a person reads of a failed gate: the command, the useful lines, the log."""
    if failure is None or not failure.command:
        return
    code = "" if failure.exit_code is None else f"   exit code {failure.exit_code}"
    yield f"    {failure.command}{code}"
    yield from (f"    │ {line}" for line in failure.excerpt.splitlines())
    if failure.log:
        yield f"    output  {FOLDER}/{failure.log}"


def _data(report: GiveReport) -> dict[str, Any]:
    given = report.receipt is not None
    return {
        "node": report.node.id,
        "state": "merged" if given else "refused",
        "outcome": report.outcome,
        "worktree": None if given else str(report.worktree),
    }
