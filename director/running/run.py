"""``run``: work off the plan, then the integration gate on the tip of the job branch."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from director.job.context import JobContext, Setting
from director.job.gate_report import GateReport, in_words
from director.job.integration import check_base, integrate
from director.job.lanes import pick_lanes
from director.job.opening import open_job
from director.job.out_of_reach import refuse_out_of_reach
from director.job.reconciling import rebuilt, reconciled
from director.job.scheduler import Schedule, drive
from director.job.seal import Seal, check_seal, restore_seal
from director.job.stage import Stage, read_stage
from director.job.views import views_of
from director.model.config import Config
from director.model.errors import DirectorError, RequestError
from director.model.plan import Plan
from director.model.roles import Role
from director.model.state import CallRecord, NodeStatus, RunState, WatchItFail, WatchVerdict
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.ledger import total_cost, total_tokens
from director.records.lock import job_lock
from director.records.state_keeper import StateKeeper
from director.running.believing import believed_merges
from director.running.metrics import node_line, run_line
from director.running.node import NodeEnd, work_on_node
from director.running.receipts import restore_receipts


@dataclass(frozen=True)
class RunOptions:
    """What a caller may ask for.

    ``nodes`` empty: all; ``max_attempts`` None: as configured; ``parallel`` None: chosen here.
    """

    parallel: int | None = 1
    max_attempts: int | None = None
    retry_failed: bool = False
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunReport:
    """What a run came to. ``stop`` is the outside reason that ended it early, if any.

    ``repository`` is the job repository; ``unpublished`` says why the branch could not be brought
    into the user's.
    """

    plan: Plan
    state: RunState
    integration: tuple[GateReport, ...] | None
    metrics: dict[str, Any]
    stop: DirectorError | None
    repository: Path
    unpublished: str | None = None

    @property
    def integration_ok(self) -> bool | None:
        """Whether no integration gate is red that was not so before the job; None: none ran."""
        if not self.integration:
            return None
        return all(gate.ok for gate in self.integration)

    @property
    def ok(self) -> bool:
        """Whether no node failed (or waits for one that did) and no integration gate is red."""
        failed = self.state.ids(NodeStatus.FAILED, NodeStatus.BLOCKED)
        return not failed and self.integration_ok is not False


def run_job(
    setting: Setting, directory: JobDirectory, config: Config, options: RunOptions
) -> RunReport:
    """Run the plan in ``directory`` until nothing more can be done; resumes what was begun.

    Raises RequestError when there is no plan to run, StoppedError when another process has the
    lock. What stops a run from outside is part of the report: everything is on record by then.
    """
    if options.max_attempts is not None:
        config = replace(config, limits=replace(config.limits, max_attempts=options.max_attempts))
    with job_lock(directory.lock, "director run"):
        plan, seal = _ready_plan(directory)
        with open_job(setting, directory, config, plan) as job:
            plan = _at_home(job, plan, setting)
            work = _Run(job, plan, seal, options)
            with closing(work.keeper):
                return work.run()


def _at_home(job: JobContext, plan: Plan, setting: Setting) -> Plan:
    """Return the plan with the repository's place as it is now: it may have been moved."""
    here = plan._replace(repo=str(setting.repository.root))
    if here != plan:
        job.directory.save_plan(here)
    return here


def _ready_plan(directory: JobDirectory) -> tuple[Plan, Seal]:
    """Return the plan and its seal; RequestError when it is not as it was approved.

    Later changes of the files make no difference to the run.
    """
    stage = read_stage(directory)
    if stage is not None and stage.stage is not Stage.READY:
        raise RequestError(
            f"the plan is not ready: it stands at {stage.stage}",
            "continue with `director plan --continue`",
        )
    plan = directory.load_plan()
    unfrozen = [node.id for node in plan.nodes if not node.admitted]
    if unfrozen:
        raise RequestError(
            f"the tests of these nodes are not frozen: {', '.join(unfrozen)}",
            "continue with `director plan --continue`",
        )
    return plan, check_seal(directory, plan)


