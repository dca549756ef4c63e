"""The tests that a repository has, tried in a fresh worktree before any work.

What does not work there is compared with the user's checkout, where that is clean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from director.agents.registry import starter_files
from director.job.import_check import ImportCheck
from director.model.config import Config
from director.model.ecosystems.ecosystems import (
    Ecosystem,
    ecosystems,
    manifests,
    proposal,
    toml_lines,
)
from director.model.integration_gates import BaseGates
from director.model.testing.command_run import CommandRun
from director.model.testing.not_started import NOT_EXECUTABLE, NOT_FOUND
from director.model.testing.preflight import Difference, Observation, Outcome, Preflight
from director.model.testing.preflight_judgement import judge
from director.records.events import Events, Kind
from director.records.logs import log_called
from director.repositories.git import split_z
from director.repositories.job_repository import JobRepository
from director.repositories.repository import Repository
from director.worktrees.gates import GateResult, Gates, Verdict
from director.worktrees.pool import Pool
from director.worktrees.worktree import Worktree

LIMIT_SECS = 300.0  # for one command; of a suite that takes longer nothing is claimed


@dataclass(frozen=True)
class Base:
    """The commit that work begins with, and what tries its tests.

    ``repository`` has the worktrees of ``pool``, in which ``gates`` run; ``user`` is the user's,
    and ``config`` was read from ``config_path``. Logs lie below ``folder``.
    """

    commit: str
    user: Repository
    repository: JobRepository
    pool: Pool
    gates: Gates
    import_check: ImportCheck
    events: Events
    config: Config
    config_path: Path
    folder: Path

    @cached_property
    def paths(self) -> list[str]:
        """All tracked files."""
        listed = ("ls-tree", "-r", "-z", "--full-tree", "--name-only", self.commit)
        return split_z(self.repository.git.output(*listed))

    @cached_property
    def ecosystems(self) -> tuple[Ecosystem, ...]:
        """What lock files and manifests say."""
        found = self.repository.contents(self.commit, manifests(self.paths))
        texts = {path: content.decode(errors="replace") for path, content in found.items()}
        return ecosystems(self.paths, texts)

    def advice(self) -> str:
        """Return the beginning of a next step: the ``[worktree]`` to try, "" where none is known.

        None is known where the configuration has a setup already.
        """
        proposed = proposal(self.ecosystems, self.paths)
        if self.config.worktree.setup or proposed is None or not proposed.setup:
            return ""
        said = ", ".join(toml_lines(proposed))
        where = self.config_path
        return f"put the [worktree] that `director sync-agents` prints into {where} ({said}); "

    def missing_submodules(self) -> str:
        """Return the sentence that submodules stay empty in every worktree; "" where none does."""
        missing = self.repository.submodules.missing(self.commit)
        if not missing:
            return ""
        return (
            f"your checkout does not have the submodules {', '.join(missing)}: they stay "
            "empty folders for agents and gates; `git submodule update --init` brings them"
        )


def try_tests(base: Base, gates: BaseGates) -> Preflight:
    """Find out how the existing tests run; ``gates`` is what ``[gates]`` said on the base.

    Where there are gates nothing else runs. Raises RequestError where tests would not test a
    worktree.
    """
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
    with base.pool.lane() as lane:
        lane.gate.reset(base.commit)
        return _Trial(base, lane.gate).of(tested, known)


def blocked_words(found: Preflight) -> str:
    """Return in words why none of the tests that are there can run; "" where some can."""
    if not found.blocked:
        return ""
    said = "; ".join(
        one.description or f"`{one.worktree.command}`: {one.worktree.reason}" for one in found.runs
    )
    return f"no test of the repository can run in a fresh worktree: {said}"


def remark(one: Difference) -> str:
    """Return the sentence on a command that does not run, or differs from the checkout; or ""."""
    seen = one.worktree
    if one.description or seen.outcome is not Outcome.CANNOT_RUN:
        return one.description
    return f"`{seen.command}` cannot run in a fresh worktree: {seen.reason}"


def _of_gate(base: Base, name: str, gate: Mapping[str, str]) -> Difference:
    """Return what a gate said on the base; only of one that is not green its output is read."""
    command, reason, log = gate["command"], gate["reason"], gate.get("log", "")
    match gate["verdict"]:
        case Verdict.GREEN:
            return Difference(Observation(command, Outcome.GREEN, log=log))
        case Verdict.BROKEN:
            return Difference(Observation(command, Outcome.CANNOT_RUN, reason, log=log))
    try:
        output = log_called(base.folder, log).read_text(encoding="utf-8", errors="replace")
    except OSError:
        output = ""
    seen = judge(CommandRun(command, 1, output), reason, log, base.paths)
    with base.pool.lane() as lane:
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
        root = self.base.user.root
        command = one.suite_in(lambda path: (self.worktree.path / path).exists())
        said = f"running the existing tests in a fresh worktree: `{command}`"
        self.base.events.notice(said)
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
        base, place = self.base, self.worktree.path
        result = base.gates.within(LIMIT_SECS).run(command, place, "preflight")
        base.import_check.check(result, place)
        return _observed(self.base, result, "worktree")


def _compared(base: Base, lent: Worktree, seen: Observation, there: str, name: str) -> Difference:
    """Return a run beside that of ``there`` in the checkout, where that may be had and tells more.

    ``lent`` is a worktree that nothing else uses meanwhile.
    """
    user = base.user
    if seen.outcome not in (Outcome.RED, Outcome.CANNOT_RUN):
        return Difference(seen)
    if user.uncommitted(starter_files()) or user.head() != base.commit:
        return Difference(seen)
    gates = base.gates.within(LIMIT_SECS)
    result = gates.run_in_checkout(there, user.root, lent.path, name)
    return Difference(seen, _observed(base, result, "checkout") if result else None)


def _observed(base: Base, result: GateResult, where: str) -> Observation:
    was_ended = result.verdict is Verdict.BROKEN and result.code not in (NOT_EXECUTABLE, NOT_FOUND)
    run = CommandRun(result.command, None if was_ended else result.code, result.whole_output)
    reason = result.failure if result.verdict is Verdict.RED else result.reason
    seen = judge(run, reason, result.recorded_log, base.paths)
    base.events.emit(
        Kind.PREFLIGHT,
        where=where,
        command=seen.command,
        outcome=seen.outcome,
        reason=seen.reason,
        tests=seen.tests,
        log=seen.log,
    )
    return seen
