"""The preflight: do the repository's own tests run in a fresh worktree? Before any model call.

``[gates]`` run on the base; where there are none, the commands that the ecosystems stand for run
once. What does not work is compared with the user's checkout, where that is clean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from director.agents.registry import starter_files
from director.job.context import JobContext, Workspace
from director.job.integration import gate_base, refuse_broken
from director.job.stage import Stage
from director.model.ecosystems.ecosystems import (
    Ecosystem,
    ecosystems,
    manifests,
    proposal,
    toml_lines,
)
from director.model.errors import RequestError
from director.model.integration_gates import BaseGates, warning
from director.model.reason import Reason
from director.model.testing.command_run import CommandRun
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND
from director.model.testing.preflight import Difference, Observation, Outcome, Preflight
from director.model.testing.preflight_judgement import judge
from director.planning.context import Planning
from director.records.events import Kind
from director.records.logs import log_called
from director.repositories.git import split_z
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.worktree import Worktree

LIMIT_SECS = 300.0  # for one command; of a suite that takes longer nothing is claimed
ALLOW = "--allow-broken-gates"
BEFORE_TESTS = (Stage.SPEC, Stage.SPEC_APPROVAL, Stage.DECOMPOSE)


@dataclass(frozen=True)
class Base:
    """The commit that a job begins with, as its preflight sees it."""

    job: JobContext
    workspace: Workspace
    commit: str

    @cached_property
    def paths(self) -> list[str]:
        """All tracked files."""
        listed = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", self.commit)
        return split_z(self.job.repository.git.output(*listed))

    @cached_property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """What lock files and manifests say."""
        found = self.job.repository.contents(self.commit, manifests(self.paths))
        texts = {path: content.decode(errors="replace") for path, content in found.items()}
        return ecosystems(self.paths, texts)

    def advice(self) -> str:
        """Return the beginning of a next step: the ``[worktree]`` to try, "" where none is known.

        None is known where the configuration has a setup already.
        """
        proposed = proposal(self.ecosystems, self.paths)
        if self.job.config.worktree.setup or proposed is None or not proposed.setup:
            return ""
        said = ", ".join(toml_lines(proposed))
        where = self.workspace.home.config
        return f"put the [worktree] that `director sync-agents` prints into {where} ({said}); "


def check_base(planning: Planning) -> None:
    """Run ``[gates]`` on the base and, before tests are written, the tests that are there.

    RequestError where they cannot run there, or where tests would not test a worktree.
    """
    if planning.stage.stage is Stage.SPEC:  # once per job
        _warn_of_missing_submodules(planning)
    if planning.stage.stage in BEFORE_TESTS:
        gates = planning.job.config.gates.values()
        planning.job.import_check.refuse_gates(gates, planning.workspace.repository.root)
    base = Base(planning.job, planning.workspace, planning.stage.base_commit)
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
        refuse_broken(planning.job.directory, found, base.advice)
    if planning.options.auto and (line := warning(found)):
        planning.job.events.notice(line)


def _run_tests(planning: Planning, base: Base) -> None:
    """Run the existing tests in a worktree: once, but until they can, unless that is allowed."""
    stage = planning.stage
    found = stage.preflight
    if found is None or (found.blocked and not stage.allow_broken_gates):
        found = _try_tests(base, stage.base_gates or {})
        planning.save(preflight=found)
        if not stage.allow_broken_gates:
            _refuse_blocked(base, found)
        _tell(planning.job, found)
    elif planning.options.allow_broken_gates:
        _tell(planning.job, found)


def _try_tests(base: Base, gates: BaseGates) -> Preflight:
    """Find out how the existing tests run; ``gates`` is what ``[gates]`` said on the base."""
    found = base.ecosystems
    tested = [one for one in found if one.suite]
    runners = (f"{one.folder}: {one.runner}" if one.folder else one.runner for one in tested)
    example = next((one.example.path for one in found if one.example), "")
    known = Preflight(runners=tuple(dict.fromkeys(runners)), example=example)
    if gates:
        runs = tuple(_of_gate(base, name, gate) for name, gate in gates.items())
        return known._replace(runs=runs)
    if not tested:
        return known
    with base.job.pool.lane() as lane:
        lane.gate.reset(base.commit)
        return _Trial(base, lane.gate).of(tested, known)


def _refuse_blocked(base: Base, found: Preflight) -> None:
    """Raise RequestError where there are tests, and none of them can run in a worktree."""
    if not found.blocked:
        return
    said = "; ".join(
        one.description or f"`{one.worktree.command}`: {one.worktree.reason}" for one in found.runs
    )
    home = base.job.directory.path
    logs = ", ".join(str(log_called(home, one.worktree.log)) for one in found.runs)
    otherwise = "correct `setup` of [worktree], or what it needs; "
    raise RequestError(
        f"no test of the repository can run in a fresh worktree: {said}; see {logs}",
        f"{base.advice() or otherwise}then run the command again ({ALLOW} goes on as it is)",
        Reason.GATE_BROKEN,
    )


def _tell(job: JobContext, found: Preflight) -> None:
    """Give a notice for each command that does not run, or differs from the checkout."""
    for one in found.runs:
        seen, said = one.worktree, one.description
        if not said and seen.outcome is Outcome.CANNOT_RUN:
            said = f"`{seen.command}` cannot run in a fresh worktree: {seen.reason}"
        if said:
            job.events.notice(f"{said}; see {log_called(job.directory.path, seen.log)}")


def _of_gate(base: Base, name: str, gate: Mapping[str, str]) -> Difference:
    """Return what a gate said on the base; only of one that is not green its output is read."""
    command, reason, log = gate["command"], gate["reason"], gate.get("log", "")
    match gate["verdict"]:
        case Verdict.GREEN:
            return Difference(Observation(command, Outcome.GREEN, log=log))
        case Verdict.BROKEN:
            return Difference(Observation(command, Outcome.CANNOT_RUN, reason, log=log))
    try:
        path = log_called(base.job.directory.path, log)
        output = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        output = ""
    seen = judge(CommandRun(command, 1, output), reason, log, base.paths)
    with base.job.pool.lane() as lane:
        return _compared(base, lane.gate, seen, command, f"preflight.{name}.checkout")


@dataclass(frozen=True)
class _Trial:
    """The tests of the repository, in a worktree that holds the base."""

    base: Base
    worktree: Worktree

    def of(self, tested: Sequence[Ecosystem], known: Preflight) -> Preflight:
        """Run each suite once and, of the first that works, the example alone."""
        runs, example, alone = [], known.example, None
        for one in tested:
            run = self._suite(one)
            runs.append(run)
            if alone is None and run.worktree.ran_tests and (seen := self._alone(one)):
                alone, example = seen, one.example.path if one.example else ""
        return known._replace(runs=tuple(runs), example=example, example_run=alone)

    def _suite(self, one: Ecosystem) -> Difference:
        root = self.base.workspace.repository.root
        command = one.suite_in(lambda path: (self.worktree.path / path).exists())
        said = f"running the existing tests in a fresh worktree: `{command}`"
        self.base.job.events.notice(said)
        seen = self._run(command)
        if seen.outcome is Outcome.GREEN:
            self.worktree.keep_builds()
        there = one.suite_in(lambda path: (root / path).exists())
        return _compared(self.base, self.worktree, seen, there, "preflight.checkout")

    def _alone(self, one: Ecosystem) -> Observation | None:
        """Return the run of the example, where that shows how one test file is run."""
        example = one.example_in(lambda path: (self.worktree.path / path).exists())
        if example is None or not example.command:
            return None
        seen = self._run(example.command)
        return seen if seen.ran_tests else None

    def _run(self, command: str) -> Observation:
        job, place = self.base.job, self.worktree.path
        result = job.gates.within(LIMIT_SECS).run(command, place, "preflight")
        job.import_check.check(result, place)
        return _observed(self.base, result, "worktree")


def _compared(base: Base, lent: Worktree, seen: Observation, there: str, name: str) -> Difference:
    """Return a run beside that of ``there`` in the checkout, where that may be had and tells more.

    ``lent`` is a worktree that nobody else uses meanwhile.
    """
    user = base.workspace.repository
    if seen.outcome not in (Outcome.RED, Outcome.CANNOT_RUN):
        return Difference(seen)
    if user.uncommitted(starter_files()) or user.head() != base.commit:
        return Difference(seen)
    gates = base.job.gates.within(LIMIT_SECS)
    result = gates.run_in_checkout(there, user.root, lent.path, name)
    return Difference(seen, _observed(base, result, "checkout") if result else None)


def _observed(base: Base, result: GateResult, where: str) -> Observation:
    was_ended = result.verdict is Verdict.BROKEN and result.code not in (NOT_EXECUTABLE, NOT_FOUND)
    run = CommandRun(result.command, None if was_ended else result.code, result.whole_output)
    reason = result.failure if result.verdict is Verdict.RED else result.reason
    seen = judge(run, reason, result.recorded_log, base.paths)
    base.job.events.emit(
        Kind.PREFLIGHT,
        where=where,
        command=seen.command,
        outcome=seen.outcome,
        reason=seen.reason,
        tests=seen.tests,
        log=seen.log,
    )
    return seen
