"""``rebase``: a job whose base moved on is carried to the new one, and gated again there.

What it is to be is built beside the job, which is switched to it whole, or stays as it is.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from director.job.context import Opened, Workspace
from director.job.forbidden import refuse_out_of_reach
from director.job.integration import gate_base, refuse_broken
from director.job.seal import Seal, seal_plan
from director.job.stage import PlanStage, read_stage, write_stage
from director.job.switching import (
    Switch,
    building_branch,
    discard_staged,
    refuse_pending,
    staged,
    switch,
)
from director.model.codec.encoding import encode, encode_any
from director.model.config import Config
from director.model.errors import RequestError
from director.model.integration_gates import BaseGates
from director.model.plan import Plan
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome, NodeState, NodeStatus, RunState
from director.records import files, json_lines
from director.records.call_notes import noted_calls
from director.records.clock import now
from director.records.events import Events, Kind, journal
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.records.taken_nodes import taken_nodes
from director.records.worktrees_record import may_hold_work
from director.repositories.job_repository import JobRepository, open_job_repository
from director.running.new_base import NewBase, Renamed, find_base, refuse_contract, refuse_published
from director.running.opened_run import OpenedRun, opened_run
from director.running.readiness import ready_plan
from director.running.replaying import (
    Carried,
    Fate,
    Replay,
    begin_replay,
    look_at_left,
    replay,
)


@dataclass(frozen=True)
class RebaseOptions:
    """What a caller asks for: the commit to carry the job to (None: the one checked out).

    ``allow_broken_gates``: as for planning, from now on.
    """

    onto: str | None = None
    allow_broken_gates: bool = False


@dataclass(frozen=True)
class Prospect:
    """What a rebase would come to: a job of ``plan`` carried to ``base``.

    ``fates`` are those of its nodes in the order of the plan, ``states`` where they stand now.
    ``moved`` are allowlisted files that the new base renamed or deleted, ``base_gates`` is what
    ``[gates]`` said there. ``tip``: where the branch would be.
    """

    plan: Plan
    base: NewBase
    fates: tuple[Carried, ...] = ()
    states: Mapping[str, NodeStatus] = field(default_factory=dict)
    moved: tuple[Renamed, ...] = ()
    base_gates: BaseGates = field(default_factory=dict)
    tip: str = ""

    def of(self, fate: Fate) -> list[Carried]:
        """Return the nodes with this fate."""
        return [one for one in self.fates if one.fate is fate]


class Rebase:
    """A rebase that is built. ``prospect`` is what it would come to; it is carried out on accept.

    ``unpublished`` says why the branch could not be brought into the user's repository.
    """

    def __init__(self, prospect: Prospect) -> None:
        self.prospect = prospect
        self.accepted = False
        self.unpublished: str | None = None

    def accept(self) -> None:
        """Have the job switched to its new base when this is closed."""
        self.accepted = True


@contextmanager
def opened_rebase(
    workspace: Workspace, directory: JobDirectory, config: Config, options: RebaseOptions
) -> Iterator[Rebase]:
    """Give a rebase that is built and gated; on the way out the job is switched, if accepted.

    Raises StoppedError when another process has the job's lock, WorkError where the new base
    changed frozen tests, RequestError for what cannot be rebased, and what gates raise: nothing has
    changed then. Killed anywhere, the job is as it was, or the next command finishes the switch.
    """
    with job_lock(directory.lock, "director rebase"):
        refuse_pending(directory)
        ready = ready_plan(directory)
        plan = ready[0]
        _refuse_unsettled(directory)
        base = find_base(workspace.repository, plan, options.onto)
        if base.nothing_to_do:
            yield Rebase(Prospect(plan, base))
            return
        workspace.repository.complete(base.commit)
        discard_staged(directory)  # of a command that was killed
        try:
            with opened_run(workspace, directory, config, ready) as opened:
                built = _build(opened, base, options)
            # Nothing is open while a person decides, nor while the records are replaced.
            rebase = Rebase(built.prospect)
            yield rebase
            if rebase.accepted:
                _stage(workspace, directory, built)
                rebase.unpublished = _switch(workspace, directory, rebase.prospect)
        finally:
            if not directory.switching.exists():
                discard_staged(directory)


class _Built(NamedTuple):
    """What was built: the replay, seal and state of the job as it is, the stage as it is to be."""

    replay: Replay
    seal: Seal
    state: RunState
    stage: PlanStage | None
    prospect: Prospect


def _refuse_unsettled(directory: JobDirectory) -> None:
    """Raise RequestError while people or killed runs have work that is on the old base."""
    if held := [one for one in taken_nodes(directory) if one.ready]:
        names = ", ".join(one.node for one in held)
        raise RequestError(
            f"a person works on {names}, on the old base",
            f"`director give {held[0].node}` merges it, `director take --drop {held[0].node}` "
            "gives it up; then run the command again",
        )
    there = may_hold_work(directory.pool)
    notes = [one for one in noted_calls(directory.calls) if one.log]
    if left := [one.name for one in notes if one.is_unused or (there and one.cwd)]:
        raise RequestError(
            f"a run was cut short, and results of its calls are not used yet: {', '.join(left)}",
            "`director run` uses them; then run the command again",
        )


def _build(opened: OpenedRun, base: NewBase, options: RebaseOptions) -> _Built:
    """Build the job on its new base, gated; nothing of the job itself changes."""
    job, old = opened.job, opened.plan
    plan = old._replace(base_commit=base.commit)
    commits = job.repository.log(old.base_commit, job.repository.tip())
    refuse_published(job.repository, plan, base)
    refuse_contract(job.repository, plan, commits, base)
    stage = read_stage(job.directory)
    allow = options.allow_broken_gates or bool(stage and stage.allow_broken_gates)
    gates = gate_base(job, base.commit, {})
    if not allow:
        refuse_broken(job.directory, gates)
    files.make_folder(job.directory.rebasing)
    name, tips = building_branch(plan.job_branch), staged(job.directory).tips
    branch = job.repository.begin_beside(name, base.commit, tips)
    try:
        building = begin_replay(job, plan, branch, old.base_commit)
        if job.pool.provisions:
            job.pool.provisions.refuse_tracked(base.commit)
        refuse_out_of_reach(building.job, plan.nodes)
        replay(building, job.repository, commits)
        look_at_left(building, opened.keeper.state)
        branch.restore_journal()  # what gates ran may have written there
    finally:
        job.repository.forget_branch(name)
    fates = tuple(building.fates[node.id] for node in plan.nodes)
    states = {node: one.status for node, one in opened.keeper.state.nodes.items()}
    moved = base.moved(plan)
    prospect = Prospect(old, base, fates, states, moved, gates, branch.tip())
    stage = stage and _moved(stage, building, gates, allow=allow)
    return _Built(building, opened.seal, opened.keeper.state, stage, prospect)


def _moved(stage: PlanStage, building: Replay, gates: BaseGates, *, allow: bool) -> PlanStage:
    base = building.plan.base_commit
    return stage._replace(
        base_commit=base,
        authored_from=building.places.get(stage.authored_from, base),
        base_gates=gates,
        allow_broken_gates=allow,
    )


def _stage(workspace: Workspace, directory: JobDirectory, built: _Built) -> None:
    """Put all records as they are to be into the folder that the job is switched to."""
    new, building = staged(directory), built.replay
    plan, branch = building.plan, building.branch
    new.save_plan(plan)
    contract = building.places.get(built.seal.contract, branch.tip())
    seal_plan(new, plan, contract, built.seal.merge_gate)
    if built.stage:
        write_stage(new, built.stage)
    json_lines.write_lines(new.receipts, map(encode, branch.receipts.values()))
    job = open_job_repository(directory.repository, workspace.repository, plan.job_branch)
    new.state_file.save(_state(job, built))


def _state(job: JobRepository, built: _Built) -> RunState:
    """Return the state in which what was carried is done, and what was not begins again."""
    state = built.state
    for one in built.replay.fates.values():
        node = state.nodes[one.node]
        if one.fate is Fate.CARRIED:
            node = node._replace(commit=one.commit)
        elif one.fate is Fate.AGAIN:
            node = node._replace(
                status=NodeStatus.PENDING,
                commit=None,
                past_attempts=(_attempt(job, node, one),),
                flake_failed=False,
            )
        state = state.with_node(one.node, node)
    return state


def _attempt(job: JobRepository, node: NodeState, one: Carried) -> Attempt:
    """Keep what a node had merged, and return that as the attempt after which it begins again."""
    kept = job.keep_attempt(one.node, node.attempts, one.old)
    failure = one.failure._replace(candidate=kept) if one.failure else None
    role = Role.ESCALATION if node.escalated else Role.EXECUTOR
    outcome, model = AttemptOutcome.REBASED, node.model_used or ""
    return Attempt(role, outcome, node.attempts, model, failure=failure)


def _switch(workspace: Workspace, directory: JobDirectory, prospect: Prospect) -> str | None:
    """Switch the job, and put that on record; returns why it could not be published, or None."""
    plan, base = prospect.plan, prospect.base
    intent = Switch(now(), plan.job_id, plan.job_branch, plan.base_commit, base.commit)
    unpublished = switch(directory, workspace.repository, intent)
    _tell_attempts(directory, prospect)
    events = _events(workspace, directory)
    workspace.opened.append(Opened(plan.job_id, directory, events))
    events.emit(
        Kind.REBASED,
        job_id=plan.job_id,
        before=plan.base_commit,
        base=base.commit,
        onto=base.name,
        tip=prospect.tip,
        carried=[one.node for one in prospect.of(Fate.CARRIED)],
        again={one.node: one.why for one in prospect.of(Fate.AGAIN)},
    )
    if unpublished:
        said = f"{plan.job_branch} was not updated in your repository: {unpublished}"
        events.notice(said)
    return unpublished


def _tell_attempts(directory: JobDirectory, prospect: Prospect) -> None:
    """Put into the journal what became of the attempts that had merged, for the pages of nodes."""
    state = directory.load_state(prospect.plan)
    events = Events([journal(directory.events)], directory.redactor)
    for one in prospect.of(Fate.AGAIN):
        (attempt,) = state.nodes[one.node].past_attempts
        events.emit(
            Kind.ATTEMPT_FAILED,
            one.node,
            attempt=attempt.number,
            tier=attempt.role,
            outcome=attempt.outcome,
            lesson=f"It does not hold on the new base: {one.why}.",
            failure=encode_any(attempt.failure),
        )


def _events(workspace: Workspace, directory: JobDirectory) -> Events:
    return workspace.events.also(journal(directory.events)).without(directory.redactor)
