"""The nodes of a job as a table, and those that wait for others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from director.model.cost import Cost
from director.model.format import duration, money
from director.model.printable import one_line
from director.model.state import NodeStatus
from director.reporting.status.status import LiveCall, NodeNow, Status
from director.reporting.status.times import since
from director.reporting.terminal.layout import paragraph, rows
from director.reporting.terminal.style import Line, Paint, Span, Style

NEVER = "–"  # for what has not happened
NAMED = 8  # nodes that are named in one line
MARKS = {
    NodeStatus.PENDING: ("–", Paint.PLAIN),
    NodeStatus.RUNNING: ("●", Paint.CYAN),
    NodeStatus.DONE: ("✓", Paint.GREEN),
    NodeStatus.FAILED: ("✗", Paint.RED),
    NodeStatus.BLOCKED: ("–", Paint.YELLOW),
    NodeStatus.TAKEN: ("‖", Paint.YELLOW),
}
HEADER = ("", "node", "state", "tier", "attempt", "cost", "time", "")
DROPPED = (3, 4, 6, 5, 2)  # columns that a narrow terminal does without, first to last


def node_table(nodes: Sequence[NodeNow], status: Status, style: Style) -> list[Line]:
    """Return a table of ``nodes``: where they stand, and what they have taken so far.

    Calls under way that are about no node, as in planning, come first.
    """
    known = {node.id for node in status.nodes}
    calls = status.process.calls if status.process else {}
    table = [_call(name, call, status) for name, call in calls.items() if name not in known]
    table += [_row(node, status) for node in nodes]
    header = tuple(Span(cell, Paint.DIM) for cell in HEADER)
    return rows([header, *table], style, 0, DROPPED) if table else []


def _call(name: str, call: LiveCall, status: Status) -> tuple[Span, ...]:
    """Return the row of a call that is about no node."""
    cost = money(call.usd) if call.usd else NEVER
    cells = (call.role, str(call.attempt or NEVER), cost, since(call.since, status.now))
    about = one_line(f"{call.tool} {call.argument}")
    known = (name, NodeStatus.RUNNING.value, *cells, about)
    return (Span(*MARKS[NodeStatus.RUNNING]), *(Span(one_line(cell)) for cell in known))


def _row(node: NodeNow, status: Status) -> tuple[Span, ...]:
    state, live = node.state, node.live
    mark, paint = MARKS[state.status]
    if live and state.status is NodeStatus.PENDING:  # its tests are being written
        mark, paint = MARKS[NodeStatus.RUNNING]
    running = state.status is NodeStatus.RUNNING
    word = "interrupted" if running and status.process is None else state.status.value
    tier = live.tier or live.role if live else state.tier_used or ""
    attempt = live.attempt if live and live.attempt else state.attempts
    took = duration(state.wall_secs) if state.wall_secs else NEVER
    time = since(live.since, status.now) if live and live.since else took
    return (
        Span(mark, paint),
        Span(node.id),
        Span(word),
        Span(str(tier) or NEVER),
        Span(str(attempt or NEVER)),
        Span(_cost(node)),
        Span(time),
        Span(_about(node)),
    )


def _cost(node: NodeNow) -> str:
    cost: Cost = node.cost
    if cost.known:
        return money(cost.usd) if node.calls or cost.usd else NEVER
    return f"{money(cost.usd)} + {cost.unpriced_calls} unpriced" if cost.usd else "unpriced"


def _about(node: NodeNow) -> str:
    """Return what its agent does, why it failed or waits, or its title."""
    if node.live and node.live.tool:
        return one_line(f"{node.live.tool} {node.live.argument}")
    if node.state.status is NodeStatus.FAILED:
        said = node.failure.headline if node.failure else ""
        return one_line(said or node.state.error or "")
    if node.state.status is NodeStatus.BLOCKED:
        return one_line(node.state.error or "")
    if node.state.status is NodeStatus.TAKEN:
        return "a person writes it"
    return one_line(node.planned.title)


def waiting(status: Status, style: Style) -> list[Line]:
    """Return which nodes are blocked, together with the failed node that they wait for."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    blocked = status.of(NodeStatus.BLOCKED)
    cause = _causes(status) if blocked else {}
    for node in blocked:
        groups[cause.get(node.id, "")].append(node.id)
    lines: list[Line] = []
    for failed, ids in groups.items():
        wait = "waits" if len(ids) == 1 else "wait"
        of_what = f" for {failed}" if failed else ""
        lines += paragraph(f"– {_names(ids)}   {wait}{of_what} (blocked)", style, hanging=2)
    return lines


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"{', '.join(ids[:NAMED])}{more}"


def _causes(status: Status) -> Mapping[str, str]:
    """Return node → the failed node that it waits for, the first one where they are several."""
    dependents: defaultdict[str, list[str]] = defaultdict(list)
    for node in status.nodes:
        for other in node.planned.depends_on:
            dependents[other].append(node.id)
    found: dict[str, str] = {}
    for failed in status.of(NodeStatus.FAILED):
        ready = [failed.id]
        while ready:
            behind = [one for one in dependents[ready.pop()] if one not in found]
            found.update((one, failed.id) for one in behind)
            ready += behind
    return found
