"""What ``status --stats`` adds: costs by role and model, counts and rates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from director.model.cost import Cost
from director.model.format import size, table
from director.model.rates import rates
from director.model.state import NodeStatus, WatchVerdict
from director.records.ledger import grouped
from director.reporting.status.status import Status
from director.reporting.terminal.layout import paragraph, shown
from director.reporting.terminal.style import PLAIN, Style

COMPLETION_TARGET_PCT = 70.0


def render_stats(status: Status, style: Style = PLAIN) -> str:
    """Return the tables of costs, and the measures, as text."""
    parts = [_rates(status)] if status.nodes else []
    for key in ("role", "model") if status.calls else ():
        parts.append(_cost_table(key, grouped(status.calls, key)))
    parts.append(f"total cost: {status.cost.in_words() if status.calls else '–'}")
    if kept := status.kept:
        parts.append(
            f"prepared worktrees are kept for the next command: {size(kept.bytes)} in "
            f"{kept.folder} (`director clean` removes them)"
        )
    lines = [
        line
        for part in parts
        for text in (*part.splitlines(), "")
        for line in paragraph(text, style)
    ]
    return shown(lines[:-1], style)


def observed(status: Status) -> int:
    """Return how many nodes' executors watched the tests fail before they began."""
    return sum(node.state.watch_it_fail is WatchVerdict.OBSERVED for node in status.nodes)


def _rates(status: Status) -> str:
    known = rates([node.state for node in status.nodes])
    total, began = known["n_nodes"], any(node.state.attempts for node in status.nodes)
    done = f"{known['done']} of {total} ({known['failed']} failed, "

    def rate(name: str) -> str:
        return f"{100 * known[name]:.1f} %" if began else "–"

    completion = f"{known['executor_tier_pct']:.1f} % (target > {COMPLETION_TARGET_PCT:.0f} %)"
    lines = (
        ("done", f"{done}{len(status.of(NodeStatus.BLOCKED))} blocked)"),
        ("executor-tier completion", completion if known["done"] or began else "–"),
        ("escalation rate", rate("escalation_rate")),
        ("stage-two review rate", rate("stage_two_trigger_rate")),
        ("watched it fail first", f"{observed(status)} of {total}" if began else "–"),
        ("integration gate", status.integration_words),
    )
    return "\n".join(f"{label:<26}{words}" for label, words in lines)


def _cost_table(key: str, groups: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            name,
            str(group["calls"]),
            str(group["input"] + group["cache_read"] + group["cache_write"]),
            str(group["output"] + group["reasoning"]),
            Cost(group["cost"], group["unknown_cost_calls"]).in_words(),
        )
        for name, group in groups.items()
    ]
    return table((f"by {key}", "calls", "tokens in", "tokens out", "cost"), rows)
