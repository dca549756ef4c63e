"""What a gate's run lacks in its environment, which no work at the node can bring."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from director.model.plan import Node
from director.model.testing.command_run import CommandRun
from director.model.testing.environment import Missing, missing_in_environment
from director.repositories.history import History
from director.worktrees.gates import GateResult, Verdict


def run_of(gate: GateResult) -> CommandRun:
    """Return the run of a gate with all of its output."""
    return CommandRun(gate.command, gate.code, gate.whole_output)


def find_missing(
    job: History, commit: str, gate: GateResult, to_come: Collection[str]
) -> Missing | None:
    """Return what the red ``gate`` on ``commit`` lacks in its environment, or None.

    ``to_come`` are the files that nodes may still make. The tree is read only where the words
    give a reason to.
    """
    if gate.verdict is not Verdict.RED or gate.no_test_ran:
        return None
    run = run_of(gate)
    if missing_in_environment(run, (), ()) is None:
        return None
    return missing_in_environment(run, to_come, frozenset(job.files(commit)))


def files_of(nodes: Iterable[Node]) -> frozenset[str]:
    """Return the files that ``nodes`` may make or change, their tests among them."""
    return frozenset(path for node in nodes for path in (*node.files, *node.tests))
