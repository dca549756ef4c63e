"""Where a job stands, as ``status --json`` says it."""

from __future__ import annotations

from typing import Any

from director.model.codec.encoding import encode
from director.model.rates import rates
from director.model.state import NodeStatus
from director.records.ledger import grouped
from director.reporting.status.stats import observed
from director.reporting.status.status import End, NodeNow, Process, Status


def status_json(status: Status) -> dict[str, Any]:
    """Return the keys of a status, JSON values only."""
    kept = status.kept
    return {
        "job_id": status.job_id,
        "task": status.task,
        "stage": status.stage,
        "standing": status.standing.name.lower(),
        "job_branch": status.job_branch,
        "questions": [encode(one) for one in status.questions],
        "nodes": {node.id: _node(node) for node in status.nodes},
        **rates([node.state for node in status.nodes]),
        "blocked": len(status.of(NodeStatus.BLOCKED)),
        "watch_it_fail_observed": observed(status),
        "under_way": status.process is not None,
        "process": _process(status.process),
        "last_end": _end(status.end) if status.end else None,
        "killed": status.killed,
        "amending": status.amending or None,
        "taken": dict(status.taken),
        "landed": _encoded(status.landed),
        "landing_undone": status.undone or None,
        "newer_commits": status.newer,
        "worktrees": (
            {"folder": str(kept.folder), "bytes": kept.bytes, "since": kept.since} if kept else None
        ),
        "integration_ok": status.integration_ok,
        "integration_words": status.integration_words,
        "red_gates": [
            gate._asdict() | {"failure": _encoded(gate.failure)} for gate in status.red_gates
        ],
        "cost_total": status.cost.total,
        **status.cost.to_json(),
        "by_role": grouped(status.calls, "role"),
        "by_model": grouped(status.calls, "model"),
        "damaged_lines": dict(status.damaged_lines),
    }


def _node(node: NodeNow) -> dict[str, Any]:
    state = encode(node.state)
    live = {"live": encode(node.live)} if node.live else {}
    failed = node.state.status is NodeStatus.FAILED
    failure = _encoded(node.failure) if failed else None
    return {"title": node.planned.title, **state, "failure": failure, **node.cost.to_json(), **live}


def _encoded(value: Any) -> Any:
    return encode(value) if value else None


def _process(process: Process | None) -> dict[str, Any] | None:
    if process is None:
        return None
    return {
        "pid": process.pid,
        "command": process.command,
        "since": process.since or None,
        "lanes": process.lanes,
    }


def _end(end: End) -> dict[str, Any]:
    return {
        "reason": end.reason or None,
        "what": end.what,
        "next": end.next_step,
        "exit_code": end.exit_code,
        "at": end.at or None,
    }
