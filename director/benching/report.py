"""What a bench came to: the content of ``bench/summary.json``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from director.benching.records import BenchRecords
from director.job.stage import read_stage
from director.model.comparison import BASELINE, Row, reductions
from director.model.cost import Cost
from director.model.experiment import Asked, Turn, sample_to_json
from director.model.findings import Findings, Measure, find
from director.model.reason import Reason
from director.model.statistics.bootstrap import SEED
from director.model.statistics.interval import finite


class Stop(NamedTuple):
    """What ended a bench before all of its runs were done."""

    reason: Reason
    what: str
    next_step: str


@dataclass(frozen=True)
class BenchReport:
    """What came of a bench. ``plan_cost`` in US dollars, None: unknown.

    ``plan_cost_known`` is the part of it that is known, ``plan_unpriced_calls`` are the rest.
    ``rows`` are the runs of the first repeat of the first task. ``cost`` is that of all of it.
    """

    task: str
    plan_profile: str
    plan_cost: float | None
    plan_cost_known: float
    plan_unpriced_calls: int
    job_id: str
    rows: tuple[Row, ...]
    findings: Findings
    cost: Cost = field(default_factory=Cost)
    stop: Stop | None = None

    @property
    def ok(self) -> bool:
        """Whether every run of the first repeat finished every node with green gates."""
        return all(row.ok for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``bench/summary.json``."""
        found, asked = self.findings, self.findings.asked
        return {
            "task": self.task,
            "plan_profile": self.plan_profile,
            "plan_cost": self.plan_cost,
            "plan_cost_known": self.plan_cost_known,
            "plan_unpriced_calls": self.plan_unpriced_calls,
            "job_id": self.job_id,
            "rows": [row._asdict() for row in self.rows],
            "cost_reduction_pct": _reductions(self.rows, found),
            "tasks": dict(asked.tasks),
            "repeat": asked.repeats,
            "max_cost": asked.max_cost,
            **self.cost.totals(),
            "complete": found.complete,
            "stopped": self.stop._asdict() if self.stop else None,
            "seed": SEED,
            "repeats": [sample_to_json(sample) for sample in found.samples],
            "profiles": [one.to_json() for one in found.profiles],
            "comparisons": [one.to_json() for one in found.comparisons],
        }


def _reductions(rows: Sequence[Row], findings: Findings) -> dict[str, float]:
    """Return profile → cost reduction against the baseline, in percent, from all repeats."""
    if findings.asked.is_single:
        return reductions(rows)
    found = (one for one in findings.comparisons if one.measure is Measure.COST)
    return {
        one.second: round(-100 * (one.difference.value or 0.0), 1)
        for one in found
        if one.first == BASELINE and finite(one.difference.value) is not None
    }


def report_of(records: BenchRecords, asked: Asked, stop: Stop | None = None) -> BenchReport:
    """Return what the bench on record has come to so far."""
    findings = find(asked, records.samples())
    planning = records.planning_cost(asked)
    first = next(iter(asked.tasks))
    stage = read_stage(records.planned(first))
    ended = {sample.turn: sample.row for sample in findings.samples}
    turns = (Turn(first, 1, name) for name in asked.profiles)
    return BenchReport(
        task=asked.tasks[first],
        plan_profile=asked.plan_profile,
        plan_cost=planning.total,
        plan_cost_known=planning.to_json()["cost_known"],
        plan_unpriced_calls=planning.unpriced_calls,
        job_id=stage.job_id if stage else "",
        rows=tuple(ended[turn] for turn in turns if turn in ended),
        findings=findings,
        cost=records.cost(),
        stop=stop,
    )
