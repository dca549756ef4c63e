"""Tests before code: written by the test author, until they are admitted or attempts are used up.

What an attempt begins with is noted with its call, so that a run that follows a killed one reads
what was written instead of asking again.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from director.agents.calls import Assignment
from director.job.context import JobContext
from director.job.views import Views
from director.model.node_digest import digest_of
from director.model.plan import Node
from director.model.roles import Agent, Role
from director.model.testing.test_names import lost_tests
from director.planning.admission import Admission, Candidate, Examiner
from director.planning.prompts import Background, tests_prompt
from director.planning.tests_on_branch import put_on_branch
from director.records.events import Kind
from director.repositories.history import Entry
from director.worktrees.worktree import Worktree

ATTEMPTS = 2
SHOWN_TESTS = 5


def author_tests(
    job: JobContext, views: Views, node: Node, background: Background, feedback: str
) -> Admission:
    """Let the author write the node's tests and put them on the branch when they are admitted.

    The author sees the tests of the nodes that this one depends on, and extends a file of theirs.
    ``feedback`` is what a critique said of earlier tests, or "". Tests that are not admitted go
    back to the author once, with the output. The author's calls stay noted, for the caller to
    drop when that is on record. RequestError where no test could be about the worktree.
    """
    author = _Author(job, views, node, background)
    attempt, folder = author.first_attempt(feedback)
    with job.pool.lane(folder) as lane:
        examiner = Examiner(job, views, lane.gate)
        examiner.refuse_imports(node, attempt.start)
        while True:
            candidate = author.write(attempt, lane.work)
            lost = author.lost_tests(candidate.commit)
            admission = Admission(lost) if lost else examiner.admit(node, candidate)
            if not admission.problem:
                put_on_branch(job, node, candidate.commit)
                break
            job.events.emit(Kind.TESTS_REJECTED, node.id, problem=admission.problem)
            if admission.final or attempt.number == ATTEMPTS:
                break
            problem, start = admission.problem, candidate.commit
            attempt = _Attempt(attempt.number + 1, attempt.asked, problem, start)
    return admission


def drop_notes(job: JobContext, node: Node) -> None:
    """Drop the notes of the author's calls: the tests are on the branch, or refused."""
    job.agents.notes.drop(*(_name(node, number) for number in range(1, ATTEMPTS + 1)))


def _name(node: Node, attempt: int) -> str:
    return f"{node.id}-tests-{attempt}"


class _Attempt(NamedTuple):
    """One call of the author: the problem to solve, and what the worktree holds when it begins.

    ``asked`` is the digest of what the author is asked for. ``drafted`` are the tests that it came
    to, read by an earlier run.
    """

    number: int
    asked: str
    problem: str
    start: str
    drafted: Sequence[Entry] = ()

    @property
    def memo(self) -> dict[str, Any]:
        """What a call note keeps of it."""
        return {
            "round": self.number,
            "asked": self.asked,
            "problem": self.problem,
            "start": self.start,
        }


@dataclass(frozen=True)
class _Author:
    """The author of one node's tests."""

    job: JobContext
    views: Views
    node: Node
    background: Background

    def first_attempt(self, feedback: str) -> tuple[_Attempt, Path | None]:
        """Return the attempt to begin with, and the folder in which a killed run made it."""
        asked, tip = self._digest(feedback), self.job.repository.tip()
        names = (_name(self.node, number) for number in range(ATTEMPTS, 0, -1))
        note = next((note for name in names if (note := self.job.agents.notes.get(name))), None)
        # A version before this one did not say what a call was about.
        if note is None or note.memo.get("asked", asked) != asked:
            drop_notes(self.job, self.node)
            return _Attempt(1, asked, feedback, tip), None
        memo = note.memo
        start = str(memo.get("start", ""))
        if not self.job.repository.holds(tip, start):
            start = tip
        number = 2 if memo.get("round") == 2 else 1
        problem = str(memo.get("problem", feedback))
        return _Attempt(number, asked, problem, start, self._drafted(memo)), Path(note.cwd)

    def _digest(self, feedback: str) -> str:
        """Return what tells whether the author was asked for the same (hex)."""
        node = self.node._replace(depends_on=(), test_hashes={})  # which say only what is done
        return hashlib.sha256(f"{digest_of(node)} {feedback}".encode(errors="replace")).hexdigest()

    def _drafted(self, memo: Mapping[str, Any]) -> list[Entry]:
        """Return the tests that an earlier run read, as far as that can be true."""
        repository = self.job.repository
        base, commit = str(memo.get("base", "")), str(memo.get("drafted", ""))
        if not (repository.moved_to(base) and repository.holds(base, commit)):
            return []
        return [one.new for one in repository.changes(base, commit) if one.path in self.node.tests]

    def write(self, attempt: _Attempt, worktree: Worktree) -> Candidate:
        """Return what the author wrote in the node's tests, as a commit on the tip.

        Once that is a commit, a run that follows needs no worktree.
        """
        if attempt.drafted:
            return self._candidate(attempt, attempt.drafted)
        prompt = tests_prompt(self.node, self.background, attempt.problem, self._extended)
        assignment = Assignment(
            agent=Agent.TEST_AUTHOR,
            role=Role.TEST_AUTHOR,
            prompt=prompt,
            cwd=worktree.path,
            name=_name(self.node, attempt.number),
            allowlist=self.node.tests,
            node=self.node.id,
            attempt=attempt.number,
            memo=attempt.memo,
            log=f"{self.node.id}.tests-{attempt.number}",
        )
        # What a killed run's author wrote is still in the worktree: a reset would lose it.
        if self.job.agents.recalled(assignment) is None:
            worktree.reset(self.views.of(attempt.start, self.node))
            self.job.agents.ask(assignment)
        repository = self.job.repository
        view = self.views.of(repository.tip(), self.node)
        seen = worktree.snapshot(view, self.node.tests)
        written = [one.new for one in repository.changes(view, seen.tree)]
        return self._candidate(attempt, written, seen.links)

    def _candidate(
        self, attempt: _Attempt, written: Sequence[Entry], links: tuple[str, ...] = ()
    ) -> Candidate:
        repository, base = self.job.repository, self.job.repository.tip()
        said = f"Draft of the tests of {self.node.id}\n"
        commit = repository.commit(repository.tree_with(base, written), base, said)
        if not links:  # these are refused, and in no commit
            name = _name(self.node, attempt.number)
            self.job.agents.notes.remember(name, base=base, drafted=commit)
        return Candidate(commit, links, f"tests-{attempt.number}")

    def lost_tests(self, commit: str) -> str:
        """Say which tests of earlier nodes are gone in ``commit`` from files it extends; or ""."""
        repository = self.job.repository
        after = repository.contents(commit, self._extended)
        for path, content in repository.contents(repository.tip(), self._extended).items():
            now = after.get(path, b"").decode(errors="replace")
            if lost := lost_tests(content.decode(errors="replace"), now):
                named = ", ".join(lost[:SHOWN_TESTS])
                return f"tests of earlier nodes are missing from {path}: {named}"
        return ""

    @property
    def _extended(self) -> list[str]:
        """The test files that a node before this one began."""
        owners = self.views.plan.owners
        return [path for path in self.node.tests if owners[path][0] != self.node.id]
