"""What a job says of the submodules of its commits."""

from __future__ import annotations

from collections.abc import Iterable

from director.model.errors import RequestError
from director.model.plan import Node
from director.records.events import Events, Kind
from director.repositories.job_repository import JobRepository


def warn_of_missing(job: JobRepository, commit: str, events: Events) -> None:
    """Give the notice that submodules of ``commit`` stay empty in every worktree."""
    if missing := job.submodules.missing(commit):
        events.emit(
            Kind.NOTICE,
            message=f"your checkout does not have the submodules {', '.join(missing)}: they stay "
            "empty folders for agents and gates; `git submodule update --init` brings them",
        )


def submodule_problems(job: JobRepository, nodes: Iterable[Node]) -> list[str]:
    """Return one sentence for each path of a node that lies in a submodule.

    Its files belong to another repository: all that a commit of this one says of them is which
    commit of the other they are of.
    """
    tip = job.tip()
    return [
        f"node {node.id!r}: {path!r} lies in the submodule {inside!r}, which is a repository of "
        "its own, so it cannot be part of the work"
        for node in nodes
        for path in (*node.files, *node.tests)
        if (inside := job.submodules.holding(tip, path))
    ]


def refuse_in_submodules(job: JobRepository, nodes: Iterable[Node]) -> None:
    """Raise RequestError when a node is to change, or to test with, files of a submodule."""
    if problems := submodule_problems(job, nodes):
        raise RequestError(
            "; ".join(problems), "correct the nodes in plan.json, or work in the submodule itself"
        )
