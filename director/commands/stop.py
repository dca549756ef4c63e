"""``director stop``: end a run from another terminal."""

from __future__ import annotations

import argparse
from typing import Any

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.result import Result
from director.job.stopping import AtWork, Ending, at_work, end
from director.model.errors import InterruptedRunError

EXAMPLES = (
    ("director stop", "end the run in the other terminal as ctrl-C there would"),
    ("director stop --drain", "let the current calls finish, and use their results"),
)
CONTINUE = {
    "director plan": ("director", "plan", "--continue"),
    "director run": ("director", "run"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``stop``."""
    parser.add_argument(
        "--drain",
        action="store_true",
        help="let the current calls finish and use their results, but start nothing more",
    )
    parser.add_argument(
        "--job", metavar="JOB", help="the job whose command to end (default: the current one)"
    )
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Tell the command to end, wait until it has, and say how it ended."""
    work = at_work(find_home(args, context), args.job)
    if work is None:
        of_job = f" on job {args.job}" if args.job else ""
        what = f"nothing is running{of_job}"
        return context.finish(args, Result(f"{what.capitalize()}.", {"stopped": None}, what=what))
    how = "after the calls under way" if args.drain else "now"
    print(f"asked {work.holder} to end {how} …", file=context.err, flush=True)
    cancellation = context.cancellation
    ending = end(work, drain=args.drain, given_up=lambda: cancellation.requested)
    if ending is None:
        raise InterruptedRunError(cancellation.signal_number or 2)
    return context.finish(args, _result(work, ending))


def _result(work: AtWork, ending: Ending) -> Result:
    what, holder = _what(work, ending), work.holder
    command = CONTINUE.get(holder.command)
    next_step = f"`{' '.join(command)}` continues" if command else "run the same command again"
    stopped: dict[str, Any] = {**holder._asdict(), "in_order": ending.in_order}
    stopped["ended"] = {key: ending.said.get(key) for key in ("exit_code", "reason", "what")}
    return Result(
        f"{what}.\nNext: {next_step}",
        {"stopped": stopped},
        what=what,
        next_step=next_step,
        next_command=command,
    )


def _what(work: AtWork, ending: Ending) -> str:
    """Return one sentence for how it ended."""
    ended = f"{work.holder.command} (process {work.holder.pid}) has ended"
    if not ending.in_order:
        return f"{ended}: it was killed before it could release its lock"
    said, code = ending.said.get("what"), ending.said.get("exit_code")
    if not said:
        return ended
    return f"{ended}: {' '.join(str(said).split())}" + (
        f" (exit code {code})" if code is not None else ""
    )
