"""What the work of a node may not hold: paths of others, secrets, settings of the test runner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from director.job.context import JobContext
from director.model.errors import RequestError
from director.model.plan import Node
from director.model.reason import Reason
from director.model.secrets import Redactor
from director.model.testing.support_files import changed_settings, has_settings
from director.repositories.history import History


def provided_paths(job: JobContext, nodes: Iterable[Node]) -> list[str]:
    """Return one sentence for each path of a node that every worktree is provided with."""
    provisions = job.pool.provisions
    return [
        f"node {node.id!r}: {path!r} is provided to every worktree ([worktree]), "
        "so it cannot be part of the work"
        for node, path in _paths(nodes)
        if provisions and provisions.claims(path)
    ]


def submodule_paths(job: JobContext, nodes: Iterable[Node]) -> list[str]:
    """Return one sentence for each path of a node that lies in a submodule.

    Its files belong to another repository: all that a commit of this one says of them is which
    commit of the other they are of.
    """
    tip, submodules = job.repository.tip(), job.repository.submodules
    return [
        f"node {node.id!r}: {path!r} lies in the submodule {inside!r}, which is a repository of "
        "its own, so it cannot be part of the work"
        for node, path in _paths(nodes)
        if (inside := submodules.holding(tip, path))
    ]


def refuse_out_of_reach(job: JobContext, nodes: Iterable[Node]) -> None:
    """Raise RequestError when a node is to change, or to test with, such a path."""
    if problems := provided_paths(job, nodes := list(nodes)):
        correct = "correct [worktree], .worktreeinclude, or the nodes in plan.json"
        raise RequestError("; ".join(problems), correct, Reason.PLAN_INVALID)
    if problems := submodule_paths(job, nodes):
        correct = "correct the nodes in plan.json, or work in the submodule itself"
        raise RequestError("; ".join(problems), correct, Reason.PLAN_INVALID)


def _paths(nodes: Iterable[Node]) -> Iterator[tuple[Node, str]]:
    return ((node, path) for node in nodes for path in (*node.files, *node.tests))


def leaks(
    redactor: Redactor, job: History, base: str, commit: str, paths: Iterable[str]
) -> list[str]:
    """Return those of ``paths`` that hold a secret in ``commit`` and did not in ``base``."""
    if redactor.idle:
        return []
    clean = redactor.data
    before = job.contents(base, paths := list(paths))
    after = job.contents(commit, paths)
    return sorted(
        path
        for path, content in after.items()
        if clean(content) != content and clean(old := before.get(path, b"")) == old
    )


def runner_settings_changed(job: History, node: Node, base: str, commit: str) -> list[str]:
    """Return what ``commit`` changed in ``base`` of how tests run: "path: setting".

    Files that the plan lets the node change in this respect are left out.
    """
    paths = [path for path in node.files if has_settings(path) and path not in node.test_support]
    if not paths:
        return []
    before, after = job.contents(base, paths), job.contents(commit, paths)
    return [
        f"{path}: {setting}"
        for path in paths
        for setting in changed_settings(path, before.get(path), after.get(path))
    ]
