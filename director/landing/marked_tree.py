"""The merged tree of a landing with its conflicts marked, and what resolutions make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from director.job.attempts import Judgement
from director.job.forbidden import leaks
from director.landing.markers import left_markers
from director.model.diff_size import DiffSize, diff_size
from director.model.plan import Node, Plan
from director.model.secrets import Redactor
from director.model.state import AttemptOutcome
from director.model.testing.support_files import changed_settings
from director.records.resolutions import Resolution
from director.repositories.history import Entry
from director.repositories.job_repository import JobRepository

BYTES = "surrogateescape"  # how what is not UTF-8 is kept


@dataclass(frozen=True)
class Conflicted:
    """Conflicts of the commit ``work`` with the branch's ``tip``.

    The tree ``marked`` is what git made of both, with markers in the files ``paths``. ``nodes`` are
    those whose work it is.
    """

    plan: Plan
    branch: str
    tip: str
    work: str
    marked: str
    paths: tuple[str, ...]
    nodes: Sequence[Node]

    @property
    def unresolved(self) -> Resolution:
        """The record of no attempt at them."""
        return Resolution(self.work, self.tip, self.marked)


class MarkedTree:
    """The merged tree of ``conflicted`` in the repository ``job``; ``marked`` is a commit of it.

    ``redactor`` knows the values of keys, which no resolution may contain.
    """

    def __init__(self, job: JobRepository, conflicted: Conflicted, redactor: Redactor) -> None:
        self._job = job
        self._of = conflicted
        self._redactor = redactor
        message = "The merged tree, with its conflicts\n"
        self.marked = job.commit(conflicted.marked, conflicted.tip, message)

    def resolved(self, known: Resolution) -> str:
        """Return a commit of the merged tree with what is on record of its files."""
        there = self._job.entries(self.marked, self._of.paths)
        files = {path: text.encode(errors=BYTES) for path, text in known.files.items()}
        now = [Entry(path, there[path].mode, self._job.store(d)) for path, d in files.items()]
        tree = self._job.tree_with(self.marked, now)
        return self._job.commit(tree, self._of.tip, "The merged tree\n")

    def judge(self, known: Resolution) -> Judgement:
        """Judge the files of a resolution by what they hold."""
        commit, of = self.resolved(known), self._of
        now, marked = (self._job.contents(one, of.paths) for one in (commit, self.marked))
        ours, theirs = (self._job.contents(one, of.paths) for one in (of.tip, of.work))
        if leaking := self.leaking(known):
            lesson = f"A key from the environment is in {', '.join(leaking)}: take it out."
            return Judgement(AttemptOutcome.OUT_OF_SCOPE, lesson)
        for path in of.paths:
            sides = [side.get(path, b"") for side in (ours, theirs)]
            if left := left_markers(now[path], marked[path], sides):
                lesson = f"{path} still has lines that mark a conflict: `{'`, `'.join(left)}`."
                return Judgement(AttemptOutcome.UNRESOLVED, lesson)
            if settings := changed_on_both(path, sides, now[path]):
                lesson = (
                    f"In {path} you changed how the tests are run: {', '.join(settings)}. Leave it "
                    "as one of the two sides has it."
                )
                return Judgement(AttemptOutcome.OUT_OF_SCOPE, lesson)
        return Judgement(None, "")

    def leaking(self, known: Resolution) -> list[str]:
        """Return the files of a resolution that contain the value of a key."""
        paths = self._of.paths
        return leaks(self._redactor, self._job, self.marked, self.resolved(known), paths)

    def size(self, known: Resolution) -> DiffSize:
        """Return how many lines a resolution changes in the files as they are marked."""
        before = self._job.contents(self.marked, self._of.paths)
        now = self._job.contents(self.resolved(known), self._of.paths)
        return diff_size((before[path], now[path]) for path in self._of.paths)


def changed_on_both(path: str, sides: Sequence[bytes], now: bytes) -> list[str]:
    """Return the settings of the test runner that are in no side as they are ``now``."""
    changed = (set(changed_settings(path, side, now)) for side in sides)
    return sorted(set.intersection(*changed))
