"""Where a job stands, read from its records: nothing is written, and no log is read whole."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from director.job.stage import PlanStage, Stage, read_stage
from director.model.codec.columns import decode_all
from director.model.codec.mistakes import MismatchError
from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.integration_gates import as_before, not_counting
from director.model.plan import Node, Plan
from director.model.state import CallRecord, NodeStatus, RunState
from director.records import files, json_lines
from director.records.garbage import unsearched
from director.records.job_directory import JobDirectory, runs_of
from director.records.landings import read_landed
from director.records.ledger import calls_in
from director.records.live_file import PLANNING
from director.records.taken_nodes import taken_nodes
from director.records.worktrees_record import kept_worktrees, read_quietly, was_killed
from director.reporting.status.last_end import LastEvents, read_last_events
from director.reporting.status.live_process import read_process
from director.reporting.status.status import End, Gate, NodeNow, PlannedNode, Process, Status

DETAILED = 5  # failed nodes, and red gates, whose logs are named
OVER = frozenset({NodeStatus.DONE, NodeStatus.FAILED})
COUNTED_BYTES = 2**21  # of a log whose lines are counted: more is not worth the wait


class _Planned(NamedTuple):
    """What of ``plan.json`` is shown: reading less of it takes half the time."""

    job_id: str
    task: str
    base_commit: str
    job_branch: str
    nodes: tuple[PlannedNode, ...]


@unsearched()
def read_status(
    directory: JobDirectory,
    *,
    end: End | None = None,
    unpublished: str | None = None,
    now: float | None = None,
    whole: bool = True,
) -> Status:
    """Return where the job in ``directory`` stands; ``now`` in seconds since 1970.

    Not ``whole``: without the attempts at nodes that are done, which no screen shows.
    For the command that has just ended, and has not put that on record: its ``end`` for an outside
    reason, why its branch could not be brought into the user's repository (``unpublished``). Raises
    RequestError when there is no job, or a record of it cannot be read.
    """
    stage, plan, process, calls, runs, last, damaged = _read_records(directory)
    about = plan or stage
    if about is None:
        raise RequestError(
            f"there is no job in {directory.path}", 'begin one with `director plan "<task>"`'
        )
    state = directory.load_state(plan, whole=whole) if plan else None
    nodes = tuple(_nodes(plan, state, calls, process)) if plan and state else ()
    return Status(
        directory=directory.path,
        stage=stage.stage if stage else Stage.READY,
        job_id=about.job_id,
        task=about.task,
        job_branch=about.job_branch,
        base_commit=about.base_commit,
        questions=stage.questions if stage else (),
        nodes=nodes,
        calls=calls,
        cost=Cost.of(call.cost for call in calls) + Cost(_under_way(process)),
        runs=runs.ended,
        run_secs=runs.wall_secs,
        lanes=runs.last.get("parallel"),
        process=process,
        end=None if process else _ended(end, last),
        last_event=last.at,
        killed=process is None and _is_left_over(directory, nodes),
        gates=last.gates,
        integration_ok=runs.last.get("integration_ok"),
        integration_words=_integration_words(runs.last, stage),
        unpublished=unpublished,
        log_lines=_log_lines(directory.path, nodes, last.gates),
        kept=kept_worktrees(directory.pool),
        amending=str((read_quietly(directory.amending) or {}).get("node") or ""),
        taken={one.node: str(one.worktree) for one in taken_nodes(directory) if one.ready},
        landed=read_landed(directory),
        damaged_lines=damaged,
        now=time.time() if now is None else now,
    )


class _Records(NamedTuple):
    """What the records say: ``damaged`` counts lines by file name, where there are any."""

    stage: PlanStage | None
    plan: "_Planned | Plan | None"
    process: Process | None
    calls: list[CallRecord]
    runs: "_Runs"
    last: LastEvents
    damaged: Mapping[str, int]


def _read_records(directory: JobDirectory) -> _Records:
    stage, plan = read_stage(directory), _read_plan(directory)
    process = read_process(directory)  # first: what it says may be on record by the next line
    last, runs = read_last_events(directory), _runs(directory)
    lines, damaged = json_lines.read_lines_counted(directory.costs)
    counts = {
        directory.costs: damaged,
        directory.metrics: runs.damaged,
        directory.events: last.damaged,
    }
    calls = calls_in(lines)
    known = {path.name: count for path, count in counts.items() if count}
    return _Records(stage, plan, _without_ended(process, calls), calls, runs, last, known)


def _read_plan(directory: JobDirectory) -> _Planned | Plan | None:
    """Return what is shown of the plan; RequestError when it is none."""
    if not directory.plan.exists():
        return None
    try:
        return decode_all(_Planned, [files.read_json(directory.plan)])[0]
    except (MismatchError, RequestError):
        return directory.load_plan()  # which says all that is wrong


def _nodes(
    plan: _Planned | Plan,
    state: RunState,
    calls: Iterable[CallRecord],
    process: Process | None,
) -> Iterator[NodeNow]:
    costs: defaultdict[str | None, list[float | None]] = defaultdict(list)
    for call in calls:
        if not call.is_for_tests:
            costs[call.node].append(call.cost)
    live = process.calls if process else {}
    for node in plan.nodes:
        stands, known = state.nodes[node.id], costs.get(node.id, ())
        call_now = live.get(node.id) if stands.status not in OVER else None
        cost = Cost.of((*known, call_now.usd) if call_now else known)
        yield NodeNow(_shown(node), stands, cost, len(known), call_now)


def _shown(node: PlannedNode | Node) -> PlannedNode:
    if isinstance(node, PlannedNode):
        return node
    return PlannedNode(node.id, node.title, node.test_cmd, node.depends_on)


def _ended(end: End | None, last: LastEvents) -> End | None:
    return end._replace(at=last.end.at if last.end else last.at) if end else last.end


def _without_ended(process: Process | None, calls: Iterable[CallRecord]) -> Process | None:
    """Return ``process`` with the costs of those calls only that are not on record yet.

    Its live file is a moment behind, and says of a call that has ended what it cost.
    """
    if process is None:
        return None
    ended = {call.node or PLANNING: call.ts for call in calls}
    under_way = {
        name: call if call.since > ended.get(name, "") else call._replace(usd=0.0)
        for name, call in process.calls.items()
    }
    return process._replace(calls=under_way)


def _under_way(process: Process | None) -> float:
    return sum(call.usd for call in process.calls.values()) if process else 0.0


def _is_left_over(directory: JobDirectory, nodes: Iterable[NodeNow]) -> bool:
    """Whether the last command on the job was ended without a chance to put things in order."""
    running = any(node.state.status is NodeStatus.RUNNING for node in nodes)
    return running or was_killed(directory.pool)


class _Runs(NamedTuple):
    """What ``metrics.jsonl`` says of the runs that ended; ``last`` is empty where none did."""

    ended: int
    wall_secs: float
    last: Mapping[str, Any]
    damaged: int


def _runs(directory: JobDirectory) -> _Runs:
    lines, damaged = json_lines.read_lines_counted(directory.metrics)
    ended = [line for line in lines if line.get("kind") == "run"]
    times = [secs for run in ended if isinstance(secs := run.get("wall_secs"), int | float)]
    runs = runs_of(lines)
    return _Runs(len(runs), float(sum(times)), runs[-1] if runs else {}, damaged)


def _integration_words(run: Mapping[str, Any], stage: PlanStage | None) -> str:
    """Return how the integration gate of the last run went; before it, what is known of the base.

    The records of an earlier version have no words.
    """
    ok = run.get("integration_ok")
    if ok is not None:
        return str(run.get("integration_words") or ("green" if ok else "not green"))
    dead = not_counting((stage.base_gates if stage else None) or {})
    return f"not run; {as_before(dead)}" if dead else "not run"


def _log_lines(job: Path, nodes: Iterable[NodeNow], gates: Sequence[Gate]) -> dict[str, int]:
    failed = [node.failure for node in nodes if node.state.status is NodeStatus.FAILED]
    logs = [failure.log for failure in failed[:DETAILED] if failure]
    logs += [gate.log for gate in gates if gate.verdict != "green"][:DETAILED]
    return {log: count for log in logs if log and (count := _count_lines(job / log)) is not None}


def _count_lines(path: Path) -> int | None:
    """Return how many lines a file has; None where it is missing, or too large to be counted."""
    try:
        if path.stat().st_size > COUNTED_BYTES:
            return None
        data = files.content_of(path)
    except OSError:
        return None
    return data.count(b"\n") + (not data.endswith(b"\n") and data != b"")
