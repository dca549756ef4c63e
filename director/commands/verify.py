"""``director verify``: check that what merged is what was tested."""

from __future__ import annotations

import argparse
from typing import Any

from director.commands.context import (
    Context,
    add_json_flag,
    add_repo_flag,
    find_repository,
    home_of,
)
from director.commands.setting import load_config, open_setting
from director.model.errors import ExitCode
from director.reporting.words import counted
from director.verifying.verify import Verification, verify_again, verify_job


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``verify``."""
    parser.add_argument(
        "--rerun",
        action="store_true",
        help="also run every node's tests again, and [gates], on clean checkouts",
    )
    add_repo_flag(parser)
    add_json_flag(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Verify, print what it came to, and return 0 when everything holds, else 1."""
    found = _verify(args, context)
    code = ExitCode.WORK_FAILED if found.problem else ExitCode.DONE
    if args.json:
        context.say_json(_as_json(found, code))
    else:
        context.say(_as_text(found))
    return int(code)


def _verify(args: argparse.Namespace, context: Context) -> Verification:
    if args.rerun:
        setting = open_setting(args, context)
        return verify_again(setting, setting.home.job, load_config(setting.home.config))
    repository = find_repository(args, context)
    return verify_job(repository, home_of(repository, context).job)


def _as_json(found: Verification, code: ExitCode) -> dict[str, Any]:
    plan, problem = found.evidence.plan, found.problem
    return {
        "ok": problem is None,
        "job_id": plan.job_id,
        "job_branch": plan.job_branch,
        "tip": found.evidence.tip,
        "merges": found.merges,
        "checked": list(found.checked),
        "gates_run": found.gates_run,
        "problem": problem.to_json() if problem else None,
        "exit_code": int(code),
        "what": _what(found),
        "next": problem.next_step if problem else "",
    }


def _as_text(found: Verification) -> str:
    next_step = f"\nNext: {found.problem.next_step}" if found.problem else ""
    return f"{_what(found)}{next_step}"


def _what(found: Verification) -> str:
    """Return one sentence for what was found."""
    if found.problem:
        return f"Not verified: {' '.join(found.problem.what.split())}"
    gates = ""
    if found.gates_run is not None:
        gates = f", {counted(found.gates_run, 'gate')} run again"
    return f"{counted(found.merges, 'merge')} verified{gates} ({found.evidence.plan.job_branch})"
