"""A gate's red result, and what it lacks that no work brings."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from director.model.command_run import RedRun
from director.model.environment import Missing, missing_in_environment
from director.model.plan import Node
from director.workspace.gates import GateResult, Verdict
from director.workspace.history import History


def red_run(gate: GateResult) -> RedRun:
    """Return the run that a gate's result tells of, with all of its output."""
    return RedRun(gate.command, gate.code, gate.log.read_text(encoding="utf-8", errors="replace"))


def lacking(
    job: History, commit: str, gate: GateResult, to_come: Collection[str]
) -> Missing | None:
    """Return what the red ``gate`` on ``commit`` lacks around the work, or None.

    ``to_come`` are the files that nodes may still make. The tree is read only where the words
    give a reason to.
    """
    if gate.verdict is not Verdict.RED or gate.no_test_ran:
        return None
    run = red_run(gate)
    if missing_in_environment(run, (), ()) is None:
        return None
    return missing_in_environment(run, to_come, frozenset(job.files(commit)))


def made_by(nodes: Iterable[Node]) -> frozenset[str]:
    """Return the files that ``nodes`` may make or change, their tests among them."""
    return frozenset(path for node in nodes for path in (*node.files, *node.tests))
