"""Statuses to show: jobs as they may stand, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from director.job.stage import Stage
from director.model.cost import Cost
from director.model.failure import Failure
from director.model.roles import Role
from director.model.state import Attempt, AttemptOutcome, NodeState, NodeStatus
from director.reporting.status.status import End, NodeNow, PlannedNode, Process, Status

NOW = 1_800_000_000.0
HEADLINE = "ImportError: cannot import name 'f' from 'mod_001'"
ADDRESS = Path("/repo/.director")


def failure(headline: str = HEADLINE, **changes: Any) -> Failure:
    """Return the failure of the example."""
    known = {
        "kind": "red",
        "command": "python3 -m unittest tests.test_mod_001",
        "exit_code": 1,
        "excerpt": f"tests/test_mod_001.py:2\n{headline}",
        "log": "logs/node-001.3.gate.log",
        "candidate": "attempts/node-001/3",
    }
    return Failure(**{**known, "headline": headline, **changes})


def attempts(*failures: Failure | None) -> tuple[Attempt, ...]:
    """Return red attempts, the last one by the escalation tier."""
    last = len(failures)
    return tuple(
        Attempt(
            Role.ESCALATION if number == last else Role.EXECUTOR,
            AttemptOutcome.RED,
            number,
            failure=one,
        )
        for number, one in enumerate(failures, 1)
    )


def node(name: str, status: NodeStatus = NodeStatus.DONE, **changes: Any) -> NodeNow:
    """Return a node; ``changes`` are of its state, its plan and its call."""
    depends_on = tuple(changes.pop("depends_on", ()))
    live, title = changes.pop("live", None), changes.pop("title", f"module {name[-1]}")
    calls = changes.pop("calls", 1)
    cost = changes.pop("cost", Cost(0.0012 if status is NodeStatus.DONE else 0.0))
    done = {"attempts": 1, "tier_used": Role.EXECUTOR, "wall_secs": 1.5}
    known = done if status is NodeStatus.DONE else {}
    state = NodeState(status=status, **{**known, **changes})
    planned = PlannedNode(name, title, f"sh tests/{name}.sh", depends_on)
    return NodeNow(planned, state, cost, calls if status is NodeStatus.DONE else 0, live)


def failed(name: str = "node-001", *headlines: str, **changes: Any) -> NodeNow:
    """Return a failed node with an attempt for each of ``headlines``."""
    tries = attempts(*(failure(one) for one in headlines or (HEADLINE,) * 3))
    known = {"past_attempts": tries, "attempts": len(tries), "failure": tries[-1].failure}
    return node(name, NodeStatus.FAILED, **{**known, **changes})


def status(*nodes: NodeNow, **changes: Any) -> Status:
    """Return the status of a job with ``nodes``, of which one run has ended."""
    known = {
        "directory": ADDRESS,
        "stage": Stage.READY,
        "job_id": "20270115-080000-abcd",
        "task": "Add a table of contents",
        "job_branch": "director/job-20270115-080000-abcd",
        "base_commit": "b" * 40,
        "nodes": nodes,
        "cost": Cost(0.09, 5),
        "runs": 1,
        "run_secs": 1.5,
        "end": End(at="2027-01-15T08:00:00.000Z"),
        "now": NOW,
    }
    return Status(**{**known, **changes})


def stopped(reason: str = "rate_limit", code: int = 3, **changes: Any) -> End:
    """Return an end for an outside reason."""
    known = {
        "what": "the provider refuses more calls: 429 Too Many Requests",
        "next_step": "wait a while, then run the command again",
    }
    return End(reason, **{**known, **changes}, exit_code=code, at="2027-01-15T08:00:00.000Z")


def example() -> Status:
    """Return the job of the manual: two of three nodes done, and one that cannot be."""
    return status(
        node("node-000"),
        failed("node-001", title="module 1"),
        node("node-002"),
        log_lines={"logs/node-001.3.gate.log": 22},
    )


def working(*nodes: NodeNow, **changes: Any) -> Status:
    """Return a job that a process works on."""
    process = Process(4711, "director run", "2027-01-15T08:00:00.000Z", 2)
    return status(*nodes, process=process, end=None, **changes)
