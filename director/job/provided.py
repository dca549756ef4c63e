"""What worktrees of a job are provided with, put together from configuration and checkout."""

from __future__ import annotations

from pathlib import Path

from director.job.context import Materials
from director.model.slots import slot_number
from director.processes.launchers.launcher import Part
from director.records.events import Kind
from director.repositories.job_repository import JobRepository
from director.worktrees.gates import GateResult, Gates
from director.worktrees.provisions import Provisions


def provisions_of(materials: Materials, job: JobRepository, gates: Gates) -> Provisions | None:
    """Return what worktrees are provided with, or None where nothing is.

    Raises RequestError when the job branch itself holds some of it.
    """
    policy, events = materials.config.worktree, materials.events

    def run_setup(worktree: Path, merged: bool) -> GateResult:
        # It is the user's command, but what it runs of a candidate is not the user's code yet.
        part = Part.SETUP if merged else Part.GATE
        name = worktree.name if merged else f"setup-{worktree.name}"
        slot, worktrees = slot_number(worktree), worktree.parent.name
        events.notice(f"setup of slot {slot} of {worktrees} begins: `{policy.setup}`")
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
    withheld = materials.config.env.withheld(materials.setting.env)
    provisions = Provisions(policy, materials.sources, job, run_setup, withheld)
    if not (policy.setup or provisions.names):
        return None
    provisions.refuse_tracked(job.tip())
    return provisions
