"""The two ends of an amendment: the node is approved as it was edited, or stays as it was."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from director.job.amendment import Amendment, write_amendment
from director.job.context import JobContext
from director.job.forbidden import refuse_out_of_reach
from director.job.reconciling import reopened
from director.job.seal import Seal
from director.job.trailers import tests_hash
from director.job.views import views_of
from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.reason import Reason
from director.model.testing.support_files import support_problems
from director.planning.context import Planning
from director.planning.current_job import CONTINUE
from director.planning.editing import Draft, draft_of, fingerprints, remove_exported_tests
from director.planning.freezing import (
    Grounds,
    admit_again,
    make_contract,
    refuse_merged,
    refuse_repairs,
)
from director.planning.tests_on_branch import contract_changes
from director.records import files
from director.records.events import Kind
from director.records.state_keeper import StateKeeper
from director.repositories.history import Entry


@dataclass(frozen=True)
class OpenAmendment:
    """One amendment, worked on by one command; ``approved`` is the plan without it."""

    planning: Planning
    amendment: Amendment
    approved: Plan

    @property
    def job(self) -> JobContext:
        """The job."""
        return self.planning.job

    @property
    def command(self) -> str:
        """What the user types to work on it."""
        return f"director amend {self.amendment.node}"

    @property
    def all_of_it(self) -> str:
        """What the user does to change more than the node."""
        return f"`{self.command} --cancel`, then edit the plan and `{CONTINUE}`"


def approve(amending: OpenAmendment, plan: Plan) -> Plan:
    """Freeze the node as it is on disk, and give it fresh chances; returns the plan then."""
    job = amending.job
    refuse_repairs(plan.nodes, Seal("", "", encode(amending.approved)))
    draft = _draft(amending, plan)
    after = draft.plan.node(amending.amendment.node)
    refuse_out_of_reach(job, [after])
    if problems := support_problems(draft.plan.nodes):
        correct = f"correct {job.directory.plan}, then `{amending.command} --continue`"
        raise RequestError("; ".join(problems), correct, Reason.PLAN_INVALID)
    refuse_merged(draft.plan, job.repository.receipts.values())
    changes = contract_changes(job, draft.plan, draft.entries)
    changed = [*changes.dropped.values(), *changes.edited.values()]
    grounds = Grounds(job.repository.tip(), changed, f"{amending.command} --continue")
    admit_again(job, draft, [after], grounds)
    write_amendment(job.directory, amending.amendment.asking(""))  # there from now on
    _settle(amending, draft)
    _free(amending, draft.plan)
    _tell(amending, after)
    _end(amending)
    return draft.plan


def _tell(amending: OpenAmendment, after: Node) -> None:
    before = amending.amendment.before
    amending.job.events.emit(
        Kind.AMENDED,
        after.id,
        before=dict(before.test_hashes),
        after=dict(after.test_hashes),
        tests_hash_before=tests_hash(before),
        tests_hash_after=tests_hash(after),
        changed=_changed_fields(before, after),
    )


def _draft(amending: OpenAmendment, plan: Plan) -> Draft:
    """Return the node as it is on disk; RequestError unless it changed, and nothing else."""
    node_id, before = amending.amendment.node, amending.amendment.before
    marked = plan.with_node(plan.node(node_id)._replace(amended=True))
    draft = draft_of(amending.job, marked, edited_only=True)
    for node in draft.plan.nodes:
        if node.id != node_id and node.test_hashes != amending.approved.node(node.id).test_hashes:
            raise _touches(amending, node)
    if not _changed_fields(before, draft.plan.node(node_id)):
        directory, command = amending.job.directory, amending.command
        raise RequestError(
            f"node {node_id} was not changed",
            f"edit it in {directory.plan}, or its tests in {directory.tests}, then "
            f"`{command} --continue`; or give it up: `{command} --cancel`",
        )
    return draft


def _touches(amending: OpenAmendment, other: Node) -> RequestError:
    shared = sorted({*other.tests} & {*amending.amendment.before.tests})
    on_top = f"; {', '.join(shared)} holds tests of both" if shared else ""
    return RequestError(
        f"tests of node {other.id} were changed, too{on_top}",
        f"restore them in {amending.job.directory.tests}; or {amending.all_of_it}",
        Reason.TESTS_REFUSED,
    )


def cancel(amending: OpenAmendment) -> None:
    """Make everything as it was approved."""
    plan = amending.approved
    _settle(amending, Draft(plan, _entries(amending, plan), {}))
    message = "its amendment was cancelled"
    amending.job.events.emit(Kind.NOTICE, amending.amendment.node, message=message)
    _end(amending)


def _entries(amending: OpenAmendment, plan: Plan) -> dict[str, Entry]:
    """Return the tests of a plan that was approved, as they were on the branch then."""
    repository = amending.job.repository
    tip, views = repository.tip(), views_of(repository, plan)
    there = repository.entries(plan.base_commit, plan.owners) | repository.entries(tip, plan.owners)
    return {
        path: views.content_at(tip, plan.node(owners[-1]), path) or there[path]
        for path, owners in plan.owners.items()
    }


def _settle(amending: OpenAmendment, draft: Draft) -> None:
    make_contract(amending.job, draft)
    amending.planning.save(admitted=fingerprints(draft.plan))


def _free(amending: OpenAmendment, plan: Plan) -> None:
    """Give the node fresh chances, and what waits for it."""
    directory = amending.job.directory
    state = reopened(directory.load_state(plan), plan, amending.amendment.node)
    with closing(StateKeeper(directory, state)) as keeper:
        keeper.replace(state)


def _end(amending: OpenAmendment) -> None:
    """Close the amendment; its record goes last."""
    remove_exported_tests(amending.job)
    files.remove(amending.job.directory.amending)


def _changed_fields(before: Node, after: Node) -> list[str]:
    """Name the fields that an amendment changed."""
    was, now_is = before._asdict(), after._asdict()
    return [name for name in was if name != "amended" and was[name] != now_is[name]]
