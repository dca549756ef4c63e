"""Tests that fail, or pass, whatever the work is: no attempt of a model can change that."""

from __future__ import annotations

from director.job.context import JobContext
from director.job.environment import run_of
from director.job.trailers import KIND, MERGE
from director.model.plan import Node
from director.model.testing.control_run import UNREADABLE, may_be_independent
from director.model.testing.output_digest import output_digest
from director.repositories.history import Entry, History
from director.repositories.objects import LINK_MODE
from director.running.merging import draft
from director.running.node_gates import NodeGates
from director.worktrees.gates import GateResult, Verdict

AS_BEFORE = "fails as it did before the work: is something missing in the worktree?"
GREEN_BEFORE_WORK = (
    "the tests were red when they were admitted and pass now before any work, although nothing "
    "merged in between: they test something else than the worktree, or were red because "
    "something was missing then"
)


def fails_independently(
    job: JobContext, node: Node, gates: NodeGates, gate: GateResult, before: str, base: str
) -> bool:
    """Whether the red ``gate`` on a candidate on ``base`` fails whatever the work is.

    ``before`` is the ``output_digest`` of the run before the work ("": not known). The rules stand
    in ``model/control_run.py``; the control run is a gate on a draft that never merges.
    """
    run = run_of(gate)
    if gate.no_test_ran or not may_be_independent(before, run, (*node.files, *node.tests)):
        return False
    control = gates.run(_unreadable(job, node, base), "control")
    return control.verdict is Verdict.RED and output_digest(run_of(control)) == before


def _unreadable(job: JobContext, node: Node, base: str) -> str:
    """Return a commit on ``base`` where no file that the node may change can be read."""
    repository = job.repository
    known = repository.entries(base, node.files)
    content = repository.store(UNREADABLE)
    modes = {path: known[path].mode if path in known else "100644" for path in node.files}
    entries = [
        Entry(path, "100644" if mode == LINK_MODE else mode, content)
        for path, mode in modes.items()
    ]
    return draft(job, node, repository.tree_with(base, entries), base)


def anything_merged(job: History, base: str, tip: str) -> bool:
    """Whether a node merged on the job branch between ``base``, where it began, and ``tip``."""
    return any(commit.trailers.get(KIND) == MERGE for commit in job.log(base, tip))
