"""Logs for programs: what ``logs --json`` prints of a node, of planning, of the gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from director.model.codec.encoding import encode
from director.model.cost import DIGITS
from director.model.secrets import Redactor
from director.model.values import asdict
from director.records.job_directory import JobDirectory
from director.records.logs import prompt_of, recorded
from director.reporting.logs.job_logs import log_path
from director.reporting.logs.node_log import AttemptLog, CallLog, GateLog, NodeLog
from director.reporting.logs.printer import steps_of


def log_json(
    log: NodeLog, attempts: Sequence[AttemptLog], directory: JobDirectory, redactor: Redactor
) -> dict[str, Any]:
    """Return the keys of a log's own: its attempts with their calls, steps, gates and reviews.

    ``before`` are the gates that ran before the first attempt; planning and the integration gates
    are one attempt, of number 0.
    """
    of_node = type(log) is NodeLog
    shown = [one for one in attempts if one.number or not of_node]
    before = [gate for one in attempts if one not in shown for gate in one.gates]
    return {
        "node": log.node,
        "status": log.status,
        "error": log.error,
        "before": [_gate(one, directory) for one in before],
        "attempts": [_attempt(one, directory, redactor) for one in shown],
    }


def _attempt(attempt: AttemptLog, directory: JobDirectory, redactor: Redactor) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "tier": attempt.tier,
        "model": attempt.model,
        "began": attempt.began,
        "outcome": attempt.outcome,
        "lesson": attempt.lesson,
        "failure": encode(attempt.failure) if attempt.failure else None,
        "calls": [_call(one, directory, redactor) for one in attempt.calls],
        "gates": [_gate(one, directory) for one in attempt.gates],
        "reviews": [asdict(one) for one in attempt.reviews],
    }


def _call(call: CallLog, directory: JobDirectory, redactor: Redactor) -> dict[str, Any]:
    path = log_path(directory, call.log) if call.log else None
    steps = steps_of(path, call.model, redactor) if path else []
    return {
        **asdict(call),
        "cost": None if call.cost is None else round(call.cost, DIGITS),
        "log": recorded(path) if path else "",
        "prompt": recorded(prompt_of(path)) if path else "",
        "steps": [one.to_json() for one in steps],
    }


def _gate(gate: GateLog, directory: JobDirectory) -> dict[str, Any]:
    return {
        "purpose": gate.purpose,
        "command": gate.command,
        "verdict": gate.verdict,
        "reason": gate.reason,
        "log": recorded(log_path(directory, gate.log)) if gate.log else "",
        "failure": encode(gate.failure) if gate.failure else None,
    }
