"""Which merge turned an integration gate red: the gate on the branch as it was after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from director.job.context import JobContext
from director.job.gate_report import Culprit, GateReport, run_gate, told
from director.job.reconciling import merges_by_node
from director.job.views import Views
from director.model.bisection import first_red
from director.records.events import Kind
from director.worktrees.gates import Verdict

OUTSIDE = "it is flaky, or something outside the repository has changed"


def blamed(job: JobContext, views: Views, report: GateReport) -> GateReport:
    """Return the report of a gate that is not green with the merge to blame, or why none is.

    The merges are looked at in their order, each as if only its predecessors had been planned: the
    tests of all nodes are on the branch before the first one, and those of nodes that were merged
    later are red by design then, so they are held back. The tests of nodes are looked at from the
    last merge of these on.
    """
    plan = views.plan
    merged = merges_by_node(job.repository.log(plan.base_commit, job.repository.tip()))
    merges = [Culprit(node, commit.oid) for node, commit in merged.items()]
    tests = plan.tests_of(report.nodes)

    def is_green(number: int) -> bool:
        """Run the gate after the first ``number`` merges (0: on the base)."""
        merge = merges[number - 1] if number else None
        commit = views.of_done(merge.commit) if merge else plan.base_commit
        result = run_gate(job, commit, report.command, f"blame.{report.name}", tests)
        node = merge.node if merge else None
        job.events.emit(Kind.GATE, node, purpose="blame", **told(result))
        return result.verdict is Verdict.GREEN

    first, there = 0, "on the base"
    if report.nodes:
        first = max(at for at, one in enumerate(merges, 1) if one.node in report.nodes)
        there = f"at the merge of {merges[first - 1].node}"
    found = bisect(len(merges), is_green, first, there)
    if found.culprit is None:
        return report._replace(note=f"no merge is blamed: {found.doubt}")
    culprit = merges[found.culprit - 1]
    note = f"turned {report.verdict} by the merge of {culprit.node} ({culprit.commit[:10]})"
    return report._replace(turned_red_by=culprit, note=note)


@dataclass(frozen=True)
class Bisection:
    """The number of the culprit, or the reason why no commit is blamed."""

    culprit: int | None
    doubt: str = ""


def bisect(
    count: int, is_green: Callable[[int], bool], first: int = 0, there: str = "on the base"
) -> Bisection:
    """Find the first red commit of ``first`` + 1 … ``count``: a binary search.

    Commits count from 1; 0 is what was before them. The gate was seen green at ``first``
    (in words: ``there``) and red at ``count``; both are looked at again, and so are, at the end,
    the culprit and the commit before it: where a gate is flaky no commit is blamed.
    """
    if is_green(count):
        return Bisection(None, "it is green when it runs again on the same commit, so it is flaky")
    if not is_green(first):
        return Bisection(None, f"it is red {there} now, though it was green there: {OUTSIDE}")
    red = first_red(first, count, is_green)
    before = red - 1
    steady = (before == first or is_green(before)) and (red == count or not is_green(red))
    if not steady:
        return Bisection(None, "it is green and red by turns on the same commit, so it is flaky")
    return Bisection(red)
