"""Putting a green candidate on the job branch: as tested, or tested again on the moved tip."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from director.job.feedback import Feedback, without_gate
from director.job.merge_queue import Place, Spot
from director.job.receipts import tool_versions
from director.job.trailers import tests_hash
from director.model.merge_policy import CONTRACT
from director.model.receipt import GateRun, Receipt
from director.model.roles import Role, Tier
from director.model.state import AttemptOutcome
from director.records.clock import now
from director.repositories.job_repository import JobRepository
from director.running.contract_gate import ContractGate, Refusal, Step
from director.running.node_gates import NodeGates
from director.running.node_work import NodeWork
from director.running.progress import Candidate

PATIENCE_SECS = 2.0  # what a green candidate waits at least before it passes others


class Collision(NamedTuple):
    """What the branch holds and the candidate do not fit together; ``tip`` is that of the branch.

    ``outcome``: COLLIDED, or REGRESSION where it broke what its own base held already.
    """

    tip: str
    feedback: Feedback
    outcome: AttemptOutcome = AttemptOutcome.COLLIDED


def take_place(work: NodeWork, place: Place, base: str, commit: str) -> str | None:
    """Put what ``commit`` changed in ``base`` in the line; returns what the branch will be."""
    return place.take(partial(work.rebased, base, commit)).commit


def merge(
    work: NodeWork, gates: NodeGates, candidate: Candidate, attempts: int, place: Place
) -> Receipt | Collision:
    """Advance the branch to the candidate and return the receipt, or say why that cannot be.

    What the branch will be after its turn is merged if its gates were green on that. If not, as
    when one before it did not merge, it is gated first, while those before it are still at work.
    """
    take_place(work, place, candidate.base, candidate.commit)
    place.proven = True
    place.offer = turn = Turn(work, gates, candidate, attempts)
    while place.end is None:
        spot = place.spot()
        against = turn.against(spot)
        place.ready = None if against else spot.commit
        if not spot.first:
            place.wait(spot, turn.patience)
        elif not against:
            turn.lead()
        elif place.spot() == spot:
            return Collision(spot.tip, against)
    end: Receipt | Collision = place.end
    return end


def merge_satisfied(work: NodeWork, gates: NodeGates, base: str) -> Receipt | Collision | None:
    """Record with an empty commit that the tests pass without a call; None: the tip moved.

    A collision says that with its tests, which are seen from now on, others fail.
    """
    runs: tuple[GateRun, ...] = ()
    if work.job.config.merge.gate == CONTRACT:
        seen = work.draft(work.job.repository.tree(base), base)
        step = Step(work.node.id, seen, base, seen)
        found = ContractGate(work, gates, base, (step,), work.job.queue.contract).judge()
        if isinstance(found, Refusal):
            return Collision(base, found.feedback, found.outcome)
        runs = found
    candidate = Candidate(base, base, None, gates.green_runs(base))
    receipt = _written(work, candidate, 0, base, base, runs)
    return receipt if work.job.repository.advance(receipt.merged, base, receipt) else None


def _written(
    work: NodeWork,
    candidate: Candidate,
    attempts: int,
    commit: str,
    parent: str,
    contract: Sequence[GateRun],
) -> Receipt:
    """Write a merge of what ``commit`` holds, of which the last gate was green on the view.

    Returns its receipt, with the runs of the ``contract`` besides the candidate's.
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
        parent=parent,
        tests=dict(node.test_hashes),
        tests_hash=tests_hash(node),
        gates=(*candidate.gates, *contract),
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
    return job.commits.merge(node, draft)


def _model(work: NodeWork, candidate: Candidate) -> str | None:
    """Return the model that made a candidate; None: no model was asked, or a person made it."""
    if candidate.role is None or candidate.role is Tier.HUMAN:
        return None
    return candidate.model or work.job.config.tiers[Role(candidate.role)]


class Turn:
    """A candidate that waits for its turn: what was found of all that the branch could be."""

    def __init__(
        self, work: NodeWork, gates: NodeGates, candidate: Candidate, attempts: int
    ) -> None:
        self.node, self.base, self.own = work.node.id, candidate.base, candidate.commit
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
        """Gate what the branch will be, unless that is known; returns why it cannot merge."""
        if spot.commit is None:
            return self._changed_by_both(spot.tip)
        tree = self._work.tree(spot.commit)
        if tree not in self._red and not any(run.tree == tree for run in self._candidate.gates):
            if failure := self._gates.judge(spot.commit, "merged", once=True):
                self._red[tree] = failure.together
            else:
                runs = self._candidate.gates + self._gates.green_runs(spot.commit)
                self._candidate = self._candidate._replace(gates=runs)
        return self._red.get(tree)

    def receipt(self, commit: str, parent: str, contract: Sequence[GateRun]) -> Receipt:
        """Write the merge; the runs on what merges are the last of the candidate's."""
        tree = self._work.tree(commit)
        runs = sorted(self._candidate.gates, key=lambda run: run.tree == tree)
        green = self._candidate._replace(gates=tuple(runs))
        return _written(self._work, green, self._attempts, commit, parent, contract)

    def lead(self) -> None:
        """Merge what is ready, as the first in the line: one, or all that the contract allows."""
        queue, repository = self._work.job.queue, self._work.job.repository
        held = self._work.job.config.merge.gate == CONTRACT
        tip, places = repository.tip(), queue.ready()
        ready = places if held else places[:1]
        steps = tuple(_step(place) for place in ready)
        found: tuple[GateRun, ...] | Refusal = ()
        if held and steps:
            found = ContractGate(self._work, self._gates, tip, steps, queue.contract).judge()
        if isinstance(found, Refusal):
            collision = Collision(tip, found.feedback, found.outcome)
            queue.end(ready[found.step], collision)
        elif ready:
            queue.merge(ready, partial(_advance, repository, ready, tip, found))

    def _changed_by_both(self, tip: str) -> Feedback:
        candidate = self._candidate
        both = self._work.changed_by_both(candidate.base, candidate.commit, tip)
        lesson = f"Another node changed the same files: {', '.join(both)}."
        return Feedback(lesson, failure=without_gate(AttemptOutcome.COLLIDED, lesson))


def _step(place: Place) -> Step:
    offer, commit = place.offer, place.ready
    assert offer, "a place that is ready has an offer"
    assert commit, "and a commit"
    return Step(offer.node, commit, offer.base, offer.own)


def _advance(
    repository: JobRepository, places: Sequence[Place], tip: str, contract: Sequence[GateRun]
) -> list[Receipt]:
    """Move the branch from ``tip`` over a merge for each place; returns none where it moved."""
    receipts: list[Receipt] = []
    parent = tip
    for place in places:
        assert place.offer and place.commit, "only those that are ready merge"
        receipts.append(place.offer.receipt(place.commit, parent, contract))
        parent = receipts[-1].merged
    return receipts if repository.advance(parent, tip, *receipts) else []
