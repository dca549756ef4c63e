"""Which merge turned an integration gate red: the gate on the branch as it was after each."""

from __future__ import annotations

from dataclasses import replace

from director.job.bisection import Bisection, bisect
from director.job.context import JobContext
from director.job.gate_report import Culprit, GateReport, run_gate
from director.job.reconciling import merges_by_node
from director.job.tip_tests import tested_by
from director.job.views import Views
from director.records.events import Kind
from director.worktrees.gates import Verdict


def blamed(job: JobContext, views: Views, report: GateReport) -> GateReport:
    """Return the report of a gate that is not green with the merge to blame, or why none is."""
    series = _Series(job, views, report)
    found = series.search()
    if found.culprit is None:
        return replace(report, note=f"no merge is blamed: {found.doubt}")
    culprit = series.merges[found.culprit - 1]
    note = f"turned {report.verdict} by the merge of {culprit.node} ({culprit.commit[:10]})"
    return replace(report, turned_red_by=culprit, note=note)


class _Series:
    """The merges of a job in their order, each as if only its predecessors had been planned.

    The tests of all nodes are on the branch before the first merge. Those of nodes that were
    merged later are red by design then: they are held back.
    """

    def __init__(self, job: JobContext, views: Views, report: GateReport) -> None:
        self.job = job
        self.views = views
        self.report = report
        self.base = views.plan.base_commit
        merged = merges_by_node(job.repository.log(self.base, job.repository.tip()))
        self.merges = [Culprit(node, commit.oid) for node, commit in merged.items()]

    def search(self) -> Bisection:
        """Find the merge that turned the gate red; of a node's tests, after its own merge."""
        count, mine = len(self.merges), self.report.nodes
        if not mine:
            return bisect(count, self._is_green)
        first = max(at for at, one in enumerate(self.merges, 1) if one.node in mine)
        there = f"at the merge of {self.merges[first - 1].node}"
        return bisect(count, self._is_green, first, there)

    def _is_green(self, number: int) -> bool:
        """Run the gate after the first ``number`` merges (0: on the base)."""
        merge = self.merges[number - 1] if number else None
        commit = self._after(number)
        name, tested = f"blame-{self.report.name}", tested_by(self.views.plan, self.report)
        result = run_gate(self.job, commit, self.report.command, name, tested)
        self.job.events.emit(
            Kind.GATE,
            merge.node if merge else None,
            purpose="blame",
            verdict=result.verdict,
            reason=result.reason,
        )
        return result.verdict is Verdict.GREEN

    def _after(self, number: int) -> str:
        return self.views.of_done(self.merges[number - 1].commit) if number else self.base
