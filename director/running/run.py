"""``run``: carry out the plan, then the integration gate on the tip of the job branch."""

from pathlib import Path
from typing import Any, NamedTuple

from director.job.context import Workspace
from director.job.forbidden import refuse_out_of_reach
from director.job.gate_report import GateReport, in_words
from director.job.integration import check_base, integrate
from director.job.lanes import pick_lanes
from director.job.scheduler import Schedule, drive
from director.job.seal import Seal, restore_seal
from director.model.config import Config
from director.model.errors import DirectorError, DrainedError
from director.model.naming import known_node
from director.model.plan import Plan
from director.model.reason import Reason
from director.model.state import NodeStatus, RunState
from director.records import json_lines
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.running.believing import restore_receipts
from director.running.metrics import Accounts, run_line
from director.running.node import work_on_node
from director.running.node_record import NodeEnd
from director.running.opened_run import OpenedRun, opened_run
from director.running.readiness import ready_plan, wanted_nodes
from director.running.repairing import repair_for, with_repair


class RunOptions(NamedTuple):
    """What a caller may ask for.

    ``nodes`` empty: all; ``max_attempts`` None: as configured; ``parallel`` None: chosen here.
    ``allow_broken_gates``: as for planning, from now on.
    """

    parallel: int | None = 1
    max_attempts: int | None = None
    retry_failed: bool = False
    nodes: tuple[str, ...] = ()
    allow_broken_gates: bool = False


class RunReport(NamedTuple):
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
    def reason(self) -> Reason | None:
        """What kept the run from its end; None: nothing did."""
        if self.stop:
            return self.stop.reason
        if self.state.ids(NodeStatus.FAILED, NodeStatus.BLOCKED):
            return Reason.NODE_FAILED
        return Reason.INTEGRATION_RED if self.integration_ok is False else None

    @property
    def ok(self) -> bool:
        """Whether no node failed (or waits for one that did) and no integration gate is red."""
        failed = self.state.ids(NodeStatus.FAILED, NodeStatus.BLOCKED)
        return not failed and self.integration_ok is not False


def run_job(
    workspace: Workspace, directory: JobDirectory, config: Config, options: RunOptions
) -> RunReport:
    """Run the plan in ``directory`` until nothing more can be done; resumes what was begun.

    Raises RequestError when there is no plan to run, StoppedError when another process has the
    lock. What stops a run from outside is part of the report: everything is on record by then.
    """
    if options.max_attempts is not None:
        config = config._replace(limits=config.limits._replace(max_attempts=options.max_attempts))
    with job_lock(directory.lock, "director run"):
        plan, seal = ready_plan(directory)
        for word in options.nodes:
            known_node(plan, word)  # before anything is opened for it
        ready, again = (plan, seal), options.retry_failed
        with opened_run(workspace, directory, config, ready, retry_failed=again) as opened:
            return _Run(opened).run(options)


