"""``status``: what the records of a job say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from director.job.stage import PlanStage, Stage, read_stage
from director.model.codec.encoding import encode
from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.format import duration, money, size, table
from director.model.integration_gates import as_before, not_counting
from director.model.rates import rates
from director.model.state import NodeStatus, WatchVerdict
from director.records import files
from director.records.job_directory import JobDirectory
from director.records.ledger import cost_of_calls, grouped, read_calls
from director.records.lock import is_held
from director.records.worktrees_record import kept_worktrees

COMPLETION_TARGET_PCT = 70.0


def read_status(directory: JobDirectory) -> dict[str, Any]:
    """Return the status of a job as ``--json`` prints it; RequestError when there is none."""
    stage = read_stage(directory)
    if stage is None and not directory.plan.exists():
        raise RequestError(
            f"there is no job in {directory.path}", 'begin one with `director plan "<task>"`'
        )
    planned = directory.plan.exists()
    plan = directory.load_plan() if planned else None
    state = directory.load_state(plan) if plan else None
    calls = read_calls(directory.costs)
    nodes = list(state.nodes.values()) if state else []
    last_run = directory.last_run()
    watched = sum(node.watch_it_fail is WatchVerdict.OBSERVED for node in nodes)
    return {
        "job_id": plan.job_id if plan else stage.job_id if stage else None,
        "task": plan.task if plan else stage.task if stage else None,
        "stage": stage.stage if stage else Stage.READY,
        "job_branch": plan.job_branch if plan else stage.job_branch if stage else None,
        "nodes": {
            node.id: {"title": node.title, **encode(state.nodes[node.id])}
            for node in (plan.nodes if plan else ())
            if state
        },
        **rates(nodes),
        "blocked": sum(node.status is NodeStatus.BLOCKED for node in nodes),
        "watch_it_fail_observed": watched,
        "under_way": is_held(directory.lock),
        "worktrees": _kept(directory),
        "integration_ok": last_run.get("integration_ok"),
        "integration_words": _integration_words(last_run, stage),
        **cost_of_calls(calls).totals(),
        "by_role": grouped(calls, "role"),
        "by_model": grouped(calls, "model"),
        "damaged_lines": {
            path.name: count
            for path in (directory.costs, directory.metrics, directory.events)
            if (count := files.count_damaged_lines(path))
        },
    }


def render_status(status: Mapping[str, Any]) -> str:
    """Return the status as people read it."""
    parts = [f"job {status['job_id']} ({status['stage']}): {_one_line(status['task'])}"]
    if status["nodes"]:
        parts += [_node_table(status["nodes"]), _rates(status)]
    if status["by_role"]:
        parts += [_cost_table("role", status["by_role"]), _cost_table("model", status["by_model"])]
    cost = Cost(status["cost_known"], status["unpriced_calls"])
    parts.append(f"cost in all: {cost.in_words()}")
    if not status["under_way"] and any(
        node["status"] == NodeStatus.RUNNING for node in status["nodes"].values()
    ):
        parts.append("the run was killed: `director run` goes on where it was")
    if kept := status["worktrees"]:
        parts.append(
            f"prepared worktrees are kept for the next command: {size(kept['bytes'])} in "
            f"{kept['folder']} (`director clean` removes them)"
        )
    for name, count in status["damaged_lines"].items():
        parts.append(f"note: {count} damaged line(s) in {name} were skipped")
    return "\n\n".join(parts)


def _kept(directory: JobDirectory) -> dict[str, Any] | None:
    kept = kept_worktrees(directory.pool)
    if kept is None:
        return None
    return {"folder": str(kept.folder), "bytes": kept.bytes, "since": kept.since}


def _node_table(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            node_id,
            str(node["status"]),
            str(node["tier_used"] or "–"),
            str(node["attempts"]),
            money(node["cost_usd"]),
            duration(node["wall_secs"]),
            _one_line(node["error"] or ""),
        )
        for node_id, node in nodes.items()
    ]
    return table(("node", "state", "tier", "attempts", "cost", "time", ""), rows)


def _rates(status: Mapping[str, Any]) -> str:
    total = status["n_nodes"]
    return "\n".join(
        (
            f"done                      {status['done']} of {total}"
            f" ({status['failed']} failed, {status['blocked']} blocked)",
            f"executor-tier completion  {status['executor_tier_pct']:.1f} %"
            f" (hypothesis target > {COMPLETION_TARGET_PCT:.0f} %)",
            f"escalation rate           {100 * status['escalation_rate']:.1f} %",
            f"stage-two review rate     {100 * status['stage_two_trigger_rate']:.1f} %",
            f"watched it fail first     {status['watch_it_fail_observed']} of {total}",
            f"integration gate          {status['integration_words']}",
        )
    )


def _integration_words(run: Mapping[str, Any], stage: PlanStage | None) -> str:
    """Return how the integration gate of the last run went; before it, what is known of the base.

    The records of an earlier version have no words.
    """
    ok = run.get("integration_ok")
    if ok is not None:
        return str(run.get("integration_words") or ("green" if ok else "not green"))
    dead = not_counting((stage.base_gates if stage else None) or {})
    return f"not run; {as_before(dead)}" if dead else "not run"


def _cost_table(key: str, groups: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name,
            str(group["calls"]),
            str(group["input"] + group["cache_read"] + group["cache_write"]),
            str(group["output"] + group["reasoning"]),
            _group_cost(group),
        )
        for name, group in groups.items()
    ]
    return table((f"by {key}", "calls", "tokens in", "tokens out", "cost"), rows)


def _group_cost(group: Mapping[str, Any]) -> str:
    return Cost(group["cost_known"], group["unpriced_calls"]).in_words()


def _one_line(text: str, limit: int = 100) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"
