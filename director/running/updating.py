"""Bringing a person's worktree to the tip of the branch, with what the person wrote there."""

from __future__ import annotations

from director.job.attempts import listed
from director.model.errors import RequestError
from director.records.taken_nodes import TakenNode, note_taken
from director.running.node_work import NodeWork
from director.running.opened_run import OpenedRun
from director.worktrees.snapshot import Snapshot
from director.worktrees.worktree import Worktree

CACHES = frozenset(
    {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".coverage"}
)
"""What running tests leaves, where the repository does not ignore it: no work is in it."""


def updated(opened: OpenedRun, work: NodeWork, taken: TakenNode) -> TakenNode:
    """Bring the worktree, the only one in the job's pool, to the tip; returns its record then.

    What the person wrote is a commit, and on record, before the worktree changes: after a kill the
    same is done again. RequestError where something of it would be lost, or others changed the same
    files; then nothing changes.
    """
    tip = work.job.repository.tip()
    if tip == taken.base and not taken.updating:
        return taken
    with work.job.pool.lane(taken.worktree) as lane:
        commit = taken.updating or _written(work, lane.work, taken.base)
        moved = work.rebased(taken.base, commit, tip)
        if moved is None:
            both = listed(work.changed_by_both(taken.base, commit, tip))
            what = f"others changed the same files meanwhile: {both}"
            raise RequestError(what, f"take your changes of them out of {taken.worktree}")
        work.keep(opened.keeper.node(work.node.id).attempts + 1, commit)
        note_taken(work.job.directory, taken._replace(updating=commit))
        changed = [one.path for one in work.job.repository.changes(taken.base, commit)]
        lane.work.reset(work.view(tip))
        lane.work.put(moved, changed)
    taken = taken._replace(base=tip, updating="")
    note_taken(work.job.directory, taken)
    return taken


def _written(work: NodeWork, worktree: Worktree, base: str) -> str:
    """Return a commit of what is in the worktree, on ``base``; RequestError unless that is all."""
    view, repository = work.view(base), work.job.repository
    seen = worktree.snapshot(view, work.node.files)
    outside = sorted(seen.changed - set(work.node.files))
    if lost := [*outside, *strays_of(seen), *seen.links, *filter(None, [seen.refused])]:
        raise RequestError(
            f"this is not part of the node, and would be lost: {listed(lost)}",
            f"take it out of {worktree.path}, then run the command again",
        )
    entries = [one.new for one in repository.changes(view, seen.tree)]
    return work.draft(repository.tree_with(base, entries), base)


def strays_of(seen: Snapshot) -> list[str]:
    """Return new files outside the allowlist, without what running tests leaves."""
    return [path for path in seen.strays if not CACHES & set(path.rstrip("/").split("/"))]