class _Run:
    """One run of one plan."""

    def __init__(self, opened: OpenedRun) -> None:
        self.opened = opened
        self.job = opened.job
        self.keeper = opened.keeper
        self.mark = opened.mark
        self.stop: DirectorError | None = None

    @property
    def plan(self) -> Plan:
        """The plan, with the repair nodes that it got."""
        return self.opened.plan

    @property
    def accounts(self) -> Accounts:
        """The accounts of its nodes."""
        return self.opened.accounts

    def run(self, options: RunOptions) -> RunReport:
        """Work off what ``options`` ask for, then integrate; returns what it came to."""
        refuse_out_of_reach(self.job, self.plan.nodes)
        wanted = wanted_nodes(self.plan, self.keeper.state, options.nodes)
        if wanted:
            check_base(self.job, self.plan.base_commit, allow=options.allow_broken_gates)
        self.keeper.replace(self.keeper.state)
        self.accounts.catch_up()
        done = self.keeper.state.ids(NodeStatus.DONE)
        lanes = pick_lanes(self.job, options.parallel, self.plan.nodes, wanted)
        self.job.events.emit(
            Kind.RUN_STARTED,
            job_id=self.plan.job_id,
            run_id=self.mark.run_id,
            nodes=len(self.plan.nodes),
            done=len(done),
            parallel=lanes,
            confinement=self.job.confinement,
        )
        for taken in sorted(self.keeper.state.ids(NodeStatus.TAKEN)):
            message = f"a person writes it: left alone (`director give {taken}` merges it)"
            self.job.events.emit(Kind.NOTICE, taken, message=message)
        self._work_off(wanted, lanes)
        integration = self._integrate_and_repair(lanes)
        self._restore_records(self.opened.seal)
        return self._report(integration, lanes)

    def _work_off(self, wanted: set[str], lanes: int) -> None:
        """Work on the ``wanted`` nodes until nothing more can be done."""
        done = self.keeper.state.ids(NodeStatus.DONE)
        self.schedule = Schedule(self.plan.nodes, done, wanted)
        cancellation = self.job.agents.cancellation
        drive(self.schedule, lanes, self._work, self._settle, lambda: cancellation.draining)
        if cancellation.draining and self._is_unfinished():
            self.stop = self.stop or DrainedError()

    def _is_unfinished(self) -> bool:
        """Whether a node waits for its turn, or all that is left is the integration gate."""
        state = self.keeper.state
        return bool(state.ids(NodeStatus.PENDING)) or not state.ids(
            NodeStatus.FAILED, NodeStatus.BLOCKED
        )

    def _work(self, node_id: str) -> NodeEnd:
        node = self.plan.node(node_id)
        self.keeper.update(node_id, durable=False, status=NodeStatus.RUNNING)
        self.job.events.emit(Kind.NODE_STARTED, node_id, title=node.title)
        return work_on_node(self.opened.work_on(node), self.keeper)

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
        self.accounts.account(node_id, end)

    def _block(self, failed: str) -> None:
        error = f"waits for {failed}, which failed"
        for node_id in self.schedule.fail(failed):
            if self.keeper.node(node_id).status is NodeStatus.PENDING:
                self.keeper.note(node_id, status=NodeStatus.BLOCKED, error=error)

    def _integrate_and_repair(self, lanes: int) -> tuple[GateReport, ...] | None:
        """Integrate, and have repaired what merges turned red; returns the last integration."""
        integration = self._integrate(lanes)
        while integration and (node := repair_for(self.opened, integration)):
            self.opened = with_repair(self.opened, node)
            self._work_off({node.id}, 1)
            again = self._integrate(lanes)
            if again is None:
                break
            integration = again
        return integration

    def _integrate(self, lanes: int) -> tuple[GateReport, ...] | None:
        """Run all tests and ``[gates]`` on the tip, when every node is done."""
        done = self.keeper.state.ids(NodeStatus.DONE)
        if self.stop or len(done) < len(self.plan.nodes):
            return None
        try:
            return integrate(self.job, self.opened.views, lanes)
        except DirectorError as stop:
            self.stop = stop
            return None

    def _restore_records(self, seal: Seal) -> None:
        """Undo what agents wrote where the next run and ``verify`` look."""
        restore_receipts(self.job)
        if restore_seal(self.job.directory, seal):
            sealed = self.job.directory.sealed
            self.job.events.notice(
                f"{sealed} was changed while director was working: it was restored"
            )

    def _report(self, integration: tuple[GateReport, ...] | None, lanes: int) -> RunReport:
        """Publish the branch, and put the run on record."""
        place, unpublished = self.job.repository.path, self.job.publisher.now()
        state = self.keeper.state
        report = RunReport(self.plan, state, integration, {}, self.stop, place, unpublished)
        integrated = report.integration_ok, in_words(integration)
        metrics = run_line(self.job, state, integrated, self.mark)
        metrics["parallel"] = lanes
        json_lines.append_line(self.job.directory.metrics, metrics, durable=True)
        self.job.events.emit(
            Kind.RUN_ENDED,
            done=metrics["done"],
            failed=metrics["failed"],
            integration_ok=report.integration_ok,
            run_id=self.mark.run_id,
            cost=metrics["cost_total"],
            cost_known=metrics["cost_known"],
            unpriced_calls=metrics["unpriced_calls"],
            run_cost=metrics["run_cost"],
            run_unpriced_calls=metrics["run_unpriced_calls"],
            wall_secs=metrics["wall_secs"],
        )
        return report._replace(metrics=metrics)
