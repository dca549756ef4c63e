"""The preflight: do the repository's own tests run in a fresh worktree? Before any model call.

``[gates]`` run on the base; where there are none, the commands that the ecosystems stand for run
once. What does not work is compared with the user's checkout, where that is clean.
"""

from __future__ import annotations

from director.job.base_tests import Base, blocked_words, remark, try_tests
from director.job.context import JobContext
from director.job.integration import gate_base, refuse_broken
from director.job.stage import Stage
from director.model.errors import RequestError
from director.model.integration_gates import warning
from director.model.reason import Reason
from director.model.roles import Role
from director.model.testing.preflight import Preflight
from director.planning.context import Planning
from director.records.logs import log_called

ALLOW = "--allow-broken-gates"
BEFORE_TESTS = (Stage.SPEC, Stage.SPEC_APPROVAL, Stage.DECOMPOSE)
ASKED_NEXT = {Stage.SPEC: Role.EXPLORER, Stage.DECOMPOSE: Role.PLANNER}


def check_base(planning: Planning) -> None:
    """Run ``[gates]`` on the base and, before tests are written, the tests that are there.

    RequestError where they cannot run there, or where tests would not test a worktree.
    """
    base = _base_of(planning)
    if role := ASKED_NEXT.get(planning.stage.stage):
        planning.job.agents.caller.prepare(role)  # beside the gates
    if planning.stage.stage is Stage.SPEC and (missing := base.missing_submodules()):
        planning.job.events.notice(missing)  # once per job
    if planning.stage.stage in BEFORE_TESTS:
        gates = planning.job.config.gates.values()
        planning.job.import_check.refuse_gates(gates, planning.workspace.repository.root)
    _run_gates(planning, base)
    if planning.stage.stage in BEFORE_TESTS:
        _run_tests(planning, base)


def _base_of(planning: Planning) -> Base:
    job, workspace = planning.job, planning.workspace
    return Base(
        planning.stage.base_commit,
        workspace.repository,
        job.repository,
        job.pool,
        job.gates,
        job.import_check,
        job.events,
        job.config,
        workspace.home.config,
        job.directory.path,
    )


def _run_gates(planning: Planning, base: Base) -> None:
    known, allowed = planning.stage.base_gates, planning.stage.allow_broken_gates
    found = gate_base(planning.job, base.commit, known or {})
    allow = planning.options.allow_broken_gates or allowed
    if (found, allow) != (known, allowed):
        planning.save(base_gates=found, allow_broken_gates=allow)
    if not allow:
        refuse_broken(planning.job.directory, found, base.advice)
    if planning.options.auto and (line := warning(found)):
        planning.job.events.notice(line)


def _run_tests(planning: Planning, base: Base) -> None:
    """Run the existing tests in a worktree: once, but until they can, unless that is allowed."""
    stage = planning.stage
    found = stage.preflight
    if found is None or (found.blocked and not stage.allow_broken_gates):
        found = try_tests(base, stage.base_gates or {})
        planning.save(preflight=found)
        if not stage.allow_broken_gates:
            _refuse_blocked(base, found)
        _tell(planning.job, found)
    elif planning.options.allow_broken_gates:
        _tell(planning.job, found)


def _refuse_blocked(base: Base, found: Preflight) -> None:
    """Raise RequestError where there are tests, and none of them can run in a worktree."""
    said = blocked_words(found)
    if not said:
        return
    logs = ", ".join(str(log_called(base.folder, one.worktree.log)) for one in found.runs)
    otherwise = "correct `setup` of [worktree], or what it needs; "
    raise RequestError(
        f"{said}; see {logs}",
        f"{base.advice() or otherwise}then run the command again ({ALLOW} continues as it is)",
        Reason.GATE_BROKEN,
    )


def _tell(job: JobContext, found: Preflight) -> None:
    """Give a notice for each command that does not run, or differs from the checkout."""
    for one in found.runs:
        if said := remark(one):
            job.events.notice(f"{said}; see {log_called(job.directory.path, one.worktree.log)}")
