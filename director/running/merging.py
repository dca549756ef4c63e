"""Putting a green candidate on the job branch: as tested, or tested again on the moved tip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from director.job.context import JobContext
from director.job.merge_queue import Place
from director.job.trailers import CANDIDATE, commit_message
from director.job.views import Views
from director.model.plan import Node
from director.model.receipt import Receipt
from director.running.node_gates import Candidate, NodeGates
from director.running.prompts import Feedback, red
from director.running.receipts import Origin, commit_gated
from director.worktrees.gates import Verdict


@dataclass(frozen=True)
class Collision:
    """What merged meanwhile does not go together with the candidate; ``tip`` is where it ends."""

    tip: str
    feedback: Feedback


def merge(
    job: JobContext, views: Views, node: Node, gates: NodeGates, candidate: Candidate, attempt: int
) -> Receipt | Collision:
    """Advance the branch to the candidate and return the receipt, or say why that cannot be.

    If the branch still holds the candidate's base, its tree is merged as tested. If not, what the
    branch would be with it is gated first, while those who merge before are still at it. So is the
    view of the node where it changed because another node is done.
    """
    origin = Origin(candidate.base, candidate.commit, candidate.role, attempt)
    build = partial(rebased, job, views, node, candidate.base, candidate.commit)
    while True:
        with job.queue.place(build) as place:
            red = _red_together(job, gates, candidate, place)
            if not job.queue.await_turn(place):
                continue  # one before it did not merge
            tip = job.repository.tip()
            if views.done(tip) != views.done(place.base):
                continue  # one that needed no work is done meanwhile
            if red:
                return Collision(tip, red)
            assert place.commit is not None
            runs = candidate.gates
            if gates.tree(place.commit) != runs[-1].tree:
                runs += gates.green_runs(place.commit)
            receipt = commit_gated(job, node, job.repository.tree(place.commit), runs, origin, tip)
            if job.repository.advance(receipt.merged, tip, receipt):
                return receipt


def merge_satisfied(job: JobContext, node: Node, gates: NodeGates, base: str) -> Receipt | None:
    """Record with an empty commit that the tests pass without a call; None: the tip moved."""
    runs, tree = gates.green_runs(base), job.repository.tree(base)
    receipt = commit_gated(job, node, tree, runs, Origin(base, base), base)
    return receipt if job.repository.advance(receipt.merged, base, receipt) else None


def draft(job: JobContext, node: Node, tree: str, parent: str) -> str:
    """Return a commit of ``tree`` on ``parent`` for gating; it never reaches the branch."""
    said = commit_message(f"Candidate of {node.id}", {"Node": node.id, "Kind": CANDIDATE})
    return job.repository.commit(tree, parent, said)


def rebased(
    job: JobContext, views: Views, node: Node, base: str, commit: str, onto: str
) -> str | None:
    """Return a commit of what ``commit`` changed in ``base``, on ``onto``.

    That is ``commit`` itself where both hold the same, and the work of the same nodes; None where
    both changed the same files.
    """
    repository = job.repository
    if repository.tree(onto) == repository.tree(base) and views.done(onto) == views.done(base):
        return commit
    if _changed_by_both(job, base, commit, onto):
        return None
    mine = [change.new for change in repository.changes(base, commit)]
    return draft(job, node, repository.tree_with(onto, mine), onto)


def _changed_by_both(job: JobContext, base: str, one: str, other: str) -> list[str]:
    changes = job.repository.changes
    changed = ({change.path for change in changes(base, end)} for end in (one, other))
    return sorted(set.intersection(*changed))


def _red_together(
    job: JobContext, gates: NodeGates, candidate: Candidate, place: Place
) -> Feedback | None:
    """Gate what the branch would be with the candidate; returns what stands against it, if any."""
    if place.commit is None:
        both = _changed_by_both(job, candidate.base, candidate.commit, place.base)
        return Feedback(f"Another node changed the same files: {', '.join(both)}.")
    if gates.tree(place.commit) == candidate.gates[-1].tree:
        return None
    gate = gates.run(place.commit, "merged")
    if gate.verdict is Verdict.GREEN:
        return None
    lesson = "The tests passed alone but fail together with what merged meanwhile"
    return Feedback(red(lesson, gate), gate.output)
