"""What ``report`` and ``ui`` share: where the page of a job comes from, and the browser."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from director.command_line.again import Given
from director.command_line.context import Context, find_repository, home_of
from director.command_line.screens.job_screen import view_of
from director.model.errors import DirectorError
from director.model.format import counted
from director.records.job_directory import FOLDER, Home, JobDirectory
from director.records.known_jobs import job_called

if TYPE_CHECKING:  # the page is slow to import
    from director.model.plan import Plan
    from director.reporting.page.page import Verified
    from director.reporting.page.reading import Source
    from director.reporting.status.status import Status
    from director.repositories.repository import Repository


def add_job_flag(parser: argparse.ArgumentParser) -> None:
    """Add ``--job``."""
    parser.add_argument(
        "--job", metavar="JOB", help="an archived job, or one of a bench (default: the current one)"
    )


def source_of(args: argparse.Namespace, context: Context) -> Source:
    """Return where the page of the job that ``args`` name comes from."""
    from director.command_line.screens.node_status import next_of
    from director.reporting.page.reading import Patches, Source
    from director.repositories.candidates import Candidates

    repository = find_repository(args, context)
    home = home_of(repository, context)
    directory = job_called(home, args.job)
    kept = Candidates(directory.repository, repository.root, context.env)
    return Source(
        directory,
        Patches(kept),
        next_of(args),
        verifying(repository, directory),
        view_of(args, directory).asked,
        _ceiling(home, directory),
        _reproducing(args, directory),
    )


def _ceiling(home: Home, directory: JobDirectory) -> float:
    """Return the ceiling of the job's configuration in US dollars; 0 where none is known."""
    if directory.path.name != FOLDER:
        return 0.0  # another job may have had another one
    from director.command_line.workspace import load_config

    try:
        return load_config(home.config).limits.cost_ceiling_usd
    except DirectorError:
        return 0.0


def verifying(repository: Repository, directory: JobDirectory) -> Callable[[Status], Verified]:
    """Return what verifies a job, unless a command is at work on it."""

    def verify(status: Status) -> Verified:
        from director.reporting.page.page import Verified

        if status.process is not None:
            return Verified(None, "not while a command is working on the job")
        if not directory.receipts.exists():
            return Verified(None, "nothing is merged yet")
        return _verified(repository, directory)

    return verify


def _verified(repository: Repository, directory: JobDirectory) -> Verified:
    from director.reporting.page.page import Verified
    from director.verifying.verify import verify_job

    try:
        found = verify_job(repository, directory)
    except DirectorError as error:
        return Verified(None, f"it could not be verified: {error.what}")
    if found.problem:
        return Verified(False, f"not verified: {' '.join(found.problem.what.split())}")
    parts = [f"{counted(found.merges, 'merge')} verified: each is what its receipt says"]
    if found.rebuilt:
        parts.append(f"rebuilt receipts: {', '.join(found.rebuilt)}")
    if found.unchecked:
        parts.append(f"not checked: {', '.join(found.unchecked)}")
    return Verified(True, "; ".join(parts))


def _reproducing(
    args: argparse.Namespace, directory: JobDirectory
) -> Callable[[Plan], Sequence[tuple[str, str]]]:
    """Return what says with which commands a job can be checked again."""

    def commands(plan: Plan) -> list[tuple[str, str]]:
        given = Given.of(args)
        archived = directory.path.name != FOLDER
        named = ("--job", plan.job_id) if archived else ()
        base, branch = plan.base_commit[:12], plan.job_branch
        verify = given.complete(("director", "verify", "--rerun", *named))
        found = [(shlex.join(verify), "run every test and gate again, on clean checkouts")]
        diff = given.complete(("git", "diff", base, branch))
        found.append((shlex.join(diff), "all that the job changed"))
        log = given.complete(("git", "log", "--stat", f"{base}..{branch}"))
        found.append((shlex.join(log), "its merges, with their trailers"))
        where = ("-C", given.repo) if given.repo else ()
        words = ("git", *where, "worktree", "add", "--detach", "../as-merged", branch)
        tree = shlex.join(words)
        found.append((tree, "a checkout to run a node's test command in by hand"))
        return found

    return commands


def open_in_browser(context: Context, address: str) -> None:
    """Open an address in the user's browser; where there is none, say so."""
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        print(f"no browser could be opened: look at {address}", file=context.err, flush=True)
