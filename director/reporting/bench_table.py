"""The report of a bench, from its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from director.model.comparison import BASELINE, REDUCTION_TARGET_PCT
from director.model.cost import Cost
from director.model.format import duration, table, yes_no

HEADER = (
    "profile", "done", "executor", "escalated", "reviewed", "integration", "cost", "time", "",
)  # fmt: skip


def render_bench(summary: Mapping[str, Any]) -> str:
    """Return the table of profiles and, below it, the cost reduction against the baseline.

    ``summary`` is the content of ``bench/summary.json``.
    """
    rows = [_cells(row) for row in summary["rows"]]
    planning = Cost(summary["plan_cost_known"], summary["plan_unpriced_calls"])
    planned = f"planned once with {summary['plan_profile']}: {planning.in_words()}"
    return "\n\n".join((planned, table(HEADER, rows), _reductions(summary)))


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        row["profile"],
        f"{row['done']}/{row['n_nodes']}",
        f"{row['executor_pct']:.0f} %",
        str(row["escalated"]),
        f"{row['review_pct']:.0f} %",
        yes_no(row["integration_ok"]),
        Cost(row["cost_known"], row["unpriced_calls"]).in_words(),
        duration(row["wall_secs"]),
        row["error"] or "",
    )


def _reductions(summary: Mapping[str, Any]) -> str:
    found = summary["cost_reduction_pct"]
    if BASELINE not in [row["profile"] for row in summary["rows"]]:
        return f"no cost reduction to report: {BASELINE} was not among the profiles"
    if not found:
        return f"no cost reduction to report: {BASELINE} did not finish, or a cost is unknown"
    return "\n".join(
        f"cost reduction of {name} against {BASELINE}: {percent:.1f} % "
        f"(target > {REDUCTION_TARGET_PCT:.0f} %)"
        for name, percent in found.items()
    )
