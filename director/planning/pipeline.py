"""``plan``: the stages from a task to a plan that ``run`` can carry out.

Every stage leaves its result on disk before the next begins, so a crash costs at most the call
that was under way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from director.job.context import Workspace
from director.job.opening import open_job
from director.job.stage import PlanStage, Stage, read_stage
from director.model.config import Config
from director.model.cost import Cost
from director.model.plan import Node
from director.planning.context import Done, Planning, PlanOptions
from director.planning.current_job import bring_back, for_task, no_job, to_change, to_continue
from director.planning.deciding import (
    DecisionNeededError,
    DecisionWantedError,
    answer_questions,
    put_questions,
    read_answers,
    refuse_answers,
)
from director.planning.drafting import critique_plan, draft_plan
from director.planning.freezing import freeze
from director.planning.preflight import check_base
from director.planning.revising import (
    begin_revision,
    digest,
    drop_nodes,
    refuse_change,
    refuse_drop,
)
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
    """Where planning stands now, and what its calls cost so far.

    ``stale``: what was to be approved had changed since it was shown. ``revised``: what lies at the
    approval was changed as a person wished; the version before is in the job's ``earlier`` folder.
    """

    stage: PlanStage
    directory: JobDirectory
    nodes: tuple[Node, ...]
    cost: Cost
    stale: bool = False
    revised: bool = False

    @property
    def paused(self) -> bool:
        """Whether planning waits for a person: for an approval, or for answers."""
        return bool(self.stage.questions) or self.stage.stage in APPROVALS


def plan_job(
    workspace: Workspace, directory: JobDirectory, config: Config, options: PlanOptions
) -> PlanReport:
    """Plan until an approval is waited for, or until the plan is ready.

    Raises RequestError (nothing to continue; another job is not finished; what a person edited is
    invalid, or not red; a test command that cannot start), DecisionNeededError (no person can
    answer the planner), WorkError (a role gives no answer, or none that can be used), StoppedError
    and InterruptedRunError; all resumable.
    """
    with job_lock(directory.lock, "director plan"):
        stage = _stage_for(workspace, directory, config, options)
        with open_job(workspace, directory, config, stage, options.wanted_later) as job:
            planning = Planning(job, workspace, stage, options)
            stale = _is_stale(planning)
            revised = _go_on(planning, approved=options.approve and not stale)
            nodes = planning.plan().nodes if job.directory.plan.exists() else ()
            cost = cost_of_calls(job.agents.ledger.records)
            return PlanReport(planning.stage, job.directory, nodes, cost, stale, revised)


def _stage_for(
    workspace: Workspace, directory: JobDirectory, config: Config, options: PlanOptions
) -> PlanStage:
    """Return the job to plan; RequestError where that cannot be done with it."""
    if options.task is not None:
        return for_task(workspace, directory, config, options.task, new=options.new)
    if options.revise or options.drop:
        stage = to_change(directory)
        flag = "--revise" if options.revise else "--drop"
        refuse_change(stage, flag, drafted=directory.plan.exists())
        if options.drop:
            refuse_drop(directory, options.drop)  # before the job is opened for it
        return stage
    stage = to_continue(directory)
    if options.answers:
        refuse_answers(stage)
    return stage


def report_on(directory: JobDirectory) -> PlanReport:
    """Return where planning of the current job stands, from its records; nothing is done.

    RequestError where there is no job, or its plan is invalid.
    """
    stage = read_stage(directory)
    if stage is None:
        raise no_job()
    nodes = directory.load_plan().nodes if directory.plan.exists() else ()
    return PlanReport(stage, directory, nodes, cost_of_calls(read_calls(directory.costs)))


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


def _is_stale(planning: Planning) -> bool:
    """Whether what is to be approved is not what was shown."""
    shown = planning.options.shown
    return bool(shown) and shown != digest(planning.job.directory, planning.stage)


def _go_on(planning: Planning, *, approved: bool) -> bool:
    """Go from stage to stage until one waits for a person, or the plan is ready.

    Returns whether what lies at the approval then was changed as a person wished.
    """
    planning.enter()
    # An approval is for what could be seen: for the one that planning stands at already.
    stands_at = planning.stage.stage if approved and not planning.stage.wishes else None
    if planning.stage.questions and not _are_answered(planning):
        return False
    if planning.options.revise:
        begin_revision(planning, planning.options.revise)
    elif planning.options.drop:
        drop_nodes(planning, planning.options.drop)
    revised = bool(planning.stage.wishes or planning.options.drop)
    _work_off(planning, stands_at)
    return revised


def _are_answered(planning: Planning) -> bool:
    """Settle the questions that wait, where a person does; else DecisionNeededError."""
    options, stage, directory = planning.options, planning.stage, planning.job.directory
    answered = options.by_file and read_answers(directory, stage.questions)
    if options.approve or options.answers or answered:
        answer_questions(planning, options.answers)
        return True
    _wait_for_answers(planning)
    return False


def _wait_for_answers(planning: Planning) -> None:
    stage = planning.stage
    if planning.options.auto:
        raise DecisionNeededError(stage, planning.job.directory)
    planning.job.events.emit(Kind.APPROVAL_NEEDED, stage=stage.stage)


def _work_off(planning: Planning, approved: Stage | None) -> None:
    """Do what the stages ask for, in their order; ``approved`` is the one that may be passed."""
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
            try:
                planning.settle(entry.work(planning), order[place + 1])
            except DecisionWantedError as wanted:
                put_questions(planning, wanted.questions)
                if planning.stage.questions:
                    _wait_for_answers(planning)
                    return
