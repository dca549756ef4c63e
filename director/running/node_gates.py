"""Putting commits to the test in one worktree, and remembering which were green."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from director.job.context import JobContext
from director.job.evidence import with_evidence
from director.job.views import Views
from director.model.codec.decoding import decode
from director.model.plan import Node
from director.model.receipt import GateRun
from director.model.roles import Role
from director.records.events import Kind
from director.running.attempts import listed
from director.running.receipts import gate_run
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.provisions import SetupFailedError
from director.worktrees.worktrees import Worktree

SHOWN_PATHS = 5


@dataclass(frozen=True)
class Candidate:
    """A commit on ``base`` that was green on a clean checkout, and the tier that made it.

    ``gates`` are its green gate runs.
    """

    commit: str
    base: str
    role: Role
    gates: tuple[GateRun, ...]


@dataclass(frozen=True)
class UngatedCandidate:
    """What a turn left in the worktree, as a commit; not gated yet.

    ``before`` and ``after`` are to be said around what the gate says.
    """

    commit: str
    before: str = ""
    after: str = ""


def read_candidate(stored: Mapping[str, Any] | None) -> Candidate | None:
    """Return the candidate in a memo, as ``dataclasses.asdict`` made it."""
    if not stored:
        return None
    gates = tuple(decode(GateRun, one) for one in stored["gates"])
    return Candidate(str(stored["commit"]), str(stored["base"]), Role(stored["role"]), gates)


class NodeGates:
    """The node's tests, run on clean checkouts in the worktree of a lane's gates.

    What is checked out is the node's view of a commit. Every run starts from the exact tree. What
    the test command itself changes in tracked files is ``rewritten``: it is not part of the work,
    and each run begins without it.
    """

    def __init__(self, job: JobContext, views: Views, node: Node, worktree: Worktree) -> None:
        self._job = job
        self._views = views
        self._node = node
        self._kept = {*views.plan.contract, *node.files}
        self._worktree = worktree
        self._green: list[GateRun] = []
        self.rewritten: set[str] = set()
        self.unprepared: set[str] = set()  # commits whose own setup fails

    def view(self, commit: str) -> str:
        """Return the commit that the node sees of ``commit``."""
        return self._views.of(commit, self._node)

    def tree(self, commit: str) -> str:
        """Return the tree that is gated when ``commit`` is."""
        return self._job.repository.tree(self.view(commit))

    def run(self, commit: str, purpose: str) -> GateResult:
        """Run the tests on a clean checkout of the node's view of ``commit``.

        A setup that fails on ``commit`` alone is red; one that fails on the tip as well is nobody's
        attempt, and SetupFailedError is raised.
        """
        failed = self._prepare(commit)
        if failed is None:
            return self._gate(commit, purpose)
        self.unprepared.add(commit)
        result = replace(failed.result, verdict=Verdict.RED)
        self._tell(purpose, result)
        return result

    def run_before(self, commit: str) -> GateResult:
        """Run the tests on ``commit``, where no work is done yet.

        What they change there, be it tests, is their own doing. RequestError where they do not
        test the worktree.
        """
        result = self.run(commit, "before")
        self._job.import_check.check(result, self._worktree.path)
        self._learn(self._worktree.changed() - set(self._node.files))
        return result

    def run_for_scope(self, commit: str) -> None:
        """Run the tests on a draft, to see whether they change what an agent seems to have."""
        self.run(commit, "scope")
        self._learn(self._worktree.changed() - self._kept)

    def _learn(self, changed: Collection[str]) -> None:
        new = set(changed) - self.rewritten
        if not new:
            return
        self.rewritten |= new
        paths = listed(sorted(new), SHOWN_PATHS)
        message = f"the test command of {self._node.id} itself changes {paths}: left out"
        self._job.events.emit(Kind.NOTICE, self._node.id, message=message)

    def _prepare(self, commit: str) -> SetupFailedError | None:
        """Reset the worktree; returns the failure of a setup that works on the tip."""
        view, tip = self.view(commit), self.view(self._job.repository.tip())
        try:
            self._worktree.reset(view)
        except SetupFailedError:
            if view == tip:
                raise
            self._worktree.reset(tip)
            try:
                self._worktree.reset(view)  # what it made on the tip may do here, too
            except SetupFailedError as failed:
                return failed
        return None

    def flake(self, commit: str) -> GateResult | None:
        """Run the tests again, ``flake_runs − 1`` times; returns the run that was not green."""
        for _ in range(self._job.config.limits.flake_runs - 1):
            self._worktree.reset(self.view(commit))
            gate = self._gate(commit, "again")
            if gate.verdict is not Verdict.GREEN:
                return gate
        self._worktree.keep_builds()
        return None

    def green_runs(self, commit: str) -> tuple[GateRun, ...]:
        """Return the green runs on ``commit`` so far."""
        return tuple(run for run in self._green if run.commit == commit)

    def _gate(self, commit: str, purpose: str) -> GateResult:
        result = self._run_command(purpose)
        if result.verdict is Verdict.GREEN:
            result = self._unless_changed(commit, result)
        result = with_evidence(self._job.repository, self._node, self.view(commit), result)
        self._tell(purpose, result)
        if result.verdict is Verdict.GREEN:
            gated = self.tree(commit)
            self._green.append(gate_run(purpose, commit, gated, result))
        return result

    def _run_command(self, purpose: str) -> GateResult:
        name = f"{self._node.id}-{purpose}"
        return self._job.gates.run(self._node.test_cmd, self._worktree.path, name)

    def _unless_changed(self, commit: str, result: GateResult) -> GateResult:
        """Return the green ``result``; red where something else than ``commit`` was tested.

        What the command changes again when it runs again, in files that are neither tests nor the
        node's own, is its own doing. Anything else was put there while it ran.
        """
        changed = self._worktree.changed() - self.rewritten
        if not changed:
            return result
        if not changed & self._kept:
            self._worktree.reset(self.view(commit))
            again = self._run_command("again")
            if self._worktree.changed() - self.rewritten == changed:
                self._learn(changed)
                return again
        paths = listed(sorted(changed), SHOWN_PATHS)
        reason = f"{result.reason}, but while it ran {paths} changed: the commit was not tested"
        return replace(result, verdict=Verdict.RED, reason=reason)

    def _tell(self, purpose: str, result: GateResult) -> None:
        self._job.events.emit(
            Kind.GATE,
            self._node.id,
            purpose=purpose,
            verdict=result.verdict,
            reason=result.reason,
            wall_secs=round(result.wall_secs, 3),
            log=result.log.name,
            tests_run=result.tests_run,
        )
