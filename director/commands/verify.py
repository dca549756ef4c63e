"""``director verify``: check that what merged is what was tested."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from director.command_line.context import Context, add_common_flags, find_repository, home_of
from director.command_line.result import Result
from director.command_line.workspace import load_config, open_workspace
from director.job.switching import finish_switches
from director.model.codec.encoding import encode
from director.model.errors import ExitCode
from director.model.format import counted
from director.model.reason import Reason
from director.records.known_jobs import job_called
from director.verifying.verify import Verification, verify_again, verify_job

EXAMPLES = (
    ("director verify", "check the current job from its records and its branch"),
    ("director verify --rerun", "run every node's tests again as well"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``verify``."""
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="also run every node's tests again, and [gates], on clean checkouts",
    )
    parser.add_argument(
        "--job", metavar="JOB", help="an archived job, or one of a bench (default: the current one)"
    )
    add_common_flags(parser)
    parser.set_defaults(verbose=True)  # each gate that is run again has its line


def run(args: argparse.Namespace, context: Context) -> int:
    """Verify, print what it came to, and return 0 when everything holds, else 1."""
    found = _verify(args, context)
    problem = found.problem
    result = Result(
        _as_text(found),
        _as_json(found),
        ExitCode.WORK_FAILED if problem else ExitCode.DONE,
        _what(found),
        problem.next_step if problem else "",
        Reason.NOT_VERIFIED if problem else None,
        job_id=found.evidence.plan.job_id,
    )
    return context.finish(args, result)


def _verify(args: argparse.Namespace, context: Context) -> Verification:
    if args.rerun:
        workspace = open_workspace(args, context)
        directory = job_called(workspace.home, args.job)
        return verify_again(workspace, directory, load_config(workspace.home.config))
    repository = find_repository(args, context)
    home = home_of(repository, context)
    finish_switches(home, repository)
    return verify_job(repository, job_called(home, args.job))


def _as_json(found: Verification) -> dict[str, Any]:
    plan, problem = found.evidence.plan, found.problem
    return {
        "job_branch": plan.job_branch,
        "tip": found.evidence.tip,
        "merges": found.merges,
        "checked": list(found.checked),
        "unchecked": list(found.unchecked),
        "rebuilt": list(found.rebuilt),
        "gates_run": found.gates_run,
        "integration": found.integration,
        "problem": encode(problem) if problem else None,
    }


def _as_text(found: Verification) -> str:
    if found.problem:
        return f"{_what(found)}\nNext: {found.problem.next_step}"
    return "\n".join([_what(found), *_remarks(found)])


def _remarks(found: Verification) -> Iterator[str]:
    """Give what a reader should know although the job is verified."""
    if found.rebuilt:
        yield (
            f"Rebuilt after the merge: the receipt of {', '.join(found.rebuilt)}; "
            "the gates on it ran later, on the same commit."
        )
    if found.integration and found.gates_run is None:
        yield (
            f"Every merge is what was tested, but the integration gate of the last run is "
            f"{found.integration}; `--rerun` runs it again."
        )
    records = {"seal": "sealed.json", "journal": "tips.jsonl"}
    if found.unchecked:
        named = ", ".join(f"{name} (no {records[name]} here)" for name in found.unchecked)
        yield f"Not checked: {named}."


def _what(found: Verification) -> str:
    """Return one sentence for what was found."""
    if found.problem:
        return f"Not verified: {' '.join(found.problem.what.split())}"
    gates = ""
    if found.gates_run is not None:
        gates = f", {counted(found.gates_run, 'gate')} run again"
    return f"{counted(found.merges, 'merge')} verified{gates} ({found.evidence.plan.job_branch})"
