"""The numbers of a bench: one row per profile, and the cost reduction against the baseline."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from director.model.reason import Reason

BASELINE = "all-frontier"
REDUCTION_TARGET_PCT = 80.0


class Row(NamedTuple):
    """What one profile came to. Percentages in 0–100, money in US dollars (None: unknown).

    ``cost_known`` is the part of ``run_cost`` that is known, ``unpriced_calls`` are the rest.
    """

    profile: str
    n_nodes: int = 0
    done: int = 0
    executor_pct: float = 0.0
    escalated: int = 0
    review_pct: float = 0.0
    integration_ok: bool | None = None
    run_cost: float | None = None
    wall_secs: float = 0.0
    error: str | None = None
    reason: Reason | None = None
    cost_known: float = 0.0
    unpriced_calls: int = 0

    @property
    def ok(self) -> bool:
        """Whether every node is done and no integration gate is red."""
        whole = self.error is None and self.done == self.n_nodes
        return whole and self.integration_ok is not False


def row_of(
    profile: str, metrics: Mapping[str, Any], error: str | None, reason: Reason | None
) -> Row:
    """Return the row of a profile from the ``kind:"run"`` line of its run."""
    return Row(
        profile=profile,
        n_nodes=metrics["n_nodes"],
        done=metrics["done"],
        executor_pct=metrics["executor_tier_pct"],
        escalated=metrics["escalated"],
        review_pct=round(100 * metrics["stage_two_trigger_rate"], 1),
        integration_ok=metrics["integration_ok"],
        run_cost=metrics["cost_total"],
        wall_secs=metrics["wall_secs"],
        error=error,
        reason=reason,
        cost_known=metrics["cost_known"],
        unpriced_calls=metrics["unpriced_calls"],
    )


def reductions(rows: Sequence[Row]) -> dict[str, float]:
    """Return profile → cost reduction against the baseline, in percent.

    1 − cost / baseline cost, where both are known, both finished every node and the baseline is
    not free; other profiles are left out, because their costs do not compare.
    """
    finished = {row.profile: row for row in rows if row.done == row.n_nodes > 0 and not row.error}
    baseline = finished.get(BASELINE)
    if baseline is None or not baseline.run_cost:
        return {}
    return {
        name: round(100 * (1 - row.run_cost / baseline.run_cost), 1)
        for name, row in finished.items()
        if name != BASELINE and row.run_cost is not None
    }
