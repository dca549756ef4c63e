"""What happened, in a person's words: a sentence for each kind of event."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from director.model.cost import Cost
from director.model.format import counted, duration, money
from director.model.landed import Landed
from director.model.printable import one_line
from director.model.roles import Role
from director.model.testing.preflight import Outcome
from director.records.events import Event, Kind

Data = Mapping[str, Any]


def words_of(event: Event) -> str | None:
    """Return what happened as one printable line, or None for what is not worth one."""
    words = _WORDS.get(event.kind)
    text = words(event.data) if words else None
    return None if text is None else one_line(text)


def clock_of(event: Event) -> str:
    """Return the local time of an event."""
    moment = datetime.fromisoformat(event.ts).timestamp()
    return time.strftime("%H:%M:%S", time.localtime(moment))


def _job_started(data: Data) -> str:
    line = f"job {data['job_id']} on {data['base'][:10]}, branch {data['branch']}"
    if data["uncommitted"]:
        left = counted(data["uncommitted"], "uncommitted path")
        line += f" (left alone, outside the job: {left})"
    return line


def _call_ended(data: Data) -> str:
    took = f"{duration(data['wall_secs'])}, {data['tokens']} tokens, {money(data['cost'])}"
    problem = f": {data['reason']}" if data["reason"] else ""
    who = data["role"] if data["role"] == Role.ESCALATION else data["agent"]
    return f"{who} ({data['model']}) {data['outcome']}{problem} [{took}]"


def _gate(data: Data) -> str:
    names = {
        "before": "tests before the work",
        "scope": "tests on the draft, to see which files they change themselves",
        "candidate": "gate on the candidate",
        "again": "tests once more, to see whether they are flaky",
        "control": "gate with unreadable files, to see whether it fails whatever the work is",
        "merged": "gate on the merged tree",
        "contract": "tests of what is done, on the merged tree",
        "contract before": "the same without what is to merge",
        "contract alone": "the same on the candidate alone",
        "contract blame": "the same, searching for the candidate that turned it red",
        "rebuilt": "gate on a merge without a receipt",
        "tests": "new tests on the base",
        "blame": "integration gate, searching for the merge that turned it red",
    }
    return f"{names.get(data['purpose'], data['purpose'])}: {data['verdict']} ({data['reason']})"


def _attempt_failed(data: Data) -> str:
    names = {"unchanged": "changed nothing"}
    outcome = names.get(data["outcome"], data["outcome"].replace("_", " "))
    return f"attempt {data['attempt']} {outcome}: {data['lesson']}"


def _resolution(data: Data) -> str:
    outcome = str(data["outcome"]).replace("_", " ")
    files = counted(len(data["paths"]), "file")
    said = f": {data['lesson']}" if data["lesson"] else ""
    return f"attempt {data['attempt']} to resolve conflicts in {files}: {outcome}{said}"


def _node_ended(data: Data) -> str:
    tier = f"{data['tier']} tier" if data["tier"] else "no call needed"
    detail = f"{tier}, {counted(data['attempts'], 'attempt')}, {_cost(data)}"
    error = f": {data['error']}" if data["error"] else ""
    return f"{str(data['status']).upper()}{error} [{detail}, {duration(data['wall_secs'])}]"


def _run_started(data: Data) -> str:
    nodes, lanes = counted(data["nodes"], "node"), counted(data["parallel"], "lane")
    held = data["confinement"]
    confined = "agents and gates are not confined" if held == "none" else f"confined: {held}"
    return f"run: {nodes}, {data['done']} done, {lanes}; {confined}"


def _run_ended(data: Data) -> str:
    took = f"{_cost(data)}, {duration(data['wall_secs'])}"
    return f"run ended: {data['done']} done, {data['failed']} failed [{took}]"


def _cost(data: Data) -> str:
    return Cost(data["cost_known"], data["unpriced_calls"]).in_words()


def _review(data: Data) -> str:
    said = "asks for changes" if data["blocked"] else "has no objection"
    which = "compliance review" if data["stage"] == 1 else "review"
    return f"{which} {said}: {data['summary']}"


def _job_archived(data: Data) -> str:
    moved = f"job {data['job_id']} moved to {data['folder']}"
    back = f"; `director plan --resume {data['job_id']}` comes back to it"
    return moved + back if data["unfinished"] else moved


def _critique(data: Data) -> str:
    said = "; ".join(data["problems"]) if data["problems"] else "approved"
    return f"{data['about'].replace('-', ' ')}: {said}"


def _base_gate(data: Data) -> str:
    if data["verdict"] == "green":
        return f"gate {data['name']} on the base: green"
    said = f"{data['verdict']} on the base already ({data['reason']})"
    return f"gate {data['name']} is {said}: `{data['command']}`"


def _preflight(data: Data) -> str:
    where = "your checkout" if data["where"] == "checkout" else "a fresh worktree"
    tests = f", {counted(data['tests'], 'test')}" if data["tests"] else ""
    said = data["outcome"].replace("_", " ")
    why = f" ({data['reason']})" if data["reason"] else ""
    see = f"; see {data['log']}" if data["outcome"] == Outcome.RED else ""
    return f"preflight in {where}: {said}{tests}{why}: `{data['command']}`{see}"


def _setup(data: Data) -> str:
    took = duration(data["wall_secs"])
    slot = f"slot {data['slot']} of {data['worktrees']}"
    return f"setup of {slot}: {data['verdict']} ({data['reason']}) [{took}]"


_STAGES = {
    "spec": "planning: exploring the repository and writing the spec",
    "gate_spec": "planning: the spec is written",
    "decompose": "planning: from the spec to nodes and their tests",
    "gate_plan": "planning: the nodes and their tests are written",
    "ready": "planning: the plan is ready",
}


def _benched(data: Data) -> str:
    """Return which run of a bench it is; earlier versions had one for each profile."""
    task, repeat = data.get("task"), data.get("repeat", 1)
    parts = (f" on {task}" if task else "", f", repeat {repeat}" if repeat > 1 else "")
    return f"{data['profile']}{''.join(parts)}"


_WORDS: dict[Kind, Callable[[Data], str | None]] = {
    Kind.JOB_STARTED: _job_started,
    Kind.JOB_ARCHIVED: _job_archived,
    Kind.STAGE_ENTERED: lambda d: _STAGES.get(str(d["stage"])),
    Kind.CRITIQUE: _critique,
    Kind.BASE_GATE: _base_gate,
    Kind.PREFLIGHT: _preflight,
    Kind.PLAN_REJECTED: lambda d: f"plan sent back: {'; '.join(d['problems'])}",
    Kind.TESTS_REJECTED: lambda d: f"tests sent back: {d['problem'].splitlines()[0]}",
    Kind.TESTS_ADMITTED: lambda d: f"tests admitted, red: {', '.join(d['tests'])}",
    Kind.SETUP: _setup,
    Kind.CALL_ENDED: _call_ended,
    Kind.PROVIDER_FAULT: lambda d: f"{d['reason'].rstrip('.')}; retrying in {d['pause_secs']} s",
    Kind.RUN_STARTED: _run_started,
    Kind.NODE_STARTED: lambda d: d["title"],
    Kind.ATTEMPT_STARTED: lambda d: f"attempt {d['attempt']} by {d['tier']} ({d['model']})",
    Kind.ATTEMPT_FAILED: _attempt_failed,
    Kind.ESCALATED: lambda d: f"escalates after {counted(d['attempts'], 'attempt')}",
    Kind.GATE: _gate,
    Kind.REVIEW: _review,
    Kind.MERGED: lambda d: f"merged as {d['commit'][:10]}",
    Kind.NODE_ENDED: _node_ended,
    Kind.INTEGRATION_GATE: lambda d: (
        f"integration gate {d['name']}: {d['verdict']} ({d['reason']})"
    ),
    Kind.LANDING_GATE: lambda d: (
        f"gate {d['name']} on the merged tree: {d['verdict']} ({d['reason']})"
    ),
    Kind.RESOLUTION: _resolution,
    Kind.LANDED: lambda d: Landed(**d).in_words(),
    Kind.BLAME: lambda d: f"integration gate {d['name']}: {d['note']}",
    Kind.REPAIR: lambda d: (
        f"repairs the integration gate {d['gate']}; may change {', '.join(d['files'])}"
    ),
    Kind.RUN_ENDED: _run_ended,
    Kind.BENCH_PROFILE_STARTED: lambda d: f"profile {_benched(d)}",
    Kind.BENCH_PROFILE_ENDED: lambda d: f"profile {_benched(d)}: {d['error'] or 'ended'}",
    Kind.NOTICE: lambda d: str(d["message"]),
}
