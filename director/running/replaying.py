"""Carrying a job's commits to another base, one after the other, and gating all of it there.

Tests are carried as they were frozen. The work of a node is carried where it does not conflict with
the new base and its checks are green on its view there; else the node is to be done again, and so
is what depends on it. All of that happens on a branch beside the job's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from director.job.context import JobContext
from director.job.evidence import find_missing
from director.job.feedback import without_gate
from director.job.merge_queue import MergeQueue
from director.job.receipts import tool_versions
from director.job.trailers import KIND, MERGE, NODE, TESTS
from director.job.views import HeldBack, Views, views_of
from director.model.errors import RequestError
from director.model.failure import Failure
from director.model.merge_policy import CONTRACT
from director.model.plan import Node, Plan
from director.model.reason import Reason
from director.model.receipt import GateRun, Receipt
from director.model.state import AttemptOutcome, NodeStatus, RunState
from director.records.clock import now
from director.records.events import Kind
from director.repositories.branch_commits import BranchCommit
from director.repositories.job_repository import JobRepository
from director.repositories.picking import pick
from director.running.contract_gate import ContractGate, Refusal, Step
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.lane import Lane

OCCASION = "rebased"
GREEN_ALREADY = "its tests are green on the new base without its work"
NOTHING_LEFT = "the new base has its work already"


class Fate(StrEnum):
    """What becomes of a node: CARRIED, to be done AGAIN, or LEFT as it was, not done."""

    CARRIED = "carried"
    AGAIN = "again"
    LEFT = "left"


@dataclass(frozen=True)
class Carried:
    """What becomes of a node: why it is to be done again, or what else there is to say.

    ``old`` is its merge on the old base ("": it had none), ``commit`` the one on the new base.
    """

    node: str
    fate: Fate
    why: str = ""
    old: str = ""
    commit: str = ""
    failure: Failure | None = None


@dataclass
class Replay:
    """A job on its new base, as far as it is built. ``places``: old commit → where it is there."""

    plan: Plan
    job: JobContext
    views: Views
    places: dict[str, str]
    fates: dict[str, Carried] = field(default_factory=dict)

    @property
    def branch(self) -> JobRepository:
        """The branch that is built."""
        return self.job.repository


def begin_replay(job: JobContext, plan: Plan, branch: JobRepository, old_base: str) -> Replay:
    """Return a replay of ``job``; ``plan`` is on the new base, where ``branch`` begins."""
    there = job._replace(
        repository=branch,
        commits=job.commits._replace(job=branch),
        queue=MergeQueue(branch, job.agents.cancellation),
    )
    views = views_of(branch, plan, rule=HeldBack.TO_COME_AT_MERGE)
    return Replay(plan, there, views, {old_base: plan.base_commit})


def replay(building: Replay, job: JobRepository, commits: Iterable[BranchCommit]) -> None:
    """Carry ``commits``, those of the branch of ``job``, as far as they fit the base.

    Raises RequestError where tests cannot run on the new base at all, SetupFailedError where
    worktrees cannot be prepared there, and what gates raise.
    """
    receipts = job.receipts
    building.job.pool.set_up_on(building.views.of_tip)
    with building.job.pool.lane() as lane:
        for commit in commits:
            building.job.agents.cancellation.check()
            if commit.trailers[KIND] == TESTS:
                _carry_tests(building, commit)
            elif commit.trailers[KIND] == MERGE:
                node = building.plan.node(commit.trailers[NODE])
                carried = _Carrying(building, lane, node, receipts[commit.oid]).carry()
                building.fates[node.id] = carried
                _tell(building.job, carried)
            building.places[commit.oid] = building.branch.tip()


def _tell(job: JobContext, one: Carried) -> None:
    """Give a line on what became of a node, while others are still to come."""
    said = "carried to the new base, green" if one.fate is Fate.CARRIED else "to be done again"
    job.events.emit(Kind.NOTICE, one.node, message=f"{said}{f': {one.why}' if one.why else ''}")


def look_at_left(building: Replay, state: RunState) -> None:
    """Say what becomes of the nodes that have not merged; tests that could run now are run.

    Raises RequestError where they cannot run on the new base.
    """
    plan, branch = building.plan, building.branch
    done = {one.node for one in building.fates.values() if one.fate is Fate.CARRIED}
    with building.job.pool.lane() as lane:
        for node in plan.nodes:
            if node.id in building.fates:
                continue
            why, pending = "", state.nodes[node.id].status is NodeStatus.PENDING
            if pending and set(node.depends_on) <= done:
                before = _Before(building, lane, node).run(branch.tip())
                why = GREEN_ALREADY if before.verdict is Verdict.GREEN else ""
            building.fates[node.id] = Carried(node.id, Fate.LEFT, why)


def _carry_tests(building: Replay, commit: BranchCommit) -> None:
    """Put a commit of tests on the branch, except those that no node of the plan has any more."""
    branch, owners = building.branch, building.plan.owners
    changes = branch.changes(commit.parents[0], commit.oid)
    entries = [change.new for change in changes if change.path in owners]
    tip = branch.tip()
    tree = branch.tree_with(tip, entries)
    branch.advance(building.job.commits.tests_again(commit.oid, tree, tip), tip)


@dataclass(frozen=True)
class _Before:
    """Runs the tests of a node where its work is not done yet."""

    building: Replay
    lane: Lane
    node: Node

    def run(self, tip: str, gates: NodeGates | None = None) -> GateResult:
        """Return their result on ``tip``; RequestError where no work could correct it."""
        work = NodeWork(self.building.job, self.building.views, self.node)
        before = (gates or NodeGates(work, self.lane.gate)).run_before(tip)
        if before.verdict is Verdict.BROKEN and before.code is not None:
            raise self._cannot_run(before, before.reason)
        view = work.view(tip)
        missing = find_missing(self.building.branch, view, before, self.building.plan.nodes)
        if missing and not self.node.repairs:  # what merged may have brought it
            raise self._cannot_run(before, missing.words)
        return before

    def _cannot_run(self, before: GateResult, why: str) -> RequestError:
        return RequestError(
            f"the tests of {self.node.id} cannot run on the new base: `{before.command}`: {why}",
            "provide what the worktree lacks ([worktree] in config.toml; `director doctor` says "
            "more), then run the command again; nothing was changed",
            Reason.GATE_BROKEN,
        )


@dataclass(frozen=True)
class _Carrying:
    """Carries the merge of one node, of which ``receipt`` is the old one."""

    building: Replay
    lane: Lane
    node: Node
    receipt: Receipt

    def carry(self) -> Carried:
        """Put the node's work on the branch, or say why it is to be done again."""
        fates = self.building.fates
        if waits := [one for one in self.node.depends_on if fates[one].fate is not Fate.CARRIED]:
            return self._again(f"waits for {', '.join(waits)}")
        branch = self.building.branch
        tip = branch.tip()
        picked = pick(branch, self.receipt.merged, tip)
        if picked.conflicts:
            return self._again(f"conflicts in {', '.join(picked.conflicts)}")
        work = NodeWork(self.building.job, self.building.views, self.node)
        gates = NodeGates(work, self.lane.gate)
        before = _Before(self.building, self.lane, self.node).run(tip, gates)
        draft = work.draft(picked.tree, tip)
        if failure := gates.judge(draft, OCCASION, once=True):
            said = failure.gate.failure or failure.gate.reason
            why = failure.gate.why(AttemptOutcome.REBASED)
            return replace(self._again(f"red: {said}"), failure=why)
        held = self._held(work, gates, draft, tip)
        if isinstance(held, Refusal):
            again = self._again("red: it breaks the tests of other nodes")
            return replace(again, failure=held.feedback.failure or again.failure)
        self._merge(draft, tip, work.tree(draft), gates.green_runs(draft) + held)
        green = before.verdict is Verdict.GREEN
        note = GREEN_ALREADY if green else ""
        if green and picked.tree == branch.tree(tip):
            note = NOTHING_LEFT
        return Carried(self.node.id, Fate.CARRIED, note, self.receipt.merged, branch.tip())

    def _held(
        self, work: NodeWork, gates: NodeGates, draft: str, tip: str
    ) -> tuple[GateRun, ...] | Refusal:
        """Hold the merge to the tests of what is done there, where each merge of the job is."""
        if work.job.config.merge.gate != CONTRACT:
            return ()
        step = Step(self.node.id, draft, tip, draft)
        return ContractGate(work, gates, tip, (step,), work.job.queue.contract).judge()

    def _again(self, why: str) -> Carried:
        lesson = f"The work of {self.node.id} does not hold on the new base: it {why}."
        failure = without_gate(AttemptOutcome.REBASED, lesson)
        return Carried(self.node.id, Fate.AGAIN, why, self.receipt.merged, failure=failure)

    def _merge(self, draft: str, tip: str, gated: str, runs: tuple[GateRun, ...]) -> None:
        job, branch, old = self.building.job, self.building.branch, self.receipt
        tree = branch.tree(draft)
        receipt = old._replace(
            ts=now(),
            base=tip,
            candidate=draft,
            merged="",
            tree=tree,
            parent=tip,
            gates=runs,
            files=(),
            tools=tool_versions(branch.git, job.agents.caller.versions()),
            rebuilt=False,
            confinement=job.confinement,
            view=gated if gated != tree else None,
            rebased=old.merged,
        )
        receipt = job.commits.merge_again(receipt)
        branch.advance(receipt.merged, tip, receipt)
