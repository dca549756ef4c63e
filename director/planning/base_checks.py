"""What is found out on the base commit, before anything is paid for."""

from __future__ import annotations

from director.job.integration import gate_base, refuse_broken
from director.job.stage import Stage
from director.model.gate_words import warning
from director.planning.context import Planning
from director.planning.preflight import Base, refuse_blocked, tell, try_tests

BEFORE_TESTS = (Stage.SPEC, Stage.SPEC_APPROVAL, Stage.DECOMPOSE)


def check_base(planning: Planning) -> None:
    """Run ``[gates]`` on the base and, before tests are written, the tests that are there.

    RequestError where they cannot run there, or where tests would not test a worktree.
    """
    if planning.stage.stage is Stage.SPEC:  # once per job
        _warn_of_missing_submodules(planning)
    if planning.stage.stage in BEFORE_TESTS:
        gates = planning.job.config.gates.values()
        planning.job.import_check.refuse_gates(gates, planning.setting.repository.root)
    base = Base(planning.job, planning.setting, planning.stage.base_commit)
    _run_gates(planning, base)
    if planning.stage.stage in BEFORE_TESTS:
        _run_tests(planning, base)


def _warn_of_missing_submodules(planning: Planning) -> None:
    """Give the notice that submodules of the base stay empty in every worktree."""
    missing = planning.job.repository.submodules.missing(planning.stage.base_commit)
    if missing:
        planning.job.events.notice(
            f"your checkout does not have the submodules {', '.join(missing)}: they stay "
            "empty folders for agents and gates; `git submodule update --init` brings them"
        )


def _run_gates(planning: Planning, base: Base) -> None:
    known, allowed = planning.stage.base_gates, planning.stage.allow_broken_gates
    found = gate_base(planning.job, base.commit, known or {})
    allow = planning.options.allow_broken_gates or allowed
    if (found, allow) != (known, allowed):
        planning.save(base_gates=found, allow_broken_gates=allow)
    if not allow:
        refuse_broken(found, base.advice)
    if planning.options.auto and (line := warning(found)):
        planning.job.events.notice(line)


def _run_tests(planning: Planning, base: Base) -> None:
    """Run the existing tests in a worktree: once, but until they can, unless that is allowed."""
    stage, events = planning.stage, planning.job.events
    found = stage.preflight
    if found is None or (found.blocked and not stage.allow_broken_gates):
        found = try_tests(base, stage.base_gates or {})
        planning.save(preflight=found)
        if not stage.allow_broken_gates:
            refuse_blocked(base, found)
        tell(events, found)
    elif planning.options.allow_broken_gates:
        tell(events, found)
