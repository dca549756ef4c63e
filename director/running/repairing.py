"""A repair node: what a run adds to the plan when merges that are green alone are red together."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from director.job.gate_report import GateReport
from director.job.reconciling import merges_by_node
from director.job.seal import seal_plan
from director.job.views import views_of
from director.model.plan import Node
from director.model.repairing import RedGate, repair_node, repairs_in
from director.model.state import NodeState
from director.records.events import Kind
from director.running.node_work import NodeWork
from director.running.opened_run import OpenedRun
from director.worktrees.gates import Verdict


def repair_for(opened: OpenedRun, reports: Sequence[GateReport]) -> Node | None:
    """Return the node that is to repair the first gate that a merge turned red; None: there is no
    such gate, or the job has had its ``repair_attempts``.
    """
    if len(repairs_in(opened.plan)) >= opened.job.config.limits.repair_attempts:
        return None
    report = next((one for one in reports if _can_be_repaired(one)), None)
    if report is None or report.turned_red_by is None:
        return None
    gate = RedGate(
        name=report.name,
        command=report.command,
        nodes=report.nodes,
        blames=report.turned_red_by.node,
        output=_output(opened.job.directory.path / report.log),
        excerpt=report.failure.excerpt if report.failure else "",
    )
    return repair_node(opened.plan, gate)


def with_repair(opened: OpenedRun, node: Node) -> OpenedRun:
    """Add a repair node to the approved plan, on disk too; returns what works on that plan.

    The seal goes first: a run that was killed after it finds the node there.
    """
    job, plan = opened.job, opened.plan
    plan = plan._replace(nodes=(*plan.nodes, node))
    assert node.repairs is not None
    seal = seal_plan(job.directory, plan, opened.seal.contract, opened.seal.merge_gate)
    job.directory.save_plan(plan)
    state = NodeState(repairs=node.repairs.gate)
    opened.keeper.replace(opened.keeper.state.with_node(node.id, state))
    views = views_of(job.repository, plan)
    job.pool.set_up_on(views.of_tip)
    job.events.emit(
        Kind.REPAIR,
        node.id,
        title=node.title,
        depends_on=list(node.depends_on),
        gate=node.repairs.gate,
        blames=node.repairs.blames,
        files=list(node.files),
    )
    return opened._replace(views=views, seal=seal)


def blamed_diff(work: NodeWork) -> str:
    """Return the diff of the merge that a repair's gate blames; "" where it is not found."""
    repository, repairs = work.job.repository, work.node.repairs
    log = repository.log(work.views.plan.base_commit, repository.tip())
    merge = merges_by_node(log).get(repairs.blames) if repairs else None
    return repository.diff(merge.parents[0], merge.oid) if merge else ""


def _can_be_repaired(report: GateReport) -> bool:
    """Whether a merge turned the gate red, rather than the base, a flake or what is around it."""
    return report.verdict is Verdict.RED and not report.ok and report.turned_red_by is not None


def _output(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(encoding="utf-8", errors="replace")
    return ""
