"""``director clean``: remove the prepared worktrees that are kept for jobs."""

from __future__ import annotations

import argparse
from typing import Any

from director.command_line.context import Context, add_common_flags, find_home
from director.command_line.result import Result
from director.job.cleaning import Cleaning, clean_jobs
from director.model.format import counted, size
from director.records.worktrees_record import KeptWorktrees

EXAMPLES = (
    ("director clean", "free the space of prepared worktrees"),
    ("director clean --json", "and say as JSON what was removed"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of ``clean``."""
    add_common_flags(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """Remove what is kept, and say what that freed."""

    def begins(kept: KeptWorktrees) -> None:
        print(f"removing {size(kept.bytes)} in {kept.folder} …", file=context.err, flush=True)

    done = clean_jobs(find_home(args, context), begins)
    text = _as_text(done)
    return context.finish(args, Result(text, _as_json(done), what=text.splitlines()[0]))


def _as_json(done: Cleaning) -> dict[str, Any]:
    return {
        "removed": [{"folder": str(one.folder), "bytes": one.bytes} for one in done.removed],
        "freed_bytes": done.freed_bytes,
        "in_use": [str(folder) for folder in done.in_use],
        "left_by_killed": [str(folder) for folder in done.left_by_killed],
    }


def _as_text(done: Cleaning) -> str:
    lines = ["No prepared worktrees are kept."]
    if done.removed:
        folders = counted(len(done.removed), "folder")
        lines = [f"Removed the prepared worktrees in {folders}: {size(done.freed_bytes)} freed."]
    lines += [f"{folder} stays: a command works in it." for folder in done.in_use]
    lines += [
        f"{folder} stays: a killed run left work in it, which the job's next command continues."
        for folder in done.left_by_killed
    ]
    return "\n".join(lines)
