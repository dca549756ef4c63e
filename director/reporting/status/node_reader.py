"""Reads all that is on record of one node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from director.agents.registry import tier_of
from director.model.cost import Cost
from director.model.failure import Failure
from director.model.plan import Node, Plan
from director.model.secrets import Redactor
from director.model.state import NodeState, NodeStatus, RunState
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls
from director.records.logs import prompt_of
from director.reporting.logs.failed_view import gate_output
from director.reporting.logs.job_logs import log_path, read_log
from director.reporting.logs.node_log import AttemptLog, NodeLog
from director.reporting.logs.printer import CallFollower, end_of, shown_path
from director.reporting.logs.step_view import shortened
from director.reporting.status.node_page import NodePage, Output, Said, same_headline

Next = Callable[[Node, NodeState, bool, Sequence[str]], Sequence[tuple[str, str]]]
"""Node, its state, whether all attempts failed alike, what it waits for that failed → commands."""


def read_page(
    directory: JobDirectory, plan: Plan, node_id: str, root: Path, redactor: Redactor, then: Next
) -> NodePage:
    """Return the page of a node. Paths are shown relative to ``root``; ``then`` says what next."""
    node, state = plan.node(node_id), directory.load_state(plan)
    log = read_log(directory, NodeLog(node_id))
    attempts, own = log.numbered, state.nodes[node_id]
    last = attempts[-1] if attempts else None
    needs = _with_status(node.depends_on, state)
    failed = [name for name, status in needs if status in (NodeStatus.FAILED, NodeStatus.BLOCKED)]
    reviews = [one for attempt in attempts for one in attempt.reviews]
    records = [one for one in read_calls(directory.costs) if one.node == node_id]
    return NodePage(
        node=node,
        state=own,
        needs=needs,
        needed_by=_with_status([n.id for n in plan.nodes if node_id in n.depends_on], state),
        attempts=attempts,
        tries=own.past_attempts,
        cost=Cost.of(one.cost for one in records if not one.is_for_tests),
        tests_cost=Cost.of(one.cost for one in records if one.is_for_tests),
        said=_said(last, directory, redactor),
        output=_output(last, directory, root, own.failure),
        review=reviews[-1] if reviews else None,
        paths=_paths(last, directory, root),
        next=then(node, own, bool(same_headline(attempts)), failed),
    )


def _with_status(names: Sequence[str], state: RunState) -> list[tuple[str, NodeStatus]]:
    return [(name, state.nodes[name].status) for name in names]


def _said(last: AttemptLog | None, directory: JobDirectory, redactor: Redactor) -> Said | None:
    if last is None or not last.work or not last.work[-1].log:
        return None
    call = last.work[-1]
    follower = CallFollower(log_path(directory, call.log), call.model, redactor, lambda _step: None)
    follower.poll()
    backend, found = tier_of(call.model).backend, follower.transcript
    words = shortened(found.text)
    return Said(words, tuple(found.tools), backend.promises.exit_codes, backend.title)


def _output(
    last: AttemptLog | None, directory: JobDirectory, root: Path, of_node: Failure | None
) -> Output | None:
    failure = (last.failure if last else None) or of_node
    path = gate_output(last, directory) if last else None
    if failure is None and path is None:
        return None
    lines = shortened(failure.excerpt).strip("\n").split("\n") if failure else []
    if path and not any(lines):
        lines = end_of(path)
    log = shown_path(path, root) if path else ""
    if failure is None:
        return Output("", None, "", lines, log)
    said = shortened(failure.headline)
    return Output(failure.command, failure.exit_code, said, lines, log)


def _paths(last: AttemptLog | None, directory: JobDirectory, root: Path) -> list[tuple[str, str]]:
    found: list[tuple[str, Path]] = []
    if last and last.work and last.work[-1].log:
        events = log_path(directory, last.work[-1].log)
        found += [("prompt", prompt_of(events)), ("agent", events)]
    if last and (gate := gate_output(last, directory)):
        found.append(("gate", gate))
    return [(name, shown_path(path, root)) for name, path in found if path.exists()]
