"""Putting a green candidate on the job branch: as tested, or tested again on the moved tip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from director.job.merge_queue import Place, Spot
from director.job.receipts import tool_versions
from director.job.trailers import tests_hash
from director.model.receipt import Receipt
from director.model.roles import Role, Tier
from director.model.state import AttemptOutcome
from director.records.clock import now
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Candidate
from director.running.prompts import Feedback, without_gate

PATIENCE_SECS = 2.0  # what a green candidate waits at least before it passes others by


@dataclass(frozen=True)
class Collision:
    """What merged meanwhile does not go together with the candidate; ``tip`` is where it ends."""

    tip: str
    feedback: Feedback


def take_place(work: NodeWork, place: Place, base: str, commit: str) -> str | None:
    """Let what ``commit`` changed in ``base`` stand in line; returns what the branch will be."""
    return place.take(partial(work.rebased, base, commit)).commit


def merge(
    work: NodeWork, gates: NodeGates, candidate: Candidate, attempts: int, place: Place
) -> Receipt | Collision:
    """Advance the branch to the candidate and return the receipt, or say why that cannot be.

    What the branch will be after its turn is merged if its gates were green on that. If not, as
    when one before it did not merge, it is gated first, while those before it are still at it.
    """
    take_place(work, place, candidate.base, candidate.commit)
    place.proven = True
    turn = _Turn(work, gates, candidate, attempts)
    while True:
        spot = place.spot()
        against = turn.against(spot)
        if not spot.first:
            place.wait(spot, turn.patience)
        elif against:
            if place.spot() == spot:
                return Collision(spot.tip, against)
        elif receipt := place.merge(spot, partial(turn.advance, spot)):
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
    )
    receipt = job.commits.merge(node, draft)
    return receipt if job.repository.advance(receipt.merged, tip, receipt) else None


def _model(work: NodeWork, candidate: Candidate) -> str | None:
    """Return the model that made a candidate; None: no model was asked, or a person made it."""
    if candidate.role is None or candidate.role is Tier.HUMAN:
        return None
    return candidate.model or work.job.config.tiers[Role(candidate.role)]


class _Turn:
    """A candidate that waits for its turn: what was found of all that the branch could be."""

    def __init__(
        self, work: NodeWork, gates: NodeGates, candidate: Candidate, attempts: int
    ) -> None:
        self._work = work
        self._gates = gates
        self._candidate = candidate
        self._attempts = attempts
        self._red: dict[str, Feedback] = {}

    @property
    def patience(self) -> float:
        """How long to wait for those that are not proven, in seconds: longer than its own gate."""
        return PATIENCE_SECS + sum(run.wall_secs or 0.0 for run in self._candidate.gates)

    def against(self, spot: Spot) -> Feedback | None:
        """Gate what the branch will be, unless that is known; returns what stands against it."""
        if spot.commit is None:
            return self._changed_by_both(spot.tip)
        tree = self._work.tree(spot.commit)
        if tree not in self._red and not any(run.tree == tree for run in self._candidate.gates):
            if failure := self._gates.judge(spot.commit, "merged", once=True):
                self._red[tree] = failure.together
            else:
                runs = self._candidate.gates + self._gates.green_runs(spot.commit)
                self._candidate = replace(self._candidate, gates=runs)
        return self._red.get(tree)

    def advance(self, spot: Spot) -> Receipt | None:
        """Merge what was gated; the runs on that are the last on the receipt."""
        assert spot.commit is not None, "only what can be built is green"
        tree = self._work.tree(spot.commit)
        runs = sorted(self._candidate.gates, key=lambda run: run.tree == tree)
        green = replace(self._candidate, gates=tuple(runs))
        return _advance(self._work, green, self._attempts, spot.commit, spot.tip)

    def _changed_by_both(self, tip: str) -> Feedback:
        candidate = self._candidate
        both = self._work.changed_by_both(candidate.base, candidate.commit, tip)
        lesson = f"Another node changed the same files: {', '.join(both)}."
        return Feedback(lesson, failure=without_gate(AttemptOutcome.COLLIDED, lesson))
