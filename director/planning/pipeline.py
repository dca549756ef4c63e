"""``plan``: the stages from a task to a plan that ``run`` can work off.

Every stage leaves its result on disk before the next begins, so a crash costs at most the call
that was under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from director.job.context import Workspace
from director.job.opening import open_job
from director.job.stage import PlanStage, Stage
from director.model.config import Config
from director.model.cost import Cost
from director.model.plan import Node
from director.planning.context import Done, Planning, PlanOptions
from director.planning.current_job import bring_back, for_task, to_continue
from director.planning.drafting import critique_plan, draft_plan
from director.planning.freezing import freeze
from director.planning.preflight import check_base
from director.planning.specifying import accept_spec, critique_spec, write_spec
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.ledger import cost_of_calls, read_calls
from director.records.lock import job_lock


class Entry(NamedTuple):
    """The work of a stage; with a critique it is an approval, whose work is done when it is given.

    The critique takes a person's place, once; what it rejects goes back to the stage before.
    """

    work: Callable[[Planning], Done]
    critique: Callable[[Planning], Done | None] | None = None


STAGES = {
    Stage.SPEC: Entry(write_spec),
    Stage.SPEC_APPROVAL: Entry(accept_spec, critique_spec),
    Stage.DECOMPOSE: Entry(draft_plan),
    Stage.PLAN_APPROVAL: Entry(freeze, critique_plan),
}
"""The stages that have something to be done, in their order; after the last one comes READY.

What a stage needs and makes stands with its work. All of it is on disk: nothing else is handed on.
"""

APPROVALS = frozenset(stage for stage, entry in STAGES.items() if entry.critique)


@dataclass(frozen=True)
class PlanReport:
    """Where planning stands now, and what it has cost."""

    stage: PlanStage
    directory: JobDirectory
    nodes: tuple[Node, ...]
    cost: Cost

    @property
    def paused(self) -> bool:
        """Whether planning waits for somebody's approval."""
        return self.stage.stage in APPROVALS


def plan_job(
    workspace: Workspace, directory: JobDirectory, config: Config, options: PlanOptions
) -> PlanReport:
    """Plan until an approval is waited for, or until the plan is ready.

    Raises RequestError (nothing to continue; another job is not finished; what a person edited is
    invalid, or not red; a test command that cannot start), WorkError (a role gives no answer, or
    none that can be used), StoppedError and InterruptedRunError; all resumable.
    """
    with job_lock(directory.lock, "director plan"):
        if options.task is None:
            stage = to_continue(directory)
        else:
            stage = for_task(workspace, directory, config, options.task, new=options.new)
        with open_job(workspace, directory, config, stage, options.wanted_later) as job:
            planning = Planning(job, workspace, stage, options)
            _go_on(planning)
            nodes = planning.plan().nodes if job.directory.plan.exists() else ()
            cost = cost_of_calls(job.agents.ledger.records)
            return PlanReport(planning.stage, job.directory, nodes, cost)


def resume_job(
    workspace: Workspace, directory: JobDirectory, job_id: str, *, new: bool = False
) -> PlanReport:
    """Make an archived job the current one, and say where it stands; no model is asked.

    Raises RequestError when there is no such job, or the current one is not finished, unless
    ``new`` sets it aside.
    """
    with job_lock(directory.lock, "director plan"):
        stage = bring_back(workspace, directory, job_id, new=new)
        nodes = directory.load_plan().nodes if directory.plan.exists() else ()
        return PlanReport(stage, directory, nodes, cost_of_calls(read_calls(directory.costs)))


def _go_on(planning: Planning) -> None:
    """Go from stage to stage until one waits for approval, or the plan is ready."""
    # An approval is for what somebody could see: for the one that planning stands at already.
    approved = planning.stage.stage if planning.options.approve else None
    planning.enter()
    if planning.stage.stage is Stage.READY:  # and was edited since
        planning.settle(freeze(planning, edited_only=True), Stage.READY)
    check_base(planning)
    options, order = planning.options, [*STAGES, Stage.READY]
    while entry := STAGES.get(stage := planning.stage.stage):
        place, criticised = order.index(stage), None
        if entry.critique and options.auto and options.critique:
            criticised = entry.critique(planning)
        if criticised:
            planning.settle(criticised, order[place - 1] if criticised.rejected else stage)
        elif entry.critique and not options.auto and approved is not stage:
            planning.job.events.emit(Kind.APPROVAL_NEEDED, stage=stage)
            return
        else:
            planning.settle(entry.work(planning), order[place + 1])
