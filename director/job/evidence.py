"""A gate's exit code, compared with what its output shows of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from director.model.testing.green_evidence import evidence_of_green, tests_seen
from director.repositories.history import History
from director.worktrees.gates import GateResult, Verdict


def with_evidence(job: History, paths: Sequence[str], commit: str, gate: GateResult) -> GateResult:
    """Return the gate's result on ``commit`` with its count of tests; ``paths`` are the tests.

    Green without evidence that they ran is red, and ``no_test_ran`` then. Without tests nothing
    but its exit code counts.
    """
    if not paths:
        return gate
    output = gate.whole_output
    if gate.verdict is not Verdict.GREEN:
        return replace(gate, tests_run=tests_seen(gate.command, output))
    found = job.contents(commit, paths)
    tests = {path: content.decode(errors="replace") for path, content in found.items()}
    evidence = evidence_of_green(gate.command, output, tests)
    if not evidence.lacking:
        return replace(gate, tests_run=evidence.tests_run)
    return replace(
        gate,
        verdict=Verdict.RED,
        reason=f"{gate.reason}, but {evidence.lacking}",
        tests_run=evidence.tests_run,
        no_test_ran=True,
    )
