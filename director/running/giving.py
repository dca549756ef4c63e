"""``give``: what a person wrote goes the way of an agent's work.

It is read from the files of the worktree, judged by the same allowlist and contract, gated on a
clean checkout, and merged. What is refused stays in the worktree, to be continued.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from director.job.attempts import listed
from director.job.context import Workspace
from director.job.feedback import Feedback, without_gate
from director.job.reconciling import unblocked
from director.job.retrying import retry_where_lost
from director.model.codec.encoding import encode_any
from director.model.config import Config
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Node
from director.model.receipt import Receipt
from director.model.roles import Tier
from director.model.state import AttemptOutcome, NodeStatus
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.records.taken_nodes import TakenNode, taken_node
from director.running.examining import Author, Examiner
from director.running.merging import merge
from director.running.node_gates import NodeGates
from director.running.node_record import NodeEnd, NodeRecord
from director.running.node_work import NodeWork
from director.running.opened_run import OpenedRun, opened_run
from director.running.progress import Progress
from director.running.readiness import ready_plan
from director.running.taken import discard_taken
from director.running.taking import not_taken
from director.running.updating import strays_of
from director.worktrees.pool import Pool
from director.worktrees.worktree import Worktree


@dataclass(frozen=True)
class GiveReport:
    """What became of what a person gave. ``receipt`` None: it was refused, for what is said.

    ``open_nodes`` are the nodes that can be worked on now, ``failed`` those that failed.
    """

    job_id: str
    node: Node
    worktree: Path
    receipt: Receipt | None
    outcome: AttemptOutcome = AttemptOutcome.GREEN
    feedback: Feedback | None = None
    open_nodes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def give_node(
    workspace: Workspace, directory: JobDirectory, config: Config, node_id: str
) -> GiveReport:
    """Gate and merge what a person wrote in the worktree that ``take_node`` made.

    Raises RequestError (the node is not found, or not taken; the worktree is gone), StoppedError
    (another process has the lock) and InterruptedRunError. Killed anywhere, it is done again.
    """
    with job_lock(directory.lock, "director give"):
        ready = ready_plan(directory)
        node = known_node(ready[0], node_id)
        node_id = node.id
        taken = taken_node(directory, node_id)
        if taken is None:
            raise not_taken(directory, node_id)
        if taken.updating:
            what = f"the worktree of {node_id} was being updated when that was killed"
            raise RequestError(what, f"`director take --update {node_id}` completes it")
        with opened_run(workspace, directory, config, ready) as opened:
            giving = _Giving(opened, opened.work_on(node), taken)
            if opened.keeper.node(node_id).status is NodeStatus.DONE:
                return giving.merged_before()  # by a command that was killed then
            if not (taken.ready and giving.worktree.is_dir()):
                raise RequestError(
                    f"the worktree of {node_id} is gone from {giving.worktree}",
                    f"`director take {node_id}` makes another",
                )
            return giving.give()


class _Giving:
    """What a person gives of one node."""

    def __init__(self, opened: OpenedRun, work: NodeWork, taken: TakenNode) -> None:
        self.opened = opened
        self.work = work
        self.taken = taken
        self.record = NodeRecord(work, opened.keeper)
        self.worktree = taken.worktree

    def give(self) -> GiveReport:
        """Merge what is there, or say why not."""
        end = retry_where_lost(self.opened.job, self._merged, self.work.node.id)
        if not isinstance(end, Receipt):
            return self._refused(*end)
        node_id, keeper = self.work.node.id, self.opened.keeper
        self.record.merged(end)
        keeper.note(node_id, model_used=None)
        keeper.replace(unblocked(keeper.state, self.opened.plan))
        self.opened.accounts.account(node_id, NodeEnd(NodeStatus.DONE))
        self._tell(AttemptOutcome.GREEN, commit=end.merged)
        self.opened.job.publisher.now()
        discard_taken(self.opened.job.directory, self.taken)
        return self._report(end)

    def merged_before(self) -> GiveReport:
        """Report the merge that a killed command made."""
        self.opened.accounts.catch_up()
        receipts = self.opened.job.repository.receipts.values()
        own = [receipt for receipt in receipts if receipt.node == self.work.node.id]
        return self._report(own[-1])

    def _report(self, receipt: Receipt) -> GiveReport:
        state, job_id = self.opened.keeper.state, self.opened.plan.job_id
        waiting, failed = (
            tuple(sorted(state.ids(status))) for status in (NodeStatus.PENDING, NodeStatus.FAILED)
        )
        return GiveReport(
            job_id, self.work.node, self.worktree, receipt, open_nodes=waiting, failed=failed
        )

    def _merged(self) -> Receipt | tuple[AttemptOutcome, Feedback]:
        """Read, gate and merge; returns the receipt, or why it cannot merge."""
        job, base = self.opened.job, self._base()
        number = self.record.state.attempts + 1
        with job.pool.lane() as lane, self._persons() as person, job.queue.place() as place:
            if strays := self._strays(person, base):
                lesson = f"New files outside the allowlist: {listed(strays)}."
                outcome = AttemptOutcome.OUT_OF_SCOPE
                return outcome, Feedback(lesson, failure=without_gate(outcome, lesson))
            gates = NodeGates(self.work, lane.gate)
            gates.attempt = number
            examiner = Examiner(self.work, person, gates, place)
            found = examiner.examine(Author(Tier.HUMAN, number), Progress(base, base))
            if found.candidate is None:
                return found.outcome, found.progress.feedback or Feedback("It is not green.")
            end = merge(self.work, gates, found.candidate, self.record.state.attempts, place)
            if isinstance(end, Receipt):
                return end
            return end.outcome, end.feedback

    def _base(self) -> str:
        """Return the commit of the branch that the work is on."""
        repository = self.opened.job.repository
        known = repository.moved_to(self.taken.base)
        return self.taken.base if known else repository.tip()

    @contextmanager
    def _persons(self) -> Iterator[Worktree]:
        """Give the worktree to be read; nothing runs in it."""
        job, folder = self.opened.job, Path(self.taken.folder)
        with Pool(job.repository, folder, job.pool.provisions).lane(self.worktree) as lane:
            yield lane.work

    def _strays(self, person: Worktree, base: str) -> list[str]:
        """Return new files that would be lost with the worktree: an agent's are dropped."""
        return strays_of(person.snapshot(self.work.view(base), self.work.node.files))

    def _tell(
        self,
        outcome: AttemptOutcome,
        *,
        commit: str | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        self.work.emit(
            Kind.GIVEN,
            outcome=outcome,
            commit=commit,
            lesson=feedback.lesson if feedback else "",
            failure=encode_any(feedback.failure) if feedback else None,
        )

    def _refused(self, outcome: AttemptOutcome, feedback: Feedback) -> GiveReport:
        self._tell(outcome, feedback=feedback)
        job_id = self.opened.plan.job_id
        report = GiveReport(job_id, self.work.node, self.worktree, None)
        return replace(report, outcome=outcome, feedback=feedback)
