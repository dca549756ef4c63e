"""Whether a commit of the job branch belongs to the job and follows the commit before it."""

from __future__ import annotations

from collections.abc import Mapping

from director.job.trailers import JOB, KIND, MERGE, NODE, TESTS
from director.model.plan import Plan
from director.repositories.branch_commits import BranchCommit


def why_foreign(plan: Plan, commit: BranchCommit, before: str) -> str | None:
    """Say why ``commit`` cannot be one that director put on the commit ``before``; None: it can.

    Nothing but its parents and trailers is looked at, which anybody can copy.
    """
    said = commit.trailers
    if commit.parents != (before,):
        parents = ", ".join(parent[:12] for parent in commit.parents) or "none"
        return f"expected the one parent {before[:12]}, found {parents}"
    if said.get(JOB) != plan.job_id and not _planned_for(plan, said):
        return f"expected {JOB}: {plan.job_id}, found {said.get(JOB, 'none')}"
    if said.get(KIND) not in (MERGE, TESTS) or NODE not in said:
        return f"it is neither a merge nor a node's tests ({KIND}: {said.get(KIND, 'none')})"
    if said[KIND] == MERGE and said[NODE] not in plan:
        return f"it merges node {said[NODE]}, which is not in the plan"
    return None


def _planned_for(plan: Plan, said: Mapping[str, str]) -> bool:
    """Whether these are trailers of tests from which a bench made jobs, one for each profile."""
    return said.get(KIND) == TESTS and plan.job_id.startswith(f"{said.get(JOB)}-")
