"""What a failed check reports."""

from __future__ import annotations

from director.job.trailers import NODE
from director.model.plan import Plan
from director.model.values import dataclass, field
from director.repositories.branch_commits import BranchCommit

SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Problem:
    """Why a check failed: a sentence, what to do next, and the facts one by one.

    ``run_checks`` sets ``check`` to the name of the check, and ``next_step`` to ``restore(plan)``
    where there is none.
    """

    check: str = field(default="", kw_only=True)
    what: str
    next_step: str = ""
    commit: str | None = None
    node: str | None = None
    expected: str | None = None
    found: str | None = None


def differing(commit: BranchCommit, about: str, expected: str, found: str) -> Problem:
    """Return the problem that something ``about`` a merge commit is not as expected."""
    node_id = commit.trailers[NODE]
    values = f"expected {short(expected)}, found {short(found)}"
    what = f"commit {short(commit.oid)} (node {node_id}): {about}: {values}"
    return Problem(what, "", commit.oid, node_id, expected, found)


def restore(plan: Plan) -> str:
    """Return what to do about a branch that is not as director left it."""
    return (
        f"do not merge {plan.job_branch} as it is; where only your copy was changed, "
        f"`git branch -D {plan.job_branch}`, then `director run` publishes director's own"
    )


def short(text: str) -> str:
    """Return an object id or a hash as people read it; anything else as it is."""
    is_id = len(text) >= 40 and set(text) <= set("0123456789abcdef")
    return text[:SHOWN_DIGITS] if is_id else text
