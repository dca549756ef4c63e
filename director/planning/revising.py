"""What a person changes at an approval: a revision in their own words, nodes that are dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path

from director.job.stage import PlanStage, Stage
from director.model.dag import dependents
from director.model.errors import RequestError
from director.model.naming import known_node
from director.model.plan import Plan, topological_order
from director.model.state import NodeStatus
from director.planning.authoring import drop_notes
from director.planning.context import Planning
from director.planning.current_job import CONTINUE, RUN
from director.planning.deciding import ASKING_CALLS
from director.planning.editing import lay_out_missing, withdraw_tests
from director.planning.shared_tests import restore_shared_tests
from director.planning.tests_on_branch import remove_from_branch
from director.records import files
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.taken_nodes import refuse_taken

BEFORE = {Stage.SPEC_APPROVAL: Stage.SPEC, Stage.PLAN_APPROVAL: Stage.DECOMPOSE}
"""The stage whose work is done again when what lies at an approval is revised."""


def refuse_change(stage: PlanStage, flag: str, *, drafted: bool) -> None:
    """Raise RequestError where nothing lies at an approval that ``flag`` could change.

    ``drafted``: there is a plan, though tests of it may be missing; nodes can be dropped then.
    """
    if stage.questions:
        raise RequestError(
            f"{flag}: the planner waits for answers first",
            f'answer with `--answer "1: …"` or in questions.md, then `{CONTINUE}`',
        )
    if stage.stage is Stage.READY and flag == "--revise":
        raise RequestError(
            "--revise: the plan is approved already",
            f"continue with `{RUN}`; `director amend NODE --revise` changes one node; or edit "
            f"plan.json, and `{CONTINUE}` admits it as it is then",
        )
    waits = stage.stage in (Stage.PLAN_APPROVAL, Stage.READY) or (
        stage.stage is Stage.SPEC_APPROVAL
        if flag == "--revise"
        else stage.stage is Stage.DECOMPOSE and drafted and not stage.wishes
    )
    if not waits:
        missing = "there is no plan yet" if flag == "--drop" else "nothing waits for approval"
        raise RequestError(f"{flag}: {missing}", f"continue with `{CONTINUE}`")


def begin_revision(planning: Planning, wishes: str) -> None:
    """Go back to the work whose result lies at the approval, to do it again as wished.

    What lay there is kept as the earlier version.
    """
    directory, stage = planning.job.directory, planning.stage.stage
    if stage is Stage.PLAN_APPROVAL:
        planning.plan()  # a slip in it is named before anything is asked
        kept = directory.plan
    else:
        planning.spec()
        kept = directory.spec
    files.write_text(directory.earlier / kept.name, files.read_text(kept) or "")
    planning.forget(*ASKING_CALLS)
    planning.save(stage=BEFORE[stage], wishes=wishes)
    planning.job.events.emit(Kind.REVISED, stage=stage, wishes=wishes)
    planning.enter()


def refuse_drop(directory: JobDirectory, words: Collection[str]) -> None:
    """Raise RequestError, as ``drop_nodes`` does, for what the records say already."""
    plan = directory.load_plan()
    done = directory.load_state(plan).ids(NodeStatus.DONE)
    _refuse_drop(directory, plan, {known_node(plan, word).id for word in words}, done)


def drop_nodes(planning: Planning, words: Collection[str]) -> None:
    """Take the nodes that ``words`` name out of the plan, and their tests off the branch.

    RequestError, before any of them goes, when there is no such node, one is merged or taken by a
    person, others depend on it that stay, or no node would be left.
    """
    job, plan = planning.job, planning.plan()
    gone = {known_node(plan, word).id for word in words}
    merged = {one.node for one in job.repository.receipts.values()}
    _refuse_drop(job.directory, plan, gone, merged)
    files.write_text(job.directory.earlier / job.directory.plan.name, _text(job.directory.plan))
    # What depends on others goes before them: after a kill the plan is valid at any point.
    for node_id in reversed(topological_order(plan.nodes)):
        if node_id in gone:
            _drop(planning, node_id)


def _drop(planning: Planning, node_id: str) -> None:
    job, plan = planning.job, planning.plan()
    after = planning.plan_of(one for one in plan.nodes if one.id != node_id)
    # First: what is left of its tests after a kill goes when the plan is frozen.
    planning.save_nodes(after.nodes)
    drop_notes(job, plan.node(node_id))
    job.events.emit(Kind.REVISED, stage=planning.stage.stage, dropped=node_id)
    if planning.stage.stage is Stage.READY:
        return  # frozen again at once
    tests = plan.node(node_id).tests
    gone = [path for path in tests if path not in after.owners]
    remove_from_branch(job, node_id, gone, planning.stage.base_commit)
    restore_shared_tests(job, plan, after)
    withdraw_tests(job.directory, tests)
    if planning.stage.stage is Stage.DECOMPOSE:
        return  # tests of others are still to be written
    lay_out_missing(job, after.owners.keys())
    job.publisher.now()


def _refuse_drop(
    directory: JobDirectory, plan: Plan, gone: Collection[str], merged: Collection[str]
) -> None:
    for node_id in sorted(gone):
        refuse_taken(directory, node_id)
        _refuse_one(plan, node_id, gone, merged)
    if len(plan.nodes) == len(gone):
        only = f"{min(gone)} is the only node" if len(gone) == 1 else "no node would be left"
        raise RequestError(f"--drop: {only}", 'plan something else: `director plan --new "…"`')


def _refuse_one(plan: Plan, node_id: str, gone: Collection[str], merged: Collection[str]) -> None:
    if node_id in merged:
        raise RequestError(
            f"--drop: {node_id} is merged already", "revert its commit, or plan that as a new task"
        )
    if waiting := [one for one in dependents(plan.nodes).get(node_id, ()) if one not in gone]:
        named = ", ".join(waiting)
        raise RequestError(
            f"--drop: others depend on {node_id}: {named}",
            f"drop them too, with another `--drop` for each, or have it replanned: "
            f'`director plan --revise "without {node_id}: …"`',
        )


def digest(directory: JobDirectory, stage: PlanStage) -> str:
    """Return what tells whether that which lies at an approval is still what was shown (hex)."""
    seen = hashlib.sha256(f"{stage.job_id} {stage.stage}".encode())
    for path in _lying_at(directory, stage.stage):
        content = path.read_bytes() if path.is_file() else b""
        seen.update(f"\0{path}\0{len(content)}\0".encode(errors="surrogateescape") + content)
    return seen.hexdigest()


def _lying_at(directory: JobDirectory, stage: Stage) -> Iterator[Path]:
    if stage is Stage.SPEC_APPROVAL:
        yield directory.spec
    if stage is Stage.PLAN_APPROVAL:
        yield directory.plan
        yield from sorted(path for path in directory.tests.rglob("*") if path.is_file())


def _text(path: Path) -> str:
    return files.read_text(path) or ""
