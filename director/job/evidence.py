"""What a gate's output shows besides its exit code: whether tests ran, and what they lacked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from director.model.plan import Node
from director.model.testing.command_run import CommandRun
from director.model.testing.environment import Missing, missing_in_environment
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
        return gate._replace(tests_run=tests_seen(gate.command, output))
    found = job.contents(commit, paths)
    tests = {path: content.decode(errors="replace") for path, content in found.items()}
    evidence = evidence_of_green(gate.command, output, tests)
    if not evidence.lacking:
        return gate._replace(tests_run=evidence.tests_run)
    return gate._replace(
        verdict=Verdict.RED,
        reason=f"{gate.reason}, but {evidence.lacking}",
        tests_run=evidence.tests_run,
        no_test_ran=True,
    )


def run_of(gate: GateResult) -> CommandRun:
    """Return the run of a gate with all of its output."""
    return CommandRun(gate.command, gate.code, gate.whole_output)


def find_missing(
    job: History, commit: str, gate: GateResult, to_come: Iterable[Node]
) -> Missing | None:
    """Return what the red ``gate`` on ``commit`` lacks in its environment, or None.

    ``to_come`` are the nodes that may still make files. Those and the tree are looked at only
    where the words give a reason to.
    """
    if gate.verdict is not Verdict.RED or gate.no_test_ran:
        return None
    run = run_of(gate)
    # First without any files, which could only excuse what is found: most trees are not read.
    if missing_in_environment(run, (), ()) is None:
        return None
    return missing_in_environment(run, files_of(to_come), frozenset(job.files(commit)))


def files_of(nodes: Iterable[Node]) -> frozenset[str]:
    """Return the files that ``nodes`` may make or change, their tests among them."""
    return frozenset(path for node in nodes for path in (*node.files, *node.tests))
