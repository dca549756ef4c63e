"""A picture of the job that follows its events, with what only the records know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from director.model.cost import Cost
from director.model.errors import DirectorError
from director.model.plan import Node
from director.model.printable import one_line
from director.model.roles import Agent
from director.model.state import NodeState
from director.records.events import Event, Kind, Listener
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls
from director.reporting.live.progress import NodeProgress, Progress
from director.reporting.live.taking_in import take_in


def following(progress: Progress, then: Callable[[Event], None]) -> Listener:
    """Return a listener that lets ``progress`` take in each event, then tells ``then`` of it."""

    def listen(event: Event) -> None:
        take_in(progress, event)
        if event.kind is Kind.OPENED:
            progress.spent = spent_in(Path(progress.directory))
        opened = event.kind is Kind.OPENED and progress.is_run
        if opened or event.kind is Kind.RUN_STARTED or _first_tests(event, progress):
            progress.know(nodes_in(Path(progress.directory)))
        then(event)

    return listen


def _first_tests(event: Event, progress: Progress) -> bool:
    asked = event.kind is Kind.CALL_STARTED and event.data["agent"] == Agent.TEST_AUTHOR
    return asked and not progress.nodes


def spent_in(folder: Path) -> Cost:
    """Return what the job in ``folder`` has cost so far; nothing where it cannot be read."""
    try:
        return Cost.of(call.cost for call in read_calls(JobDirectory(folder).costs))
    except DirectorError:
        return Cost()


def nodes_in(folder: Path) -> list[NodeProgress]:
    """Return the nodes of the job in ``folder``; none where it cannot be read."""
    directory = JobDirectory(folder)
    try:
        plan = directory.load_plan()
        state = directory.load_state(plan)
    except DirectorError:
        return []
    return [_node(node, state.nodes[node.id]) for node in plan.nodes]


def _node(node: Node, state: NodeState) -> NodeProgress:
    found = NodeProgress(node.id, one_line(node.title), node.depends_on)
    found.admitted = node.admitted
    found.status, found.attempts = state.status, state.attempts
    found.tier, found.wall_secs = state.tier_used or "", state.wall_secs
    found.cost = Cost.of([state.cost_usd])
    found.headline = one_line(state.error or "")
    return found
