"""``director clean``: remove prepared worktrees, or whole jobs, after saying what goes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Any

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.result import Result
from director.command_line.screens.clean_words import (
    bare_json,
    bare_text,
    plan_text,
    plans_json,
    size_of,
)
from director.job.cleaning import Cleaning, clean_jobs, kept_now
from director.model.errors import ExitCode, RequestError
from director.model.format import counted, size
from director.model.reason import Reason
from director.records.job_directory import Home
from director.records.worktrees_record import KeptWorktrees
from director.reporting.removal_choice import Choice, Wanted, choose

EXAMPLES = (
    ("director clean", "free the space of prepared worktrees"),
    ("director clean --landed", "remove landed jobs, after showing what will be removed"),
    ("director clean --older 30d --dry-run", "show how much space old jobs would free"),
)
SECS = {"h": 3600, "d": 86400, "w": 604800}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``clean``."""
    parser.add_argument(
        "jobs",
        metavar="JOB",
        nargs="*",
        help="a job to remove with its branch, worktrees and records (default: prepared worktrees "
        "of all jobs, and nothing else)",
    )
    parser.add_argument(
        "--landed", action="store_true", help="remove the jobs whose work is on another branch"
    )
    parser.add_argument(
        "--older",
        metavar="AGE",
        type=age,
        help="remove the jobs without activity for that long: 12h, 30d, 8w; with --landed: "
        "only those that are landed",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="only show what would be removed; remove nothing"
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="remove work that is not landed without asking; required where there is no terminal",
    )
    add_common_flags(parser)


def age(text: str) -> float:
    """Return a time such as 30d in seconds (argparse type)."""
    number, unit = text[:-1], text[-1:]
    if unit not in SECS or not (number.isascii() and number.isdecimal()) or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 12h, 30d or 8w")
    return float(int(number) * SECS[unit])


def run(args: argparse.Namespace, context: Context) -> int:
    """Remove what was asked for, and say what that freed."""
    chosen = bool(args.landed or args.older is not None)
    if args.jobs and chosen:
        what = "jobs are named, or chosen by --landed and --older: not both"
        raise RequestError(what, "leave one of them out", Reason.USAGE)
    if args.jobs or chosen:
        return _remove_jobs(args, context)
    home = find_home(args, context)
    return context.finish(args, _would_free(home) if args.dry_run else _free(home, context))


def _free(home: Home, context: Context) -> Result:
    def begins(kept: KeptWorktrees) -> None:
        print(f"removing {size(kept.bytes)} in {kept.folder} …", file=context.err, flush=True)

    return _bare(clean_jobs(home, begins), dry=False)


def _would_free(home: Home) -> Result:
    return _bare(Cleaning(tuple(kept_now(home)), (), ()), dry=True)


def _bare(done: Cleaning, *, dry: bool) -> Result:
    text = bare_text(done, dry=dry)
    return Result(text, {**bare_json(done), "dry_run": dry}, what=text.splitlines()[0])


def _remove_jobs(args: argparse.Namespace, context: Context) -> int:
    from director.command_line.context import find_repository, home_of

    repository = find_repository(args, context)
    home = home_of(repository, context)
    wanted = Wanted(tuple(args.jobs), args.landed, args.older)
    choice = choose(home, repository.git, wanted, time.time())
    if args.dry_run or not choice.leaving:
        return context.finish(args, _planned(choice))
    if not _agreed(args, context, choice):
        return context.finish(args, Result("Nothing was removed.", what="Nothing was removed"))
    return context.finish(args, _done(context, home, repository.git, choice))


def _planned(choice: Choice) -> Result:
    """Return what would go; nothing is removed."""
    count = counted(len(choice.leaving), "job")
    what = (
        f"{count} would be removed: {size_of(choice)}"
        if choice.leaving
        else "There is no job to remove"
    )
    return Result(
        plan_text(choice, f"{what}."),
        {"dry_run": True, "jobs": plans_json(choice), "freed_bytes": 0},
        what=what,
    )


def _agreed(args: argparse.Namespace, context: Context, choice: Choice) -> bool:
    """Say what goes, and ask where something would be lost; RequestError if it cannot."""
    from director.command_line.dialogs.terminal import terminal_of
    from director.model.printable import printable

    count = counted(len(choice.leaving), "job")
    said = plan_text(choice, f"To be removed: {count}, {size_of(choice)}.")
    print(context.redactor.text(printable(said)), file=context.err, flush=True)
    asking = [one for one in choice.leaving if one.loses]
    if args.yes or not asking:
        return True
    terminal = terminal_of(args, context)
    if terminal is None:
        raise RequestError(
            f"{'; '.join(f'{one.id}: {_listed(one.loses)}' for one in asking)}",
            "look with --dry-run first; --yes removes it all the same",
            Reason.DECISION_NEEDED,
        )
    lost = f"{counted(len(asking), 'job')} with work that is nowhere else"
    return (terminal.ask(f"Remove {lost}? [y]es, [n]o >") or "").lower() in ("y", "yes")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


def _done(context: Context, home: Home, git: Any, choice: Choice) -> Result:
    """Remove the jobs, and return what became of each."""
    from director.job.removing import remove_jobs, whole_repository
    from director.records.events import Event, Events, Kind

    def tell(event: Event) -> None:
        if event.kind is Kind.NOTICE:
            print(event.data["message"], file=context.err, flush=True)

    events = Events([tell], context.redactor)
    with whole_repository(home):
        removals = [one.removal for one in choice.leaving]
        done = {one.job_id: one for one in remove_jobs(home, git, removals, events)}
    gone = [one for one in choice.leaving if not done[one.id].kept]
    freed = sum(one.bytes for one in gone)
    what = f"Removed {counted(len(gone), 'job')}: {size(freed)} freed"
    stays = [one for one in done.values() if one.kept]
    lines = [f"{what}."]
    lines += [f"{one.job_id} stays: {one.kept}." for one in stays]
    lines += [
        f"The branch of {one.job_id} stays: {one.branch_kept}."
        for one in done.values()
        if one.branch_kept and not one.kept
    ]
    return Result(
        "\n".join(lines),
        {"dry_run": False, "jobs": plans_json(choice, done), "freed_bytes": freed},
        ExitCode.STOPPED if stays else ExitCode.DONE,
        what,
        "see why above, then run the command again" if stays else "",
        Reason.STOPPED if stays else None,
    )
