"""What the commit says that brings a job's work onto a branch."""

from collections.abc import Sequence
from typing import NamedTuple

from director.job.trailers import PREFIX, commit_message, single_line
from director.model.commit_policy import NO_TYPE, CommitPolicy
from director.model.plan import Node, Plan
from director.repositories.branch_commits import BranchCommit

LANDING = "landing"
RESOLVED, RESOLVED_BY = "Resolved", "Resolved-By"
WEIGHTY = ("feat", "fix")  # of several types, the first of these that is one of them


class Resolutions(NamedTuple):
    """The files in which a ``model`` resolved conflicts with ``branch``."""

    paths: tuple[str, ...]
    model: str
    branch: str


def landing_message(
    policy: CommitPolicy,
    plan: Plan,
    nodes: Sequence[Node],
    tip: str,
    *,
    merge: bool,
    by: str,
    resolved: Resolutions | None = None,
) -> str:
    """Return the message of the commit that lands ``nodes``.

    Trailers name the job, its nodes and the ``tip`` of its branch. ``merge``: it has that branch
    for a parent. ``by`` signs it off ("": it is not signed off). ``resolved``: by a model, for this
    commit.
    """
    task = first_line(plan.task)
    title = f"Merge {plan.job_branch}: {task}" if merge else task
    values = {
        "title": single_line(title),
        "node": ", ".join(node.id for node in nodes),
        "task": single_line(task),
        "type": type_of(nodes),
    }
    parts = [policy.text(values)]
    if single_line(plan.task) != single_line(task):
        parts.append(_quoted(plan.task))
    parts.append("\n".join(f"- {node.id}: {single_line(node.title)}" for node in nodes))
    if resolved:
        parts.append(_resolutions(resolved))
    trailers: dict[str, object] = {
        "Job": plan.job_id,
        "Node": tuple(node.id for node in nodes),
        "Kind": LANDING,
        "Tip": tip,
    }
    if resolved:
        trailers |= {RESOLVED: resolved.paths, RESOLVED_BY: resolved.model}
    return commit_message("\n\n".join(parts), trailers, by)


def _resolutions(resolved: Resolutions) -> str:
    head = f"Conflicts with {resolved.branch}, resolved by {resolved.model}:"
    return "\n".join([single_line(head), "", *(f"- {path}" for path in resolved.paths)])


def first_line(task: str) -> str:
    """Return the first line of a task that says something."""
    return next((line.strip() for line in task.splitlines() if line.strip()), "")


def type_of(nodes: Sequence[Node]) -> str:
    """Return the type of Conventional Commits of the nodes together."""
    types = [node.type for node in nodes if node.type]
    weighty = [one for one in WEIGHTY if one in types]
    return (weighty or types or [NO_TYPE])[0]


def lands(commit: BranchCommit, plan: Plan, tip: str) -> bool:
    """Whether a commit of the user's branch is one that landed the job as it is at ``tip``."""
    said = commit.trailers
    return (
        said.get(f"{PREFIX}Kind") == LANDING
        and said.get(f"{PREFIX}Job") == plan.job_id
        and said.get(f"{PREFIX}Tip") == tip
    )


def _quoted(text: str) -> str:
    """Return text that git takes for text wherever it is in a message."""
    lines = (line.rstrip().replace(">8", "> 8") for line in text.strip().splitlines())
    return "\n".join(f"> {line}".rstrip() for line in lines)
