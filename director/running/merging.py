"""Putting a green candidate on the job branch: as tested, or tested again on the moved tip."""

from __future__ import annotations

from functools import partial

from director.job.merge_queue import QueueEntry
from director.job.receipts import tool_versions
from director.job.trailers import tests_hash
from director.model.receipt import Receipt
from director.model.roles import Role, Tier
from director.model.state import AttemptOutcome
from director.model.values import dataclass, replace
from director.records.clock import now
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Candidate
from director.running.prompts import Feedback, without_gate


@dataclass(frozen=True)
class Collision:
    """What merged meanwhile does not go together with the candidate; ``tip`` is where it ends."""

    tip: str
    feedback: Feedback


def merge(
    work: NodeWork, gates: NodeGates, candidate: Candidate, attempts: int
) -> Receipt | Collision:
    """Advance the branch to the candidate and return the receipt, or say why that cannot be.

    If the branch still holds the candidate's base, its tree is merged as tested. If not, what the
    branch would be with it is gated first, while those who merge before are still at it. So is the
    view of the node where it changed because another node is done.
    """
    job, views = work.job, work.views
    build = partial(work.rebased, candidate.base, candidate.commit)
    while True:
        with job.queue.place(build) as place:
            # Gated while those in front are still at it: waiting first would make lanes take turns.
            against = _against_together(work, gates, candidate, place)
            if not job.queue.await_turn(place):
                continue  # one before it did not merge
            tip = job.repository.tip()
            if views.done(tip) != views.done(place.base):
                continue  # one that needed no work is done meanwhile
            if against:
                return Collision(tip, against)
            assert place.commit is not None
            green = candidate
            if not _is_gated(work, candidate, place.commit):
                green = replace(green, gates=green.gates + gates.green_runs(place.commit))
            if receipt := _advance(work, green, attempts, place.commit, tip):
                return receipt


def merge_satisfied(work: NodeWork, gates: NodeGates, base: str) -> Receipt | None:
    """Record with an empty commit that the tests pass without a call; None: the tip moved."""
    return _advance(work, Candidate(base, base, None, gates.green_runs(base)), 0, base, base)


def _advance(
    work: NodeWork, candidate: Candidate, attempts: int, commit: str, tip: str
) -> Receipt | None:
    """Merge what ``commit`` holds, of which the candidate's last gate was green on the view.

    Returns the receipt; None: the branch is not at ``tip`` any more.
    """
    job, node, role = work.job, work.node, candidate.role
    tree, gated = job.repository.tree(commit), candidate.gates[-1].tree
    draft = Receipt(
        ts=now(),
        job_id=job.job_id,
        node=node.id,
        base=candidate.base,
        candidate=candidate.commit,
        merged="",
        tree=tree,
        parent=tip,
        tests=dict(node.test_hashes),
        tests_hash=tests_hash(node),
        gates=candidate.gates,
        files=(),
        tier=role.value if role else None,
        model=_model(work, candidate),
        attempts=attempts,
        tools=tool_versions(job.repository.git, job.agents.caller.versions()),
        confinement=job.confinement,
        view=gated if gated != tree else None,
        amended=node.amended,
        repairs=node.repairs.gate if node.repairs else "",
    )
    receipt = job.commits.merge(node, draft)
    return receipt if job.repository.advance(receipt.merged, tip, receipt) else None


def _model(work: NodeWork, candidate: Candidate) -> str | None:
    """Return the model that made a candidate; None: no model was asked, or a person made it."""
    if candidate.role is None or candidate.role is Tier.HUMAN:
        return None
    return candidate.model or work.job.config.tiers[Role(candidate.role)]


def _against_together(
    work: NodeWork, gates: NodeGates, candidate: Candidate, place: QueueEntry
) -> Feedback | None:
    """Gate what the branch would be with the candidate; returns what stands against it, if any."""
    if place.commit is None:
        both = work.changed_by_both(candidate.base, candidate.commit, place.base)
        lesson = f"Another node changed the same files: {', '.join(both)}."
        return Feedback(lesson, failure=without_gate(AttemptOutcome.COLLIDED, lesson))
    if _is_gated(work, candidate, place.commit):
        return None
    failure = gates.judge(place.commit, "merged", once=True)
    return failure.together if failure else None


def _is_gated(work: NodeWork, candidate: Candidate, commit: str) -> bool:
    """Whether the candidate's gates were green on what the node sees of ``commit``."""
    return work.tree(commit) == candidate.gates[-1].tree
