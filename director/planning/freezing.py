"""Freezing: plan and tests as they are on disk become what may run."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from typing import NamedTuple

from director.job.context import JobContext
from director.job.forbidden import refuse_out_of_reach
from director.job.receipts import gated_command
from director.job.seal import Seal, differences, read_seal, seal_plan
from director.job.trailers import single_line
from director.job.views import views_of
from director.model.codec.encoding import encode_any
from director.model.errors import RequestError
from director.model.plan import Node, Plan
from director.model.reason import Reason
from director.model.receipt import Receipt
from director.model.testing.support_files import support_problems
from director.planning.admission import Candidate, Examiner
from director.planning.context import Done, Planning
from director.planning.current_job import CONTINUE
from director.planning.editing import Draft, draft_of, fingerprints, remove_exported_tests
from director.planning.tests_on_branch import put_contract_on_branch
from director.repositories.history import Entry


def freeze(planning: Planning, *, edited_only: bool = False) -> Done:
    """The approval that needs ``plan.json`` and ``tests/``, and makes the contract and its seal.

    Plan and tests are frozen as they are on disk now, edits included.
    ``edited_only``: the plan was ready already, and only the tests that were edited are there.
    RequestError where they cannot be frozen.
    """
    job = planning.job
    seal = read_seal(job.directory)
    nodes = _marked(planning.plan().nodes, seal)
    written = planning.plan_of(nodes)
    refuse_repairs(written.nodes, seal)
    draft = draft_of(job, written, edited_only=edited_only)
    plan = draft.plan
    refuse_out_of_reach(job, plan.nodes)
    if problems := support_problems(plan.nodes):
        correct = f"correct {job.directory.plan}, then `{CONTINUE}`"
        raise RequestError("; ".join(problems), correct, Reason.PLAN_INVALID)
    refuse_merged(plan, job.repository.receipts.values())
    _admit_edited(planning, draft)
    if seal and (new := list(differences(seal, plan))):
        job.events.notice(f"admitted as it is now: {'; '.join(new)}")
    make_contract(job, draft)
    return Done({"admitted": fingerprints(plan)}, partial(remove_exported_tests, job))


def _marked(nodes: Iterable[Node], seal: Seal | None) -> Iterator[Node]:
    """Give the nodes, those marked as amended that were so when they were sealed."""
    if seal is None:
        yield from nodes
        return
    amended = {str(node.get("id")) for node in seal.plan["nodes"] if node.get("amended")}
    yield from (node._replace(amended=node.id in amended) for node in nodes)


def refuse_repairs(nodes: Iterable[Node], seal: Seal | None) -> None:
    """Raise RequestError where a node says that it is another repair than was sealed: only a run
    makes them.
    """
    sealed = seal.plan["nodes"] if seal else ()
    known = {str(node.get("id")): node.get("repairs") for node in sealed}
    for node in nodes:
        if encode_any(node.repairs) != known.get(node.id):
            raise RequestError(
                f'node {node.id}: "repairs" was changed, which only director may do',
                f"restore it, or take the node out of plan.json; then `{CONTINUE}`",
                Reason.PLAN_INVALID,
            )


def make_contract(job: JobContext, draft: Draft) -> None:
    """Put the tests of a draft on the branch, and make its plan the one that may run.

    What merges are held to stays as it was first approved: some may be made already.
    """
    before = read_seal(job.directory)
    merge_gate = before.merge_gate if before else job.config.merge.gate
    put_contract_on_branch(job, draft.plan, draft.entries)
    job.directory.save_plan(draft.plan)
    seal_plan(job.directory, draft.plan, job.repository.tip(), merge_gate)
    job.publisher.now()


def refuse_merged(plan: Plan, receipts: Iterable[Receipt]) -> None:
    """Raise RequestError where ``plan`` is at odds with the receipts of what merged."""
    for receipt in receipts:
        if changed := _changed_since(plan, receipt):
            raise RequestError(
                f"node {receipt.node} is merged: {changed} cannot change any more",
                "restore that in plan.json, then `director plan --continue`; "
                "plan the change as a new task",
                Reason.PLAN_INVALID,
            )


def _changed_since(plan: Plan, receipt: Receipt) -> str:
    if receipt.node not in plan:
        return "it"
    node = plan.node(receipt.node)
    if gated_command(receipt) != single_line(node.test_cmd):
        return "its test_cmd"
    if dict(receipt.tests) != dict(node.test_hashes):
        return "its tests"
    return "" if set(receipt.files) <= set(node.files) else "its files"


def _admit_edited(planning: Planning, draft: Draft) -> None:
    """Check that the tests of each node that was edited since it was admitted are red.

    They run on the base: what merged plays no part. RequestError names a node whose are not red.
    """
    seen_red, now = planning.stage.admitted, fingerprints(draft.plan)
    edited = [node for node in draft.plan.nodes if now[node.id] != seen_red.get(node.id)]
    if edited:
        changes = draft.entries.values()
        admit_again(planning.job, draft, edited, Grounds(draft.plan.base_commit, changes, CONTINUE))


class Grounds(NamedTuple):
    """What edited tests are seen on: the commit ``base`` with ``changes``.

    ``command`` is what has them looked at again when they were refused.
    """

    base: str
    changes: Collection[Entry]
    command: str


def admit_again(job: JobContext, draft: Draft, edited: Iterable[Node], grounds: Grounds) -> None:
    """Raise RequestError unless the tests of the ``edited`` nodes are red, each in its view."""
    tree = job.repository.tree_with(grounds.base, grounds.changes)
    commit = job.repository.commit(tree, grounds.base, "Edited tests\n")
    views = views_of(job.repository, draft.plan, draft.contents)
    job.pool.set_up_on(views.of_tip)
    by_edit = f"edit them in {job.directory.tests}, or the node in plan.json"
    with job.pool.lane() as lane:
        examiner = Examiner(job, views, lane.gate)
        for node in edited:
            if node.repairs:  # it has no tests of its own, and its gate was seen red
                continue
            admission = examiner.admit(node, Candidate(commit))
            if problem := admission.problem:
                raise RequestError(
                    f"the tests of node {node.id} cannot be admitted: {problem.splitlines()[0]}",
                    f"{admission.next_step or by_edit}; then `{grounds.command}`",
                    Reason.TESTS_REFUSED,
                )
