"""Amending: the plan approval once more, for one node that has not merged.

Its spec, files, command and tests are edited, or rewritten by models; they must be red again, in
its view of what merged meanwhile. Then they are on the branch and under the seal, and the node has
fresh chances. Nothing else of the plan is looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from director.job.amendment import Amendment, being_amended, read_amendment, write_amendment
from director.job.context import JobContext, Workspace
from director.job.forbidden import refuse_out_of_reach
from director.job.opening import open_job
from director.job.reconciling import reopened
from director.job.seal import Seal, check_seal, differences, read_seal
from director.job.stage import PlanStage, Stage, read_stage
from director.job.trailers import tests_hash
from director.job.views import views_of
from director.model.codec.encoding import encode
from director.model.config import Config
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Node, Plan
from director.model.plan_reader import read_plan
from director.model.reason import Reason
from director.model.state import NodeStatus
from director.model.testing.support_files import support_problems
from director.planning.context import Planning, PlanOptions
from director.planning.current_job import CONTINUE
from director.planning.editing import (
    Draft,
    draft_of,
    export_tests,
    fingerprints,
    remove_exported_tests,
)
from director.planning.freezing import (
    Grounds,
    admit_again,
    make_contract,
    refuse_merged,
    refuse_repairs,
)
from director.planning.rewriting import Rewriting
from director.planning.tests_on_branch import contract_changes
from director.records import files
from director.records.clock import now
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock
from director.records.state_keeper import StateKeeper
from director.records.taken_nodes import refuse_taken
from director.repositories.history import Entry


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
        self.planning = planning
        self.amendment = amendment
        self.command = f"director amend {amendment.node}"
        before = _sealed_plan(seal).with_node(amendment.before)
        self.approved = before._replace(repo=str(planning.workspace.repository.root))

    @property
    def job(self) -> JobContext:
        """The job."""
        return self.planning.job

    def go(self, options: AmendOptions) -> AmendReport:
        """Do what ``options`` ask for; returns what that came to."""
        texts = self._texts(self.approved)
        if options.cancel:
            self._cancel()
            return self._report(Step.CANCELLED, self.approved, texts)
        plan, unfinished = self._plan(), self.amendment.words
        if words := options.words or unfinished:
            plan = self._rewrite(plan, words)
        # An approval is for what could be seen, unless it is asked for with the words.
        if options.approve and (options.words is not None or not unfinished):
            return self._report(Step.APPROVED, self._approve(plan), texts)
        self._open(plan)
        return self._report(Step.OPEN, plan, texts)

    def _plan(self) -> Plan:
        """Return the plan as it is on disk; RequestError where more than the node was changed."""
        try:
            plan = self.planning.plan()
        except RequestError as error:
            error.next_step = f"correct it, then `{self.command} --continue`"
            raise
        node_id, whole = self.amendment.node, encode(self.approved)
        found = differences(Seal("", "", whole), plan)
        if others := [one for one in found if not one.startswith(f"node {node_id}: ")]:
            raise RequestError(
                f"more than node {node_id} was changed in {self.job.directory.plan}: "
                f"{'; '.join(others)}",
                f"restore that, or {self._all_of_it}",
                Reason.PLAN_INVALID,
            )
        return plan

    @property
    def _all_of_it(self) -> str:
        return f"`{self.command} --cancel`, then `{CONTINUE}` admits a whole plan that was edited"

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

    def _approve(self, plan: Plan) -> Plan:
        """Freeze the node as it is on disk, and give it fresh chances; returns the plan then."""
        job, node_id = self.job, self.amendment.node
        refuse_repairs(plan.nodes, Seal("", "", encode(self.approved)))
        draft = self._draft(plan)
        after = draft.plan.node(node_id)
        refuse_out_of_reach(job, [after])
        if problems := support_problems(draft.plan.nodes):
            correct = f"correct {job.directory.plan}, then `{self.command} --continue`"
            raise RequestError("; ".join(problems), correct, Reason.PLAN_INVALID)
        refuse_merged(draft.plan, job.repository.receipts.values())
        changes = contract_changes(job, draft.plan, draft.entries)
        changed = [*changes.dropped.values(), *changes.edited.values()]
        grounds = Grounds(job.repository.tip(), changed, f"{self.command} --continue")
        admit_again(job, draft, [after], grounds)
        write_amendment(job.directory, self.amendment.asking(""))  # there from now on
        self._settle(draft)
        self._free(draft.plan)
        before = self.amendment.before
        job.events.emit(
            Kind.AMENDED,
            node_id,
            before=dict(before.test_hashes),
            after=dict(after.test_hashes),
            tests_hash_before=tests_hash(before),
            tests_hash_after=tests_hash(after),
            changed=_changed_fields(before, after),
        )
        self._end()
        return draft.plan

    def _draft(self, plan: Plan) -> Draft:
        """Return the node as it is on disk; RequestError unless it changed, and nothing else."""
        node_id, before = self.amendment.node, self.amendment.before
        marked = plan.with_node(plan.node(node_id)._replace(amended=True))
        draft = draft_of(self.job, marked, edited_only=True)
        for node in draft.plan.nodes:
            if node.id != node_id and node.test_hashes != self.approved.node(node.id).test_hashes:
                raise self._touches(node)
        if not _changed_fields(before, draft.plan.node(node_id)):
            raise RequestError(
                f"nothing of node {node_id} was changed",
                f"edit it in {self.job.directory.plan}, or its tests in {self.job.directory.tests}"
                f", then `{self.command} --continue`; `{self.command} --cancel` gives it up",
            )
        return draft

    def _touches(self, other: Node) -> RequestError:
        shared = sorted({*other.tests} & {*self.amendment.before.tests})
        on_top = f"; {', '.join(shared)} holds tests of both" if shared else ""
        return RequestError(
            f"tests of node {other.id} were changed, too{on_top}",
            f"restore them in {self.job.directory.tests}; or {self._all_of_it}",
            Reason.TESTS_REFUSED,
        )

    def _cancel(self) -> None:
        """Make everything as it was approved."""
        plan = self.approved
        self._settle(Draft(plan, self._entries(plan), {}))
        message = "its amendment was cancelled"
        self.job.events.emit(Kind.NOTICE, self.amendment.node, message=message)
        self._end()

    def _entries(self, plan: Plan) -> dict[str, Entry]:
        """Return the tests of a plan that was approved, as they were on the branch then."""
        repository = self.job.repository
        tip, views = repository.tip(), views_of(repository, plan)
        there = repository.entries(plan.base_commit, plan.owners) | repository.entries(
            tip, plan.owners
        )
        return {
            path: views.content_at(tip, plan.node(owners[-1]), path) or there[path]
            for path, owners in plan.owners.items()
        }

    def _settle(self, draft: Draft) -> None:
        make_contract(self.job, draft)
        self.planning.save(admitted=fingerprints(draft.plan))

    def _free(self, plan: Plan) -> None:
        """Give the node fresh chances, and what waits for it."""
        directory = self.job.directory
        state = reopened(directory.load_state(plan), plan, self.amendment.node)
        with closing(StateKeeper(directory, state)) as keeper:
            keeper.replace(state)

    def _end(self) -> None:
        """Close the amendment; its record goes last."""
        remove_exported_tests(self.job)
        files.remove(self.job.directory.amending)

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


def _changed_fields(before: Node, after: Node) -> list[str]:
    """Name the fields that an amendment changed."""
    was, now_is = before._asdict(), after._asdict()
    return [name for name in was if name != "amended" and was[name] != now_is[name]]
