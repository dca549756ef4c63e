"""What worktrees of a job are provided with, put together from configuration and checkout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from director.model.config import Config
from director.model.errors import RequestError
from director.model.plan import Node
from director.model.slots import slot_number
from director.processes.launchers.launcher import Part
from director.records.events import Events, Kind
from director.repositories.job_repository import JobRepository
from director.worktrees.gates import GateResult, Gates
from director.worktrees.given import Sources
from director.worktrees.provisions import Provisions


def provisions_of(
    config: Config,
    sources: Sources,
    job: JobRepository,
    gates: Gates,
    events: Events,
    withheld: Sequence[str] = (),
) -> Provisions | None:
    """Return what worktrees are provided with, or None where nothing is.

    ``withheld`` are the names of the caller's variables that ``gates`` do not see.
    Raises RequestError when the job branch itself holds some of it.
    """
    policy = config.worktree

    def run_setup(worktree: Path, merged: bool) -> GateResult:
        # It is the user's command, but what it runs of a candidate is not the user's code yet.
        part = Part.SETUP if merged else Part.GATE
        name = worktree.name if merged else f"setup-{worktree.name}"
        slot, worktrees = slot_number(worktree), worktree.parent.name
        begins = f"setup of slot {slot} of {worktrees} begins: `{policy.setup}`"
        events.emit(Kind.NOTICE, message=begins)
        result = gates.run(policy.setup, worktree, name, part)
        events.emit(
            Kind.SETUP,
            slot=slot,
            worktrees=worktrees,
            command=result.command,
            verdict=result.verdict,
            reason=result.reason,
            wall_secs=round(result.wall_secs, 3),
            log=result.log.name,
        )
        return result

    job.submodules.leave_out(policy.link)
    provisions = Provisions(policy, sources, job, run_setup, withheld)
    if not (policy.setup or provisions.names):
        return None
    provisions.refuse_tracked(job.tip())
    return provisions


def refuse_provided(provisions: Provisions | None, nodes: Iterable[Node]) -> None:
    """Raise RequestError when a node is to change, or to test with, what is provided."""
    if problems := provided_problems(provisions, nodes):
        raise RequestError(
            "; ".join(problems), "correct [worktree], .worktreeinclude, or the nodes in plan.json"
        )


def provided_problems(provisions: Provisions | None, nodes: Iterable[Node]) -> list[str]:
    """Return one sentence for each path of a node that every worktree is provided with."""
    if provisions is None:
        return []
    return [
        f"node {node.id!r}: {path!r} is provided to every worktree ([worktree]), "
        "so it cannot be part of the work"
        for node in nodes
        for path in (*node.files, *node.tests)
        if provisions.claims(path)
    ]
