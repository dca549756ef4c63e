"""Pages to show: jobs as they may stand, as values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from director.model.cost import Cost
from director.model.plan import Node, Plan
from director.model.state import CallRecord, NodeStatus
from director.model.usage import Tokens
from director.reporting.logs.node_log import NodeLog
from director.reporting.page.page import Change, NodePart, Page, Verified
from director.reporting.status.next_steps import Advice, Step
from director.reporting.status.status import NodeNow, Status
from tests.reporting.status import statuses

EVIL = "</pre></style><script>alert(1)</script><img src=x onerror='alert(2)'>\"&amp;\x1b[31m\u202e"
JOB = "20270115-080000-abcd"


def node(name: str, *depends_on: str, **changes: Any) -> Node:
    """Return a node of a plan."""
    known = {
        "title": f"module {name}",
        "spec": f"{name} is there",
        "files": (f"{name}.py",),
        "test_cmd": f"sh tests/{name}.sh",
        "tests": (f"tests/{name}.sh",),
    }
    return Node(id=name, depends_on=depends_on, **{**known, **changes})


def part(planned: Node, now: NodeNow, **changes: Any) -> NodePart:
    """Return a node with what is known of it."""
    return NodePart(planned, now, NodeLog(planned.id), **changes)


def call(cost: float | None, role: str = "executor", model: str = "p/cheap") -> CallRecord:
    """Return a call on record."""
    tokens = Tokens(1000, 100)
    moment = "2027-01-15T08:00:00.000Z"
    return CallRecord(moment, role, model, tokens, cost, "priced", "a", 1, True)


def page(*parts: NodePart, **changes: Any) -> Page:
    """Return the page of a job with those nodes, of which one run has ended."""
    calls = changes.pop("calls", ())
    of_status = {"calls": calls, "cost": Cost.of(one.cost for one in calls)}
    nodes = tuple(one.node for one in parts)
    status: Status = statuses.status(
        *(one.now for one in parts), **{**of_status, **changes.pop("status", {})}
    )
    known: dict[str, Any] = {
        "advice": Advice("", (Step(("director", "run"), "work on it"),)),
        "verified": Verified(True, "1 merge verified"),
        "plan": plan(nodes) if nodes else None,
    }
    return Page(status, **{**known, **changes}, nodes=tuple(parts))


def plan(nodes: Sequence[Node]) -> Plan:
    """Return a plan of those nodes."""
    branch, base = f"director/job-{JOB}", "b" * 40
    return Plan(JOB, "add it", "/repo", base, "2027-01-15T08:00:00.000Z", branch, tuple(nodes))


def example(evil: str = "") -> Page:
    """Return a job with a node that is done, one that failed, and one that waits for it.

    ``evil`` is in every text that an agent or a tool wrote.
    """
    failure = statuses.failure(f"ImportError: no f {evil}", excerpt=f"line 2\n{evil}")
    tries = statuses.attempts(failure, failure)
    bad = statuses.node("b", NodeStatus.FAILED, past_attempts=tries, attempts=2, failure=failure)
    blocked = statuses.node("c", NodeStatus.BLOCKED, error=f"waits for b {evil}")
    return page(
        part(
            node("a", title=f"make a {evil}", spec=f"a is there {evil}"),
            statuses.node("a"),
            change=Change("merge abc", f"+++ b/a.py\n+x = 1 {evil}\n-y"),
            tests={"tests/a.sh": f"test a {evil}"},
        ),
        part(node("b", "a"), bad, next=[("director amend b", "the test is wrong")]),
        part(node("c", "b"), blocked),
        calls=(call(0.5), call(None), call(0.25, "planner", f"p/strong {evil}")),
        status={"task": f"add it {evil}"},
        spec=f"## Goal\n{evil}",
        ceiling_usd=5.0,
        reproduce=[("director verify --rerun", "again")],
    )
