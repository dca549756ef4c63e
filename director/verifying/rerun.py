"""Running the gates of a finished job again, on clean checkouts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from director.job.checkouts import clean_checkouts
from director.job.context import JobInputs, Workspace
from director.job.evidence import with_evidence
from director.job.gate_report import told
from director.job.job_worktrees import JobWorktrees
from director.job.stage import read_stage
from director.job.trailers import single_line
from director.job.views import HeldBack, views_of
from director.model.checks import ONCE
from director.model.config import Config
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.verifying.evidence import Evidence, merges, receipted
from director.verifying.problem import Problem, restore, short
from director.worktrees.gates import GateResult, Verdict


@dataclass(frozen=True)
class Rerun:
    """How many gates ran, and the first that is not green."""

    gates_run: int
    problem: Problem | None


def run_again(
    workspace: Workspace, directory: JobDirectory, config: Config, evidence: Evidence
) -> Rerun:
    """Run each merged node's tests at its merge and at the tip, then ``[gates]`` at the tip.

    The tests of nodes that were to come by then are held back, as they were in the run.
    ``[gates]`` run when every node is merged; one that is as red on the base is not the job's
    doing, nor one that is broken there where planning was told to allow that. Ends at the first
    gate that does not hold. The caller holds the job's lock.
    """
    tip = evidence.tip
    assert tip is not None, "the checks hold, so there is a branch"
    stage = read_stage(directory)
    excused = {Verdict.RED}
    if stage and stage.allow_broken_gates:
        excused.add(Verdict.BROKEN)
    inputs = JobInputs.of(workspace, directory, config, evidence.plan.job_id)
    with clean_checkouts(inputs, evidence.plan, tip, directory.verifying) as worktrees:
        again = _Again(workspace, evidence, worktrees)
        problem = next(again.nodes(tip), None)
        problem = problem or next(again.integration(tip, config, excused), None)
        return Rerun(again.count, problem)


class _Again:
    """Runs gates and counts them."""

    def __init__(self, workspace: Workspace, evidence: Evidence, worktrees: JobWorktrees) -> None:
        self.count = 0
        self._job = worktrees.repository
        self._views = views_of(self._job, evidence.plan, rule=HeldBack.TO_COME_AT_MERGE)
        self._pool = worktrees.pool
        self._pool.set_up_on(self._views.of_tip)
        self._gates = worktrees.gates
        self._events = workspace.events
        self._evidence = evidence

    def nodes(self, tip: str) -> Iterator[Problem]:
        """Give the checks that are not green at their merges, then tests that are not at the tip.

        Other checks are of what a node did, and the tip is the integration gate's.
        """
        at_merges, at_tip = [], []
        done = self._views.of_done(tip)
        for facts, node, receipt in receipted(self._evidence):
            gated = commit = facts.commit.oid
            if receipt.view is not None:  # else nothing was held back, or there were no views yet
                gated = self._views.of_done(commit)
            checks = self._evidence.checks(node, ONCE)
            at_merges += [(commit, gated, node, check) for check in checks]
            if self._job.tree(gated) != self._job.tree(done):
                at_tip.append((tip, done, node, checks[0]))
        for commit, gated, node, check in [*at_merges, *at_tip]:
            purpose = check.purpose("gate")
            result = self._run(check.command, gated, f"verify.{node.id}.{purpose}")
            result = with_evidence(self._job, check.tests, gated, result)
            self._events.emit(
                Kind.GATE,
                node.id,
                purpose=f"{purpose} run again at {short(commit)}",
                **told(result),
            )
            if result.verdict is not Verdict.GREEN:
                yield self._problem(f"node {node.id}", result, commit, node.id)

    def integration(
        self, tip: str, config: Config, excused: Collection[Verdict]
    ) -> Iterator[Problem]:
        """Give the ``[gates]`` that are not green at the tip.

        Left out are those with one of the verdicts ``excused``, if that is their verdict on the
        base, too.
        """
        plan = self._evidence.plan
        if len(merges(self._evidence)) < len(plan.nodes):
            return
        for name, command in config.gates.items():
            result = self._run(command, tip, f"verify.{name}")
            self._events.emit(
                Kind.INTEGRATION_GATE,
                name=name,
                command=command,
                **told(result),
            )
            if result.verdict is Verdict.GREEN:
                continue
            before = self._run(command, plan.base_commit, f"verify.base.{name}")
            if result.verdict not in excused or result.verdict is not before.verdict:
                yield self._problem(f"[gates] {name}", result, tip, None)

    def _run(self, command: str, commit: str, name: str) -> GateResult:
        self.count += 1
        with self._pool.lease_gate(commit) as worktree:
            return self._gates.run(command, worktree.path, name)

    def _problem(self, who: str, result: GateResult, commit: str, node_id: str | None) -> Problem:
        command, green, found = single_line(result.command), Verdict.GREEN.value, result.verdict
        what = (
            f"{who}: `{command}` at commit {short(commit)}: "
            f"expected {green}, found {found} ({result.reason})"
        )
        next_step = f"see {result.log}; {restore(self._evidence.plan)}"
        return Problem(what, next_step, commit, node_id, green, found.value, check="rerun")
