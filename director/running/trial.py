"""Putting commits to the test in one worktree, and remembering which were green."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from director.job.evidence import with_evidence
from director.job.workbench import Workbench
from director.model.plan import Node
from director.model.receipt import GateRun
from director.model.roles import Role
from director.records.events import Kind
from director.running.receipts import gate_run
from director.workspace.gates import GateResult, Verdict
from director.workspace.provisions import SetupFailedError
from director.workspace.worktrees import Worktree


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
class Drafted:
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
    gates = tuple(GateRun.from_json(one) for one in stored["gates"])
    return Candidate(str(stored["commit"]), str(stored["base"]), Role(stored["role"]), gates)


class Trial:
    """The node's tests, run on clean checkouts in one worktree."""

    def __init__(self, bench: Workbench, node: Node, worktree: Worktree) -> None:
        self._bench = bench
        self._node = node
        self._worktree = worktree
        self._green: list[GateRun] = []
        self.unprepared: set[str] = set()  # commits whose own setup fails

    def run(self, commit: str, purpose: str) -> GateResult:
        """Run the tests on a clean checkout of ``commit``.

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

    def _prepare(self, commit: str) -> SetupFailedError | None:
        """Reset the worktree; returns the failure of a setup that works on the tip."""
        tip = self._bench.job.tip()
        try:
            self._worktree.reset(commit)
        except SetupFailedError:
            if commit == tip:
                raise
            self._worktree.reset(tip)
            try:
                self._worktree.reset(commit)  # what it made on the tip may do here, too
            except SetupFailedError as failed:
                return failed
        return None

    def flake(self, commit: str) -> GateResult | None:
        """Run the tests again, ``flake_runs − 1`` times; returns the run that was not green."""
        for _ in range(self._bench.config.limits.flake_runs - 1):
            gate = self._gate(commit, "again")
            if gate.verdict is not Verdict.GREEN:
                return gate
        self._worktree.keep_builds()
        return None

    def green_runs(self, commit: str) -> tuple[GateRun, ...]:
        """Return the green runs on ``commit`` so far."""
        return tuple(run for run in self._green if run.commit == commit)

    def _gate(self, commit: str, purpose: str) -> GateResult:
        name = f"{self._node.id}-{purpose}"
        result = self._bench.gates.run(self._node.test_cmd, self._worktree.path, name)
        result = with_evidence(self._bench.job, self._node, commit, result)
        self._tell(purpose, result)
        if result.verdict is Verdict.GREEN:
            self._green.append(gate_run(self._bench, purpose, commit, result))
        return result

    def _tell(self, purpose: str, result: GateResult) -> None:
        self._bench.events.emit(
            Kind.GATE,
            self._node.id,
            purpose=purpose,
            verdict=result.verdict,
            reason=result.reason,
            wall_secs=round(result.wall_secs, 3),
            log=result.log.name,
            tests_run=result.tests_run,
        )
