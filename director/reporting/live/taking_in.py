"""What an event changes in the picture of a job."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from director.model.cost import Cost
from director.model.printable import one_line
from director.model.roles import Role
from director.model.state import NodeStatus
from director.records.events import Event, Kind
from director.reporting.live.progress import NodeProgress, Progress, Work
from director.reporting.live.stages import AGENT_AT, ANSWERS, CRITIQUE, STAGE_AT

FIRST, SETUP = "tests first", "setup of the worktree"  # what a node begins with
_WRITERS = frozenset((Role.EXECUTOR, Role.ESCALATION, Role.TEST_AUTHOR))


def take_in(progress: Progress, event: Event) -> None:
    """Bring ``progress`` up to date with an event."""
    if take := _TAKE.get(event.kind):
        take(progress, event)


def moment(ts: str) -> float:
    """Return the time of an event in seconds since 1970."""
    return datetime.fromisoformat(ts).timestamp()


def headline_of(data: Mapping[str, Any]) -> str:
    """Return the one line that says why an attempt or a node failed; "" where nothing does."""
    failure = data.get("failure") or {}
    return one_line(str(failure.get("headline") or "")) or first_line(
        str(data.get("lesson") or data.get("error") or "")
    )


def first_line(text: str) -> str:
    """Return the first line of ``text`` that says something, printable."""
    return next((line for line in map(one_line, text.splitlines()) if line), "")


def _open(progress: Progress, event: Event) -> None:
    data = event.data
    progress.is_open, progress.is_run = True, bool(data.get("planned"))
    progress.work, progress.setups = {}, set()
    progress.know(())
    progress.job_id, progress.task = str(data["job_id"]), one_line(str(data["task"]))
    progress.directory, progress.begun = str(data.get("directory", "")), moment(event.ts)
    progress.max_attempts = int(data.get("max_attempts", 0))
    progress.ceiling_usd = float(data.get("ceiling_usd", 0.0))
    progress.step = "preparing"


def _close(progress: Progress, _event: Event) -> None:
    progress.is_open, progress.work = False, {}


def _enter_stage(progress: Progress, event: Event) -> None:
    progress.stage_name = str(event.data["stage"])
    progress.stage = STAGE_AT.get(progress.stage_name, progress.stage)
    progress.step = "running the existing tests and gates" if progress.stage_name == "spec" else ""


def _start_run(progress: Progress, event: Event) -> None:
    progress.is_run, progress.lanes = True, int(event.data.get("parallel") or 1)
    progress.step = "looking for the next node"


def _start_node(progress: Progress, event: Event) -> None:
    work = _work_of(progress, event)
    work.since, work.phase = moment(event.ts), SETUP if progress.setups else FIRST
    if node := progress.nodes.get(work.label):
        node.status = NodeStatus.RUNNING


def _notice(progress: Progress, event: Event) -> None:
    """Take in that setup begins; whatever node waits for a worktree waits for that."""
    if "slot" in event.data:
        progress.setups.add(_slot_of(event))
        _rename_phase(progress, FIRST, SETUP)


def _end_setup(progress: Progress, event: Event) -> None:
    progress.setups.discard(_slot_of(event))
    if not progress.setups:
        _rename_phase(progress, SETUP, FIRST)


def _slot_of(event: Event) -> tuple[str, int]:
    return str(event.data["worktrees"]), int(event.data["slot"])


def _rename_phase(progress: Progress, before: str, now: str) -> None:
    for work in progress.work.values():
        work.phase = now if work.phase == before else work.phase


def _start_attempt(progress: Progress, event: Event) -> None:
    work = _work_of(progress, event)
    work.attempt, work.role = event.data["attempt"], str(event.data["tier"])
    work.since = moment(event.ts)


def _fail_attempt(progress: Progress, event: Event) -> None:
    work = _work_of(progress, event)
    work.phase = f"attempt {event.data['attempt']} failed: {headline_of(event.data)}"
    if node := progress.nodes.get(work.label):
        node.headline = headline_of(event.data)


def _start_call(progress: Progress, event: Event) -> None:
    data, work = event.data, _work_of(progress, event)
    work.role = str(data["role"])
    if event.node is None:
        work.label = ANSWERS.get((progress.stage_name, data["agent"]), CRITIQUE)
    if data.get("attempt") is not None:
        work.attempt = data["attempt"]
    if not progress.is_run or event.node is None:
        work.since = moment(event.ts)
    work.tool, work.phase = "", "asking the model"
    progress.step = ""
    if not progress.is_run:
        progress.stage = max(progress.stage, AGENT_AT.get(data["agent"], 0))


def _hear(progress: Progress, event: Event) -> None:
    data, work = event.data, _work_of(progress, event)
    work.tool, work.argument = str(data["tool"]), one_line(str(data["argument"]))
    work.under_way = data.get("cost") or 0.0


def _end_call(progress: Progress, event: Event) -> None:
    work, cost = _work_of(progress, event), Cost.of([event.data["cost"]])
    progress.spent += cost
    work.spent += cost
    work.under_way, work.tool = 0.0, ""
    work.phase = "running the tests" if event.data["role"] in _WRITERS else ""
    if event.node is None:
        progress.work.pop(_key(event), None)


def _wait_for_provider(progress: Progress, event: Event) -> None:
    pause = event.data["pause_secs"]
    work = progress.work.get(event.node or "") or next(reversed(progress.work.values()), None)
    if work:
        work.phase = f"{one_line(str(event.data['reason'])).rstrip('.')}; retrying in {pause} s"


def _admit(progress: Progress, event: Event) -> None:
    progress.work.pop(str(event.node), None)
    if node := progress.nodes.get(str(event.node)):
        node.admitted = True


def _send_back(progress: Progress, event: Event) -> None:
    if work := progress.work.get(str(event.node)):
        work.phase = f"tests sent back: {first_line(str(event.data['problem']))}"


def _add_repair(progress: Progress, event: Event) -> None:
    node_id, depends_on = str(event.node), tuple(map(str, event.data["depends_on"]))
    node = NodeProgress(node_id, one_line(str(event.data["title"])), depends_on)
    node.admitted = True
    progress.know((*progress.nodes.values(), node))


def _end_node(progress: Progress, event: Event) -> None:
    data = event.data
    work = progress.work.pop(str(event.node), None)
    node = progress.nodes.setdefault(str(event.node), NodeProgress(str(event.node)))
    node.status, node.attempts = NodeStatus(data["status"]), int(data["attempts"])
    node.tier, node.wall_secs = str(data["tier"] or ""), float(data["wall_secs"])
    node.cost = work.spent if work else Cost.of([data["cost"]])
    if node.status is NodeStatus.FAILED:
        node.headline = headline_of(data) or node.headline
        _block(progress, node.id)
    progress.step = "running the integration gates"
    progress.forget_time_left()


def _block(progress: Progress, failed: str) -> None:
    for node in progress.nodes.values():
        if failed in node.depends_on and node.status is NodeStatus.PENDING:
            node.status = NodeStatus.BLOCKED
            _block(progress, node.id)


def _work_of(progress: Progress, event: Event) -> Work:
    key = _key(event)
    if key not in progress.work:
        progress.work[key] = Work(key, moment(event.ts))
    return progress.work[key]


def _key(event: Event) -> str:
    """Return the key of what an event is about: a node's id, else who is asked."""
    return event.node or str(event.data.get("agent") or "")


_TAKE = {
    Kind.OPENED: _open,
    Kind.CLOSED: _close,
    Kind.STAGE_ENTERED: _enter_stage,
    Kind.SETUP: _end_setup,
    Kind.NOTICE: _notice,
    Kind.RUN_STARTED: _start_run,
    Kind.NODE_STARTED: _start_node,
    Kind.ATTEMPT_STARTED: _start_attempt,
    Kind.ATTEMPT_FAILED: _fail_attempt,
    Kind.CALL_STARTED: _start_call,
    Kind.CALL_PROGRESS: _hear,
    Kind.CALL_ENDED: _end_call,
    Kind.PROVIDER_FAULT: _wait_for_provider,
    Kind.TESTS_ADMITTED: _admit,
    Kind.TESTS_REJECTED: _send_back,
    Kind.REPAIR: _add_repair,
    Kind.NODE_ENDED: _end_node,
}
