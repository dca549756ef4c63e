"""Putting a green candidate on the job branch: as tested, or tested again on the moved tip."""

from __future__ import annotations

from dataclasses import dataclass

from director.job.workbench import Workbench
from director.model.plan import Node
from director.model.receipt import GateRun, Receipt
from director.running.prompts import Feedback
from director.running.receipts import Origin, commit_gated
from director.running.trial import Candidate, Trial
from director.workspace.gates import Verdict


@dataclass(frozen=True)
class Collision:
    """What merged meanwhile does not go together with the candidate; ``tip`` is where it ends."""

    tip: str
    feedback: Feedback


def merge(
    bench: Workbench, node: Node, trial: Trial, candidate: Candidate, attempt: int
) -> Receipt | Collision:
    """Advance the branch to the candidate and return the receipt, or say why that cannot be.

    If the tip is still the candidate's base, its tree is merged as tested. If it moved, the
    merged tree is gated first. One lane at a time does so: of several that race, all but one
    would gate in vain.
    """
    origin = Origin(candidate.base, candidate.commit, candidate.role, attempt)
    with bench.merging:
        while True:
            tip = bench.job.tip()
            runs: tuple[GateRun, ...] = candidate.gates
            if tip != candidate.base:
                rebuilt = _rebuild(bench, node, trial, candidate, tip)
                if isinstance(rebuilt, Feedback):
                    return Collision(tip, rebuilt)
                runs += trial.green_runs(rebuilt)
            receipt = commit_gated(bench, node, runs, origin, tip)
            if bench.job.advance(receipt.merged, tip):
                return receipt


def merge_satisfied(bench: Workbench, node: Node, trial: Trial, base: str) -> Receipt | None:
    """Record with an empty commit that the tests pass without a call; None: the tip moved."""
    receipt = commit_gated(bench, node, trial.green_runs(base), Origin(base, base), base)
    return receipt if bench.job.advance(receipt.merged, base) else None


def draft(bench: Workbench, node: Node, tree: str, parent: str) -> str:
    """Return a commit of ``tree`` on ``parent`` for gating; it never reaches the branch."""
    return bench.job.commit(tree, parent, f"Candidate of {node.id}\n")


def _rebuild(
    bench: Workbench, node: Node, trial: Trial, candidate: Candidate, tip: str
) -> str | Feedback:
    """Return a green commit of the candidate's changes on ``tip``, or what stands against it."""
    job = bench.job
    mine = job.changes(candidate.base, candidate.commit)
    theirs = {change.path for change in job.changes(candidate.base, tip)}
    both = sorted(theirs & {change.path for change in mine})
    if both:
        return Feedback(f"Another node changed the same files: {', '.join(both)}.")
    commit = draft(bench, node, job.tree_with(tip, [change.new for change in mine]), tip)
    gate = trial.run(commit, "merged")
    if gate.verdict is Verdict.GREEN:
        return commit
    lesson = "The tests passed alone but fail together with what merged meanwhile"
    return Feedback(f"{lesson}: {gate.reason}.", gate.output)
