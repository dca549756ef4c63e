"""A lane: the two worktrees in which one node is worked on."""

from __future__ import annotations

from director.worktrees.builds import Builds
from director.worktrees.worktree import Worktree


class Lane:
    """A worktree for agents and one for gates, of the same number. Used by one thread at a time.

    No agent can write in the one for gates, where agents are confined. Both are made when they
    are first reset.
    """

    def __init__(self, work: Worktree, gate: Worktree, builds: Builds) -> None:
        self.work = work
        self.gate = gate
        self.builds = builds
