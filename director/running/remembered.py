"""What a killed run noted of a node, as far as it can be believed.

A note is a file that an agent may have written while director was dead. What it claims is
checked against the repository here; that something was green is never taken from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from director.job.context import JobContext
from director.model.plan import Node
from director.repositories.objects import LINK_MODE
from director.running.node_gates import Candidate, UngatedCandidate, read_candidate
from director.running.prompts import Feedback


@dataclass(frozen=True)
class Remembered:
    """Where a node stood. ``fallback`` has no gate runs: they are to be made again."""

    base: str
    start: str
    first_output: str = ""
    first_digest: str = ""
    feedback: Feedback | None = None
    fallback: Candidate | None = None
    drafted: UngatedCandidate | None = None


def remembered(job: JobContext, node: Node, memo: Mapping[str, Any]) -> Remembered:
    """Return what of ``memo`` can be true; only the tip where it cannot be read."""
    tip = job.repository.tip()
    try:
        base, start = str(memo["base"]), str(memo["start"])
        feedback = Feedback(**memo["feedback"]) if memo["feedback"] else None
        fallback = read_candidate(memo["fallback"])
        drafted = UngatedCandidate(**memo["drafted"]) if memo.get("drafted") else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return Remembered(tip, tip)
    if not job.repository.moved_to(base):
        return Remembered(tip, tip, feedback=feedback)
    own = fallback and _is_work_on(job, node, fallback.base, fallback.commit)
    return Remembered(
        base,
        start if job.repository.holds(base, start) else base,
        str(memo.get("first_output", "")),
        str(memo.get("first_digest", "")),
        feedback,
        replace(fallback, gates=()) if own and fallback else None,
        drafted if drafted and _is_work_on(job, node, base, drafted.commit) else None,
    )


def _is_work_on(job: JobContext, node: Node, base: str, commit: str) -> bool:
    """Whether ``commit`` is whole, stands on a tip, and changes only the node's files."""
    repository = job.repository
    if not (repository.moved_to(base) and repository.holds(base, commit)):
        return False
    return all(
        change.path in node.files and (change.new.mode != LINK_MODE or change.old.mode == LINK_MODE)
        for change in repository.changes(base, commit)
    )