class _Run:
    """One run of one plan."""

    def __init__(self, job: JobContext, plan: Plan, seal: Seal, options: RunOptions) -> None:
        self.job = job
        self.plan = plan
        self.views = views_of(job.repository, plan)
        job.pool.set_up_on(self.views.of_tip)
        self.seal = seal
        self.options = options
        self.stop: DirectorError | None = None
        self.keeper = StateKeeper(job.directory, self._believed())
        self.started = time.monotonic()

    def run(self) -> RunReport:
        refuse_out_of_reach(self.job, self.plan.nodes)
        wanted = self._wanted()
        if wanted:
            check_base(self.job, self.plan.base_commit)
        self.keeper.replace(self.keeper.state)
        self._catch_up()
        done = self.keeper.state.ids(NodeStatus.DONE)
        self.lanes = pick_lanes(self.job, self.options.parallel, self.plan.nodes, wanted)
        self.schedule = Schedule(self.plan.nodes, done, wanted)
        self.job.events.emit(
            Kind.RUN_STARTED,
            job_id=self.plan.job_id,
            nodes=len(self.plan.nodes),
            done=len(done),
            parallel=self.lanes,
            confinement=self.job.confinement,
        )
        drive(self.schedule, self.lanes, self._work, self._settle)
        return self._close(self._integrate())

    def _believed(self) -> RunState:
        """Return the state to begin with; a damaged ``state.json`` is put aside and rebuilt."""
        directory = self.job.directory
        try:
            state = directory.load_state(self.plan)
        except files.DamagedFileError as error:
            aside = directory.state.with_suffix(".damaged")
            directory.state.replace(aside)
            self.job.events.emit(
                Kind.NOTICE, message=f"{error.what}; put aside as {aside} and rebuilt"
            )
            state = rebuilt(self.plan, files.read_lines(directory.metrics))
        merges = believed_merges(self.job, self.plan, self.seal)
        restore_receipts(self.job)
        return reconciled(state, merges, retry_failed=self.options.retry_failed)

    def _wanted(self) -> set[str]:
        """Return the nodes to work on; RequestError for a node that cannot be."""
        state = self.keeper.state
        open_ids = state.ids(NodeStatus.PENDING)
        if not self.options.nodes:
            return open_ids
        asked = set(self.options.nodes)
        if unknown := sorted(asked - set(state.nodes)):
            known = ", ".join(state.nodes)
            raise RequestError(f"no such node: {', '.join(unknown)}", f"the plan has: {known}")
        ready = asked | state.ids(NodeStatus.DONE)
        for node_id in self.options.nodes:
            if waits_for := sorted(set(self.plan.node(node_id).depends_on) - ready):
                raise RequestError(
                    f"node {node_id} waits for {', '.join(waits_for)}",
                    "name these with --node too, or run them first",
                )
        if closed := sorted(asked & state.ids(NodeStatus.FAILED, NodeStatus.BLOCKED)):
            raise RequestError(
                f"these nodes have had their attempts: {', '.join(closed)}", "add --retry-failed"
            )
        return asked & open_ids

    def _work(self, node_id: str) -> NodeEnd:
        node = self.plan.node(node_id)
        self.keeper.update(node_id, durable=False, status=NodeStatus.RUNNING)
        self.job.events.emit(Kind.NODE_STARTED, node_id, title=node.title)
        return work_on_node(self.job, self.views, node, self.keeper)

    def _catch_up(self) -> None:
        """Put on record the nodes that a killed run merged and did not get to account for."""
        lines = files.read_lines(self.job.directory.metrics)
        told = {line.get("node") for line in lines if line.get("status") == NodeStatus.DONE}
        for node_id in sorted(self.keeper.state.ids(NodeStatus.DONE) - told):
            verdict = self.keeper.node(node_id).watch_it_fail
            watched = WatchItFail(verdict or WatchVerdict.UNKNOWN, detail="from the state")
            self._account(node_id, NodeEnd(NodeStatus.DONE, watched=watched))

    def _settle(self, node_id: str, end: NodeEnd) -> None:
        """Take in a lane's result; the only place where the schedule changes."""
        match end.status:
            case NodeStatus.DONE:
                self.schedule.finish(node_id)
            case NodeStatus.FAILED:
                self._block(node_id)
            case _:
                self.stop = self.stop or end.stop
                self.schedule.close()
        self._account(node_id, end)

    def _account(self, node_id: str, end: NodeEnd) -> None:
        """Put on record where a node stands and what it cost, and whether it is finished."""
        calls = self._calls(node_id)
        self.keeper.update(
            node_id,
            status=end.status,
            error=end.error,
            tokens=total_tokens(calls).total,
            cost_usd=total_cost(calls),
        )
        if end.status is NodeStatus.PENDING:
            return
        state = self.keeper.node(node_id)
        line = node_line(self.plan.job_id, self.plan.node(node_id), state, end.watched, calls)
        files.append_line(self.job.directory.metrics, line, durable=True)
        self.job.events.emit(
            Kind.NODE_ENDED,
            node_id,
            status=state.status,
            tier=state.tier_used,
            attempts=state.attempts,
            cost=state.cost_usd,
            wall_secs=state.wall_secs,
            error=state.error,
        )

    def _block(self, failed: str) -> None:
        error = f"waits for {failed}, which failed"
        for node_id in self.schedule.fail(failed):
            if self.keeper.node(node_id).status is NodeStatus.PENDING:
                self.keeper.note(node_id, status=NodeStatus.BLOCKED, error=error)

    def _calls(self, node_id: str) -> list[CallRecord]:
        """Return what was paid for a node in this stage: its tests belong to planning."""
        calls = self.job.agents.ledger.of_node(node_id)
        return [one for one in calls if one.role != Role.TEST_AUTHOR]

    def _integrate(self) -> tuple[GateReport, ...] | None:
        """Run all tests and ``[gates]`` on the tip, when every node is done."""
        done = self.keeper.state.ids(NodeStatus.DONE)
        if self.stop or len(done) < len(self.plan.nodes):
            return None
        try:
            return integrate(self.job, self.views, self.lanes)
        except DirectorError as stop:
            self.stop = stop
            return None

    def _restore_records(self) -> None:
        """Undo what agents wrote where the next run and ``verify`` look."""
        restore_receipts(self.job)
        if restore_seal(self.job.directory, self.seal):
            message = (
                f"{self.job.directory.sealed} was changed while director worked: it was restored"
            )
            self.job.events.emit(Kind.NOTICE, message=message)

    def _close(self, integration: tuple[GateReport, ...] | None) -> RunReport:
        self._restore_records()
        state = self.keeper.state
        report = RunReport(
            self.plan,
            state,
            integration,
            {},
            self.stop,
            self.job.repository.path,
            self.job.publisher.now(),
        )
        tiers = {role.value: model for role, model in self.job.config.tiers.items()}
        calls = self.job.agents.ledger.records
        wall_secs = time.monotonic() - self.started
        integrated = report.integration_ok, in_words(integration)
        metrics = run_line(self.plan, state, tiers, calls, integrated, wall_secs)
        metrics["parallel"] = self.lanes
        files.append_line(self.job.directory.metrics, metrics, durable=True)
        self.job.events.emit(
            Kind.RUN_ENDED,
            done=metrics["done"],
            failed=metrics["failed"],
            integration_ok=report.integration_ok,
            cost=metrics["cost_total"],
            wall_secs=metrics["wall_secs"],
        )
        return replace(report, metrics=metrics)
