"""``director rebase``: move a job onto a newer base, and gate all of it there."""

from __future__ import annotations

import argparse

from director.command_line.context import Context, add_common_flags
from director.command_line.dialogs.terminal import NOT_A_KEY, Terminal, terminal_of
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.screens.rebase_words import as_json, next_of, rebased_words, table
from director.command_line.workspace import load_config, open_workspace
from director.model.errors import RequestError
from director.model.reason import Reason
from director.records.job_directory import Home, JobDirectory
from director.records.known_jobs import Where, known_job
from director.running.rebasing import Prospect, Rebase, RebaseOptions, opened_rebase

EXAMPLES = (
    (
        "director rebase",
        "show what happens to each node on the commit that is checked out, and ask",
    ),
    ("director rebase --onto main --yes", "move the job to where main is now"),
    ("director rebase --dry-run", "merge and gate only: which nodes would be done again?"),
)
KEYS = "Rebase the job?  [y]es  [q]uit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``rebase``."""
    parser.add_argument(
        "--onto", metavar="REV", help="the new base (default: the commit that is checked out)"
    )
    parser.add_argument("--job", metavar="JOB", help="an archived job (default: the current one)")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--dry-run", action="store_true", help="merge and gate, but leave the job as it is"
    )
    parser.add_argument(
        "--allow-broken-gates",
        action="store_true",
        help="continue where a gate of [gates] cannot run on the new base",
    )
    add_output_flags(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Build the job on its new base, say what it comes to, ask, and switch to it."""
    terminal = terminal_of(args, context)
    if not (args.dry_run or args.yes or terminal):
        raise RequestError(
            "there is no terminal on which to ask whether to rebase the job",
            "confirm with --yes; `director rebase --dry-run` shows what would happen to each node",
            Reason.USAGE,
        )
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    directory = _directory(workspace.home, args.job)
    options = RebaseOptions(args.onto, args.allow_broken_gates)
    with opened_rebase(workspace, directory, config, options) as rebase:
        shown = _decide(args, rebase, terminal)
    return context.finish(args, _result(args, rebase, shown=shown))


def _directory(home: Home, word: str | None) -> JobDirectory:
    if word is None:
        return home.job
    found = known_job(home, word)
    if found.where is Where.BENCH:
        raise RequestError(
            f"job {found.id} is of a bench, which compares what was done on one base",
            "run `director bench` again on the new base",
        )
    return found.directory


def _decide(args: argparse.Namespace, rebase: Rebase, terminal: Terminal | None) -> bool:
    """Accept the rebase where that is wished; returns whether the table was shown."""
    if args.dry_run or rebase.prospect.base.nothing_to_do:
        return False
    if args.yes or terminal is None:
        rebase.accept()
        return False
    terminal.say(f"{table(rebase.prospect)}\n")
    while (line := terminal.ask(f"{KEYS} > ")) is not None:
        key = line[:1].lower()
        if key == "y":
            rebase.accept()
            break
        if key == "q":
            break
        terminal.say(NOT_A_KEY)
    return True


def _result(args: argparse.Namespace, rebase: Rebase, *, shown: bool) -> Result:
    prospect = rebase.prospect
    what = _what(args, rebase)
    built = not prospect.base.nothing_to_do
    following = next_of(prospect, args.job) if rebase.accepted else ()
    parts = [table(prospect)] if built and not shown else []
    parts.append(f"{what}.")
    if following:
        parts[-1] += f"\nNext: {' '.join(following)}"
    data = {**as_json(prospect), "rebased": rebase.accepted, "dry_run": args.dry_run}
    data["unpublished"] = rebase.unpublished
    return Result(
        "\n\n".join(parts),
        data,
        what=what,
        next_step=" ".join(following),
        next_command=following or None,
        job_id=prospect.plan.job_id,
    )


def _what(args: argparse.Namespace, rebase: Rebase) -> str:
    prospect: Prospect = rebase.prospect
    base = prospect.base
    if base.nothing_to_do:
        at = f"({base.before[:12]})"
        if base.commit == base.before:
            return f"Nothing to rebase: the job is on {base.name} {at} already"
        return f"Nothing to rebase: the job's base {at} has all of {base.name}"
    said = rebased_words(prospect)
    if rebase.accepted:
        return f"Rebased onto {base.name} ({base.commit[:12]}): {said}"
    if args.dry_run:
        return f"It would be on {base.name}: {said}; nothing was changed (--dry-run)"
    return "Nothing was rebased, as you chose"
