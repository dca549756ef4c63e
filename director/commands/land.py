"""``director land``: bring a job's work onto a branch of the user's, or ask for a pull request."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from director.command_line.context import Context, add_common_flags, add_events_flag
from director.command_line.dialogs.terminal import NOT_A_KEY, Terminal, terminal_of
from director.command_line.output import add_output_flags
from director.command_line.result import Result
from director.command_line.screens.land_words import (
    as_json,
    landed_text,
    nothing_text,
    prospect_text,
)
from director.command_line.workspace import load_config, open_workspace
from director.job.context import Workspace
from director.landing.land import Landing, LandOptions, LandReport, opened_landing
from director.landing.merging import Conflict, named, unresolvable
from director.landing.prospect import How, Prospect, Verified
from director.model.errors import ExitCode, RequestError, WorkError
from director.model.format import counted
from director.model.reason import Reason
from director.records.job_directory import JobDirectory
from director.records.known_jobs import job_called
from director.reporting.terminal.windows import style_for
from director.verifying.evidence import merges
from director.verifying.verify import verify_job

EXAMPLES = (
    ("director land", "show what would land, and ask how"),
    (
        "director land --squash --yes",
        "land the job as one commit on the branch that is checked out",
    ),
    ("director land --dry-run --onto main", "merge and gate only: would it land?"),
    ("director land --pr --yes", "push the job branch and open a pull request"),
    ("director land --resolve", "have a model resolve the conflicts, gate that, and ask"),
)
KEYS = "How?  [m]erge commit  [s]quash  [p]ull request  [d]iff  [q]uit"
PART_KEYS = "How?  [s]quash  [p]ull request  [d]iff  [q]uit"
SURE = "Land it?  [y]es  [d]iff  [q]uit"
SHAPES = {"m": How.MERGE, "s": How.SQUASH, "p": How.PR}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``land``."""
    shape = parser.add_mutually_exclusive_group()
    told = {
        How.MERGE: "land with a merge commit: the job's own commits stay",
        How.SQUASH: "land as one commit",
        How.PR: "move no branch: push the job branch and open a pull request",
    }
    for how, text in told.items():
        shape.add_argument(f"--{how}", dest="how", action="store_const", const=how, help=text)
    parser.add_argument(
        "--onto",
        metavar="BRANCH",
        help="the branch to land on (default: the one that is checked out)",
    )
    parser.add_argument(
        "--job", metavar="JOB", help="an archived job, or one of a bench (default: the current one)"
    )
    parser.add_argument(
        "--partial", action="store_true", help="leave out the nodes that are not done"
    )
    parser.add_argument(
        "--resolve",
        action="store_true",
        help="have a model resolve conflicts; all tests and [gates] decide",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="verify, merge and gate, but move nothing, and ask no model",
    )
    add_output_flags(parser)
    add_events_flag(parser)
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Look what would land, ask, and land it; returns how that ended."""
    terminal = terminal_of(args, context)
    _refuse_unasked(args, terminal)
    workspace = open_workspace(args, context)
    config = load_config(workspace.home.config)
    directory = job_called(workspace.home, args.job)
    options = LandOptions(args.onto, args.how, args.partial, args.resolve, args.dry_run)

    def verify() -> Verified:
        return _verified(workspace, directory)

    with opened_landing(workspace, directory, config, options, verify) as landing:
        result = _landed(args, context, landing, terminal)
    return context.finish(args, result)


def _refuse_unasked(args: argparse.Namespace, terminal: Terminal | None) -> None:
    """Raise RequestError where there is no one to say how, and the command line does not."""
    if args.dry_run or terminal or (args.how and args.yes):
        return
    raise RequestError(
        "there is no terminal on which to ask how to land the work",
        "say how: `director land --squash --yes` (or --merge, or --pr); `director land --dry-run` "
        "shows what would land",
        Reason.USAGE,
    )


def _verified(workspace: Workspace, directory: JobDirectory) -> Verified:
    """Return what was verified; WorkError for what does not hold."""
    found = verify_job(workspace.repository, directory, workspace.checks)
    if problem := found.problem:
        what = f"not verified: {' '.join(problem.what.split())}"
        raise WorkError(what, problem.next_step, Reason.NOT_VERIFIED)
    evidence = found.evidence
    nodes = frozenset(facts.commit.trailers["Director-Node"] for facts in merges(evidence))
    assert evidence.tip, "the checks hold, so there is a branch"
    return Verified(evidence.tip, found.merges, len(evidence.receipts), nodes)


def _landed(
    args: argparse.Namespace, context: Context, landing: Landing, terminal: Terminal | None
) -> Result:
    prospect = landing.prospect
    if prospect.landed:
        what = f"Nothing to land: {prospect.landed.in_words()} already"
        return _result(args, prospect, nothing_text(what), what)
    shown = prospect_text(prospect, style_for(context.out, context.env, colour=False))
    if not prospect.ready:
        return _refused(args, prospect, shown)
    if args.dry_run:
        what = f"It would land on {prospect.target.branch}; nothing was changed (--dry-run)"
        return _result(args, prospect, f"{shown}\n\n{what}.", what)
    how = args.how
    if terminal and not args.yes:
        terminal.say(f"{shown}\n")
        how = _asked(terminal, landing, how)
        shown = ""
    if how is None:
        what = "Nothing landed, as you chose"
        return _result(args, prospect, f"{what}.", what)
    report = landing.land(how)
    text = landed_text(prospect, report)
    what = text.splitlines()[0].rstrip(".")
    return _result(args, prospect, "\n\n".join(filter(None, (shown, text))), what, report)


def _asked(terminal: Terminal, landing: Landing, how: How | None) -> How | None:
    """Return how the user wants it to land; None: not now. ``how`` is what they said already."""
    keys = SURE if how else PART_KEYS if landing.prospect.left else KEYS
    while (line := terminal.ask(f"{keys} > ")) is not None:
        key = line[:1].lower()
        if key == "q":
            return None
        if how and key == "y":
            return how
        if not how and key in SHAPES and f"[{key}]" in keys:
            return SHAPES[key]
        if key == "d":
            terminal.page(landing.diff())
        else:
            terminal.say(NOT_A_KEY)
    return None


def _refused(args: argparse.Namespace, prospect: Prospect, shown: str) -> Result:
    """Return the result for work that cannot land as it is: nothing was changed."""
    branch = prospect.target.branch
    if prospect.conflicts:
        what, next_step = _conflict(args, prospect)
        reason = Reason.CONFLICT
    else:
        red = ", ".join(f"{one.name} ({one.verdict})" for one in prospect.red)
        what = f"not green on the merged tree: {red}"
        next_step = f"correct {branch}, or the work of the job, then run the command again"
        reason = Reason.INTEGRATION_RED
    text = f"{shown}\n\nNothing was changed: {what}.\nNext: {next_step}"
    return _result(args, prospect, text, what, None, (ExitCode.WORK_FAILED, next_step, reason))


def _conflict(args: argparse.Namespace, prospect: Prospect) -> tuple[str, str]:
    """Return what is said of conflicts, and what to do about them."""
    branch, job, resolved = prospect.target.branch, prospect.plan.job_branch, prospect.resolved
    what = f"{job} conflicts with {branch} in {named(prospect.conflicts)}"
    by_hand = (
        f"resolve it yourself (`git merge {job}` in a checkout of {branch}, then run your tests); "
        f"or have the nodes that conflict done again: `director rebase --onto {branch}`"
    )
    if others := unresolvable(prospect.conflicts):
        return f"{what}; {_hindrances(others)}", by_hand
    again = shlex.join(("director", "land", "--resolve", *_given(args)))
    if resolved is None:
        costs = "uses what a model resolved already, without a call"
        costs = costs if prospect.kept else "has a model resolve it, and gates the result"
        return what, f"`{again}` {costs}; or {by_hand}"
    if resolved.ask:
        return f"{what} (--dry-run: no model was asked)", f"`{again}` asks; or {by_hand}"
    if resolved.stuck:
        what = f"{what}; no model can resolve it: {resolved.stuck}"
        return what, f"correct that, then `{again}`; or {by_hand}"
    failure = resolved.attempts[-1].failure
    last = f", the last: {failure.headline}" if failure else ""
    tries = counted(len(resolved.attempts), "attempt")
    return f"{what}; not resolved in {tries}{last}", f"{by_hand}; or `{again}` for new attempts"


def _hindrances(conflicts: Sequence[Conflict]) -> str:
    """Return which conflicts no model may resolve, and why."""
    listed = ", ".join(f"{one.path} ({one.unresolvable})" for one in conflicts)
    return f"no model may resolve {listed}"


def _given(args: argparse.Namespace) -> Iterator[str]:
    """Give the flags that say what lands, and where."""
    for flag, value in (("--onto", args.onto), ("--job", args.job)):
        if value:
            yield from (flag, value)
    if args.how:
        yield f"--{args.how}"
    if args.partial:
        yield "--partial"
    if args.yes:
        yield "--yes"


def _result(
    args: argparse.Namespace,
    prospect: Prospect,
    text: str,
    what: str,
    report: LandReport | None = None,
    failed: tuple[ExitCode, str, Reason] | None = None,
) -> Result:
    code, next_step, reason = failed or (ExitCode.DONE, "", None)
    data: dict[str, Any] = {**as_json(prospect, report), "dry_run": args.dry_run}
    return Result(text, data, code, what, next_step, reason=reason, job_id=prospect.plan.job_id)
