"""What may run: a plan as it was approved, and those of its nodes that the user asks for."""

from __future__ import annotations

from collections.abc import Collection

from director.job.amendment import refuse_amending
from director.job.seal import Seal, check_seal, differences, read_seal
from director.job.stage import Stage, read_stage, stands_at
from director.model.errors import RequestError
from director.model.naming import node_called
from director.model.plan import Plan
from director.model.plan_reader import read_plan
from director.model.repairing import repairs_in
from director.model.state import NodeStatus, RunState
from director.records.job_directory import JobDirectory

CONTINUE = "continue with `director plan --continue`"


def ready_plan(directory: JobDirectory) -> tuple[Plan, Seal]:
    """Return the plan and its seal; RequestError when it is not as it was approved.

    Later changes of the files make no difference to the run.
    """
    stage = read_stage(directory)
    if stage is not None and stage.stage is not Stage.READY:
        raise RequestError(f"the plan is not ready: {stands_at(stage)}", CONTINUE)
    refuse_amending(directory)
    plan = _with_sealed_repairs(directory, directory.load_plan())
    if unfrozen := [node.id for node in plan.nodes if not node.admitted]:
        what = f"the tests of these nodes are not frozen: {', '.join(unfrozen)}"
        raise RequestError(what, CONTINUE)
    return plan, check_seal(directory, plan)


def _with_sealed_repairs(directory: JobDirectory, plan: Plan) -> Plan:
    """Return the plan with the repair nodes that a run sealed, and was killed before it wrote."""
    seal = read_seal(directory)
    if seal is None:
        return plan
    sealed = read_plan({**seal.plan, "repo": plan.repo})
    lost = {f"node {node.id} is gone" for node in repairs_in(sealed)}
    changed = set(differences(seal, plan))
    if not changed or changed - lost:
        return plan
    directory.save_plan(sealed)
    return sealed


def wanted_nodes(plan: Plan, state: RunState, asked: Collection[str]) -> set[str]:
    """Return the nodes to work on, of those ``asked`` for (none: all that are open).

    RequestError for a node that is not found, waits for another, or has had its attempts.
    """
    open_ids = state.ids(NodeStatus.PENDING)
    if not asked:
        return open_ids
    wanted = {node_called(word, state.nodes) for word in asked}
    ready = wanted | state.ids(NodeStatus.DONE)
    for node_id in sorted(wanted):
        if waits_for := sorted(set(plan.node(node_id).depends_on) - ready):
            raise RequestError(
                f"node {node_id} waits for {', '.join(waits_for)}",
                "name these with --node too, or run them first",
            )
    if taken := sorted(wanted & state.ids(NodeStatus.TAKEN)):
        raise RequestError(
            f"these nodes are taken by a person: {', '.join(taken)}",
            "`director give NODE` merges what is there, `director take --drop NODE` gives it up",
        )
    if closed := sorted(wanted & state.ids(NodeStatus.FAILED, NodeStatus.BLOCKED)):
        raise RequestError(
            f"these nodes have had their attempts: {', '.join(closed)}", "add --retry-failed"
        )
    return wanted & open_ids
