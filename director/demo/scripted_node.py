"""One node of the sample job as the scripted models know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from director.model.plan import Node

Files = Mapping[str, str]
"""Path → whole content."""


@dataclass(frozen=True)
class ScriptedNode:
    """A node, its tests, and every attempt at it.

    ``attempts`` are what is written, in order; only the last one is right. ``by_executor`` says
    how many of them the executor makes before the escalation tier makes the last.
    """

    node: Node
    tests: Files
    attempts: tuple[Files, ...]
    by_executor: int

    @property
    def solution(self) -> Files:
        """The attempt that is right."""
        return self.attempts[-1]

    def attempt(self, number: int, *, escalated: bool) -> Files:
        """Return what is written in attempt ``number`` (1 is the first) on either tier."""
        if escalated:
            return self.solution
        return self.attempts[min(number, self.by_executor) - 1]
