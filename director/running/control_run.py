"""Tests that fail, or pass, whatever the work is: no attempt of a model can change that."""

from __future__ import annotations

from director.job.evidence import run_of
from director.model.checks import TESTS
from director.model.testing.control_run import UNREADABLE, may_be_independent
from director.model.testing.output_digest import output_digest
from director.repositories.history import Entry
from director.repositories.objects import LINK_MODE
from director.running.node_gates import CONTROL, GateFailure, NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Progress
from director.worktrees.gates import Verdict

AS_BEFORE = "fails as it did before the work: is something missing in the worktree?"
GREEN_BEFORE_WORK = (
    "the tests were red when they were admitted and pass now before any work, although nothing "
    "merged in between: they test something else than the worktree, or were red because "
    "something was missing then"
)


def fails_independently(
    work: NodeWork, gates: NodeGates, failure: GateFailure, progress: Progress
) -> bool:
    """Whether a candidate on the base of ``progress`` fails its tests whatever the work is.

    Not one of a repair: work is what turned its gate red.

    The rules are in ``model/testing/control_run.py``; the control run is a gate on a draft that
    never merges.
    """
    run, before = run_of(failure.gate), progress.first_digest
    if work.node.repairs or failure.check.name != TESTS or failure.gate.no_test_ran:
        return False
    if not may_be_independent(before, run, (*work.node.files, *work.node.tests)):
        return False
    control = gates.run(_unreadable(work, progress.base), CONTROL)
    return control.verdict is Verdict.RED and output_digest(run_of(control)) == before


def _unreadable(work: NodeWork, base: str) -> str:
    """Return a commit on ``base`` where no file that the node may change can be read."""
    repository, paths = work.job.repository, work.node.files
    known = repository.entries(base, paths)
    content = repository.store(UNREADABLE)
    # A link would only be unreadable at the other end, so a plain file takes its place.
    modes = {path: known[path].mode if path in known else "100644" for path in paths}
    entries = [
        Entry(path, "100644" if mode == LINK_MODE else mode, content)
        for path, mode in modes.items()
    ]
    return work.draft(repository.tree_with(base, entries), base)
