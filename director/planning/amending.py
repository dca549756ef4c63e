"""Amending: the plan approval once more, for one node that has not merged.

Its spec, files, command and tests are edited, or rewritten by models; they must be red again, in
its view of what merged meanwhile. Then they are on the branch and under the seal, and the node has
fresh chances. Nothing else of the plan is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from director.job.amendment import Amendment, being_amended, read_amendment, write_amendment
from director.job.context import Workspace
from director.job.opening import open_job
from director.job.seal import Seal, check_seal, differences, read_seal
from director.job.stage import PlanStage, Stage, read_stage
from director.job.views import views_of
from director.model.codec.encoding import encode
from director.model.config import Config
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Node, Plan
from director.model.plan_reader import read_plan
from director.model.reason import Reason
from director.model.state import NodeStatus
from director.planning.amendment_ends import OpenAmendment, approve, cancel
from director.planning.context import Planning, PlanOptions
from director.planning.current_job import CONTINUE
from director.planning.editing import (
    export_tests,
)
from director.planning.rewriting import Rewriting
from director.records.clock import now
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.records.taken_nodes import refuse_taken


class Step(StrEnum):
    """Where an amendment stands when the command ends."""

    OPEN = "open"
    APPROVED = "approved"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class AmendOptions:
    """What a caller asks for: ``words`` for the models (None: no rewriting), then an end of it."""

    words: str | None = None
    approve: bool = False
    cancel: bool = False


@dataclass(frozen=True)
class AmendReport:
    """Where a node stands, ``before`` and ``after``, with what its tests hold: path → text."""

    step: Step
    job_id: str
    directory: JobDirectory
    before: Node
    after: Node
    tests_before: Mapping[str, str]
    tests_after: Mapping[str, str]


def amend_node(
    workspace: Workspace,
    directory: JobDirectory,
    config: Config,
    node_id: str,
    options: AmendOptions,
) -> AmendReport:
    """Open the amendment of a node, rewrite it, and approve or cancel it, as ``options`` say.

    Raises RequestError (no approved plan; no such node; it is merged, or taken; another one is
    being amended; more than the node was edited; its tests are not red), WorkError (the models'
    answers cannot be used), StoppedError (another process has the lock) and InterruptedRunError.
    Killed anywhere, the same command makes it again.
    """
    with job_lock(directory.lock, "director amend"):
        stage = _approved(directory)
        seal = read_seal(directory) or check_seal(directory, directory.load_plan())
        amendment = _amendment(directory, seal, node_id)
        node_id = amendment.node
        if options.cancel and not directory.amending.exists():
            what = f"node {node_id} is not being amended"
            raise RequestError(what, f"begin with `director amend {node_id}`")
        done = directory.load_state(_sealed_plan(seal)).ids(NodeStatus.DONE)
        _refuse_merged(node_id, done)
        with open_job(workspace, directory, config, stage) as job:
            _refuse_merged(node_id, (one.node for one in job.repository.receipts.values()))
            planning = Planning(job, workspace, stage, PlanOptions())
            return _Amending(planning, seal, amendment).go(options)


def _approved(directory: JobDirectory) -> PlanStage:
    stage = read_stage(directory)
    if stage is None:
        raise RequestError(
            f"there is no plan in {directory.path}", 'make one with `director plan "<task>"`'
        )
    if stage.stage is not Stage.READY:
        what = "the plan is not approved yet: all of it can be edited"
        raise RequestError(what, f"edit it, then `{CONTINUE}`")
    return stage


def _amendment(directory: JobDirectory, seal: Seal, node_id: str) -> Amendment:
    """Return the amendment of a node that is open, or one to begin."""
    found, node = read_amendment(directory), known_node(_sealed_plan(seal), node_id)
    if found and found.node != node.id:
        raise being_amended(found)
    refuse_taken(directory, node.id)
    return found or Amendment(node.id, now(), node)


def _refuse_merged(node_id: str, merged: Iterable[str]) -> None:
    if node_id in merged:
        what = f"node {node_id} is merged: it cannot be amended"
        raise RequestError(what, "plan the change as a new task")


def _sealed_plan(seal: Seal) -> Plan:
    return read_plan({**seal.plan, "repo": ""})


class _Amending:
    """One amendment, worked on by one command."""

    def __init__(self, planning: Planning, seal: Seal, amendment: Amendment) -> None:
        before = _sealed_plan(seal).with_node(amendment.before)
        approved = before._replace(repo=str(planning.workspace.repository.root))
        self.open = OpenAmendment(planning, amendment, approved)
        self.planning = planning
        self.job = planning.job
        self.amendment = amendment

    def go(self, options: AmendOptions) -> AmendReport:
        """Do what ``options`` ask for; returns what that came to."""
        texts = self._texts(self.open.approved)
        if options.cancel:
            cancel(self.open)
            return self._report(Step.CANCELLED, self.open.approved, texts)
        plan, unfinished = self._plan(), self.amendment.words
        if words := options.words or unfinished:
            plan = self._rewrite(plan, words)
        # An approval is for what could be seen, unless it is asked for with the words.
        if options.approve and (options.words is not None or not unfinished):
            return self._report(Step.APPROVED, approve(self.open, plan), texts)
        self._open(plan)
        return self._report(Step.OPEN, plan, texts)

    def _plan(self) -> Plan:
        """Return the plan as it is on disk; RequestError where more than the node was changed."""
        try:
            plan = self.planning.plan()
        except RequestError as error:
            error.next_step = f"correct it, then `{self.open.command} --continue`"
            raise
        node_id, whole = self.amendment.node, encode(self.open.approved)
        found = differences(Seal("", "", whole), plan)
        if others := [one for one in found if not one.startswith(f"node {node_id}: ")]:
            raise RequestError(
                f"more than node {node_id} was changed in {self.job.directory.plan}: "
                f"{'; '.join(others)}",
                f"restore that, or {self.open.all_of_it}",
                Reason.PLAN_INVALID,
            )
        return plan

    def _open(self, plan: Plan) -> None:
        """Lay out what can be edited; what was edited already stays."""
        begun = self.job.directory.amending.exists()
        if not begun:
            write_amendment(self.job.directory, self.amendment)
        if not (begun and self.job.directory.tests.exists()):
            self._export(plan)

    def _export(self, plan: Plan) -> None:
        node_id = self.amendment.node
        paths = plan.node(node_id).tests
        export_tests(self.job, [path for path in paths if plan.owners[path][-1] == node_id])

    def _rewrite(self, plan: Plan, words: str) -> Plan:
        """Have models rewrite the node, or continue that after a kill."""
        amendment = self.amendment.asking(words)
        write_amendment(self.job.directory, amendment)
        plan = Rewriting(self.planning, amendment).rewrite(plan)
        self._export(plan)
        return plan

    def _report(self, step: Step, plan: Plan, before: Mapping[str, str]) -> AmendReport:
        return AmendReport(
            step,
            plan.job_id,
            self.job.directory,
            self.amendment.before,
            plan.node(self.amendment.node),
            before,
            self._texts(plan),
        )

    def _texts(self, plan: Plan) -> dict[str, str]:
        """Return what the node's tests hold as ``plan`` has them: path → text."""
        repository, node = self.job.repository, plan.node(self.amendment.node)
        tip, views = repository.tip(), views_of(repository, plan)
        found = {path: views.content_at(tip, node, path) for path in node.tests}
        return {
            path: repository.objects.get(entry.oid).data.decode(errors="replace")
            for path, entry in found.items()
            if entry
        }
