"""One node of a job: what it sees of commits, what its candidates must pass, and its drafts."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from director.job.context import JobContext
from director.job.trailers import CANDIDATE, commit_message
from director.job.views import Views
from director.model.checks import Checks
from director.model.diff_size import DiffSize, diff_size
from director.model.plan import Node
from director.records.events import Kind


class NodeWork:
    """A node with all that work on it needs to know.

    Commits are those of the branch and candidates for it, with the tests of all nodes; worktrees
    hold the node's views of them.
    """

    def __init__(self, job: JobContext, views: Views, node: Node) -> None:
        self.job = job
        self.views = views
        self.node = node

    @cached_property
    def checks(self) -> Checks:
        """What the node's candidates must pass."""
        return self.job.checks(self.node, self.job.config.limits)

    def view(self, commit: str) -> str:
        """Return the commit that the node sees of ``commit``."""
        return self.views.of(commit, self.node)

    def tree(self, commit: str) -> str:
        """Return the tree that is gated when ``commit`` is."""
        return self.job.repository.tree(self.view(commit))

    def emit(self, kind: Kind, **values: Any) -> None:
        """Emit an event about the node."""
        self.job.events.emit(kind, self.node.id, **values)

    def draft(self, tree: str, parent: str) -> str:
        """Return a commit of ``tree`` on ``parent`` for gating; it never reaches the branch."""
        trailers = {"Node": self.node.id, "Kind": CANDIDATE}
        said = commit_message(f"Candidate of {self.node.id}", trailers)
        return self.job.repository.commit(tree, parent, said)

    def keep(self, attempt: int, commit: str) -> str:
        """Keep what a failed attempt came to for people to look at; returns the name of its ref."""
        return self.job.repository.keep_attempt(self.node.id, attempt, commit)

    def diff_size(self, old: str, new: str) -> DiffSize:
        """Return how much two commits differ."""
        repository = self.job.repository
        paths = [change.path for change in repository.changes(old, new)]
        before, after = repository.contents(old, paths), repository.contents(new, paths)
        return diff_size((before.get(path, b""), after.get(path, b"")) for path in paths)

    def rebased(self, base: str, commit: str, onto: str) -> str | None:
        """Return a commit of what ``commit`` changed in ``base``, on ``onto``.

        That is ``commit`` itself where both hold the same, and the work of the same nodes; None
        where both changed the same files.
        """
        repository, done = self.job.repository, self.views.done
        if repository.tree(onto) == repository.tree(base) and done(onto) == done(base):
            return commit
        if self.changed_by_both(base, commit, onto):
            return None
        mine = [change.new for change in repository.changes(base, commit)]
        return self.draft(repository.tree_with(onto, mine), onto)

    def changed_by_both(self, base: str, one: str, other: str) -> list[str]:
        """Return the paths that two commits both hold otherwise than ``base``, sorted."""
        changes = self.job.repository.changes
        changed = ({change.path for change in changes(base, end)} for end in (one, other))
        return sorted(set.intersection(*changed))
