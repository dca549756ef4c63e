"""The list of jobs as a table, and as ``jobs --json`` says it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from director.model.cost import Cost
from director.model.format import counted, size
from director.model.printable import printable
from director.records.known_jobs import Where
from director.reporting.job_list import ListedJob, standing_in_words
from director.reporting.status.times import seconds_of
from director.reporting.terminal.layout import paragraph, rows, shown
from director.reporting.terminal.style import Paint, Span, Style

HEADER = ("  job", "state", "nodes", "cost", "age", "disk", "landed", "task")
DROPPED = (5, 4, 2)  # columns that go where a window is narrow: disk, age, nodes
PAINTS = {
    "done": Paint.GREEN,
    "at work": Paint.CYAN,
    "failed": Paint.RED,
    "red gate": Paint.RED,
    "damaged": Paint.RED,
}
MINUTE, HOUR, DAY = 60, 3600, 86400
BRANCH = "director/job-"


def render_jobs(jobs: Sequence[ListedJob], style: Style, now: float) -> str:
    """Return the table; ``now`` in seconds since 1970."""
    if not jobs:
        return 'There are no jobs yet: begin one with `director plan "<task>"`.'
    own = [one for one in jobs if one.job.where is not Where.BENCH]
    parts = [own, [one for one in jobs if one.job.where is Where.BENCH]]
    header = [Span(text, Paint.DIM) for text in HEADER]
    table = [header, *(_row(one, now) for part in parts for one in part)]
    narrow = style if style.unicode else style._replace(width=style.width - 2)  # "…" is three dots
    lines = rows(table, narrow, indent=0, drop=DROPPED)
    lines += [(), *paragraph(_summary(jobs), style)]
    return shown(lines, style)


def _row(one: ListedJob, now: float) -> list[Span]:
    state = standing_in_words(one.standing)
    paint = Paint.BOLD if one.current else Paint.PLAIN
    return [
        Span(f"{'●' if one.current else ' '} {printable(one.id)}", paint),
        Span(state, PAINTS.get(state, Paint.PLAIN)),
        Span(f"{one.done}/{one.nodes}" if one.nodes else "–"),
        Span(_cost(one.cost)),
        Span(age(one.created_at, now)),
        Span(size(one.disk_bytes + one.worktree_bytes)),
        Span(*_landed(one)),
        Span(_about(one), Paint.DIM),
    ]


def _cost(cost: Cost) -> str:
    """Return the known sum; a + for calls that have no price."""
    dollars = f"${cost.usd:.2f}"
    return dollars if cost.known else f"{dollars} + {cost.unpriced_calls}?"


def _landed(one: ListedJob) -> tuple[str, Paint]:
    if one.landed:
        return printable(one.landed.onto) or "yes", Paint.GREEN
    return ("no", Paint.PLAIN) if one.branch else ("no branch", Paint.DIM)


def _about(one: ListedJob) -> str:
    usual = one.branch_name in ("", f"{BRANCH}{one.id}")
    branch = "" if usual else f"{one.branch_name}: "
    bench = "bench: " if one.job.where is Where.BENCH else ""
    return printable(f"{bench}{branch}{one.task}")


def age(moment: str, now: float) -> str:
    """Return the time since a moment in its largest unit; – where it is unknown."""
    then = seconds_of(moment)
    if then is None:
        return "–"
    secs = max(0, int(now - then))
    if secs < HOUR:
        return f"{secs // MINUTE} min"
    return f"{secs // HOUR} h" if secs < DAY else f"{secs // DAY} d"


def _summary(jobs: Sequence[ListedJob]) -> str:
    """Return what all take together, and how the largest part of it goes away."""
    taken = sum(one.disk_bytes + one.worktree_bytes for one in jobs)
    total = Cost(sum(one.cost.usd for one in jobs), sum(one.cost.unpriced_calls for one in jobs))
    said = f"{counted(len(jobs), 'job')}, {total.in_words()}, {size(taken)} on disk."
    said += f" The branch of a job is {BRANCH}<job>."
    spare = [one for one in jobs if one.landed and not one.current]
    if spare:
        freed = size(sum(one.disk_bytes + one.worktree_bytes for one in spare))
        said += f" `director clean --landed` frees {freed}."
    return said


def jobs_json(jobs: Iterable[ListedJob], now: float) -> list[dict[str, Any]]:
    """Return the jobs for programs."""
    return [_job_json(one, now) for one in jobs]


def _job_json(one: ListedJob, now: float) -> dict[str, Any]:
    landed, created = one.landed, seconds_of(one.created_at)
    return {
        "job_id": one.id,
        "where": one.job.where.value,
        "current": one.current,
        "task": one.task,
        "standing": one.standing,
        "done": one.done,
        "nodes": one.nodes,
        "cost_total": one.cost.total,
        **one.cost.to_json(),
        "created_at": one.created_at or None,
        "last_event": one.last_event or None,
        "age_secs": None if created is None else max(0, round(now - created)),
        "job_branch": one.branch_name or None,
        "branch_exists": one.branch is not None,
        "checked_out": (one.branch.worktree if one.branch else "") or None,
        "tip": one.tip or None,
        "landed": {k: v or None for k, v in landed._asdict().items()} if landed else None,
        "records": os.fspath(one.job.directory.path),
        "disk_bytes": one.disk_bytes,
        "worktree_bytes": one.worktree_bytes,
        "taken": {taken.node: str(taken.worktree) for taken in one.taken},
    }
