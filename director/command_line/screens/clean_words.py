"""What ``clean`` says: of prepared worktrees, and of whole jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from director.job.cleaning import Cleaning
from director.job.removing import Removed
from director.model.format import counted, size
from director.reporting.job_list import standing_in_words
from director.reporting.removal_choice import Choice, Leaving, Taken


def bare_json(done: Cleaning) -> dict[str, Any]:
    """Return what ``--json`` says of prepared worktrees."""
    return {
        "removed": [{"folder": str(one.folder), "bytes": one.bytes} for one in done.removed],
        "freed_bytes": done.freed_bytes,
        "in_use": [str(folder) for folder in done.in_use],
        "left_by_killed": [str(folder) for folder in done.left_by_killed],
    }


def bare_text(done: Cleaning, *, dry: bool) -> str:
    """Return the same for people; ``dry``: nothing was removed."""
    lines = ["No prepared worktrees are kept."]
    folders = counted(len(done.removed), "folder")
    if done.removed and dry:
        lines = [f"Prepared worktrees in {folders} would be removed: {size(done.freed_bytes)}."]
        lines += [f"  {one.folder}  {size(one.bytes)}" for one in done.removed]
    elif done.removed:
        lines = [f"Removed the prepared worktrees in {folders}: {size(done.freed_bytes)} freed."]
    lines += [f"{folder} stays: a command is using it." for folder in done.in_use]
    lines += [
        f"{folder} stays: a run that was cut short left work in it, which the job's next command "
        "continues."
        for folder in done.left_by_killed
    ]
    return "\n".join(lines)


def size_of(choice: Choice) -> str:
    """Return what the jobs that go take of the disk."""
    return size(sum(one.bytes for one in choice.leaving))


def plan_text(choice: Choice, first: str) -> str:
    """Return what goes, job by job, below the line ``first``."""
    lines = [first]
    for one in choice.leaving:
        lines += ["", *_job_lines(one)]
    if choice.staying:
        lines += ["", *(f"{job_id} stays: {why}." for job_id, why in choice.staying.items())]
    return "\n".join(lines)


def _job_lines(one: Leaving) -> Iterator[str]:
    listed, removal = one.listed, one.removal
    landed = f"landed on {listed.landed.onto}" if listed.landed and listed.landed.onto else "landed"
    state = [standing_in_words(listed.standing), landed if listed.landed else "NOT LANDED"]
    current = " (the current job)" if listed.current else ""
    yield f"{one.id}{current}  {', '.join(state)}  {listed.task}".rstrip()
    if removal.branch_kept:
        yield f"  branch     {removal.branch} stays: {removal.branch_kept}"
    elif removal.branch:
        yield f"  branch     {removal.branch} at {removal.tip[:12]}"
    if listed.worktrees:
        left = ", which a killed command left" if listed.killed else ""
        yield f"  worktrees  {listed.worktrees}{left}"
    for taken in one.taken:
        yield f"  worktree   {taken.node.worktree}, taken for {taken.node.node}: {_unsaved(taken)}"
    place = "the job's, in " if listed.current else ""
    yield f"  records    {place}{listed.job.directory.path}"
    yield f"  takes      {size(one.bytes)}"


def _unsaved(taken: Taken) -> str:
    if taken.changed is None:
        return "its contents are unknown"
    return f"{counted(taken.changed, 'changed file')} in it"


def plans_json(choice: Choice, done: Mapping[str, Removed] | None = None) -> list[dict[str, Any]]:
    """Return the jobs that go, or went, and those that stay, for programs."""
    going = [_job_json(one, (done or {}).get(one.id)) for one in choice.leaving]
    staying = [
        {"job_id": job_id, "removed": False, "stays": why} for job_id, why in choice.staying.items()
    ]
    return [*going, *staying]


def _job_json(one: Leaving, became: Removed | None) -> dict[str, Any]:
    listed, removal = one.listed, one.removal
    branch_kept = became.branch_kept if became else removal.branch_kept
    return {
        "job_id": one.id,
        "removed": became is not None and not became.kept,
        "stays": (became.kept if became else "") or None,
        "standing": listed.standing,
        "current": listed.current,
        "landed": listed.landed is not None,
        "loses": list(one.loses),
        "job_branch": removal.branch or None,
        "tip": removal.tip or None,
        "branch_stays": branch_kept or None,
        "worktrees": str(listed.worktrees) if listed.worktrees else None,
        "taken": [
            {
                "node": taken.node.node,
                "worktree": str(taken.node.worktree),
                "changed": taken.changed,
            }
            for taken in one.taken
        ],
        "records": str(listed.job.directory.path),
        "bytes": one.bytes,
    }
