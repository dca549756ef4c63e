"""The integration gate: ``[gates]`` on the base and on the finished branch, and who is to blame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from director.job.stage import read_stage, write_stage
from director.job.workbench import Workbench
from director.model.errors import RequestError
from director.model.gate_words import integration_words
from director.model.plan import Plan
from director.records.events import Kind
from director.running.blame import Search, search
from director.running.reconciling import merges_by_node
from director.workspace.gates import GateResult, Verdict
from director.workspace.job_repository import ABSENT_MODE, Entry


@dataclass(frozen=True)
class Culprit:
    """The merge that turned a gate red."""

    node: str
    commit: str


@dataclass(frozen=True)
class GateReport:
    """One integration gate. ``log`` is the file that holds its output.

    ``red_before``: whether it was red on the base (None: nobody looked, because it is green).
    ``note`` says in words what is known of a gate that is not green. ``broken_before``: it could
    not run on the base either, which planning knew and let through.
    """

    name: str
    command: str
    verdict: Verdict
    reason: str
    log: str
    red_before: bool | None = None
    turned_red_by: Culprit | None = None
    note: str = ""
    broken_before: bool = False

    @property
    def ok(self) -> bool:
        """Whether the job has nothing to answer for: it is green, or no worse than on the base."""
        return self.verdict is Verdict.GREEN or self.as_before

    @property
    def as_before(self) -> bool:
        """Whether it is red or broken, as it was on the base already."""
        was = self.red_before is True if self.verdict is Verdict.RED else self.broken_before
        return self.verdict is not Verdict.GREEN and was

    def to_json(self) -> dict[str, Any]:
        """Return the gate as ``--json`` shows it."""
        by = self.turned_red_by
        return {
            "name": self.name,
            "command": self.command,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "log": self.log,
            "red_before": self.red_before,
            "turned_red_by": {"node": by.node, "commit": by.commit} if by else None,
            "note": self.note,
        }


def in_words(reports: Sequence[GateReport] | None) -> str:
    """Return how the integration gate went, in words; "" where none ran."""
    reports = reports or ()
    return integration_words(
        sum(gate.verdict is Verdict.GREEN for gate in reports),
        {gate.name: gate.verdict.value for gate in reports if gate.as_before},
        [gate.name for gate in reports if not gate.ok],
    )


def gate_base(
    bench: Workbench, base: str, known: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Run ``[gates]`` on the base commit, but for commands that ran there before (``known``).

    Returns name → command, verdict, reason and log. What could not run is tried again.
    """
    ran = {gate["command"]: gate for gate in known.values() if gate["verdict"] != Verdict.BROKEN}
    return {
        name: dict(ran[command]) if command in ran else _on_base(bench, base, name, command)
        for name, command in bench.config.gates.items()
    }


def refuse_broken(found: Mapping[str, Mapping[str, str]]) -> None:
    """Raise RequestError for gates that cannot run on the base: no work could ever pass them."""
    broken = [
        f"{name} ({gate['reason']}): `{gate['command']}`; see {gate['log']}"
        for name, gate in found.items()
        if gate["verdict"] == Verdict.BROKEN
    ]
    if broken:
        raise RequestError(
            f"a gate cannot run on the base commit: {', '.join(broken)}",
            "correct [gates], or provide what it needs (a program on PATH, `setup` of [worktree], "
            "more time by [limits] node_timeout_secs), then run the command again",
        )


def check_base(bench: Workbench, base: str) -> None:
    """Run those of ``[gates]`` on the base that planning did not; raises as ``refuse_broken``."""
    stage = read_stage(bench.directory)
    known = (stage.base_gates if stage else None) or {}
    found = gate_base(bench, base, known)
    if stage and found != known:
        write_stage(bench.directory, stage._replace(base_gates=found))
    refuse_broken(found)


def integrate(bench: Workbench, plan: Plan) -> tuple[GateReport, ...]:
    """Run ``[gates]``, each on a clean checkout of the tip, and explain what is not green."""
    tip = bench.job.tip()
    reports = []
    for name, command in bench.config.gates.items():
        result = _gate(bench, tip, command, f"integration-{name}")
        report = GateReport(name, command, result.verdict, result.reason, str(result.log))
        bench.events.emit(
            Kind.INTEGRATION_GATE,
            name=name,
            command=command,
            verdict=report.verdict,
            reason=report.reason,
            log=report.log,
        )
        reports.append(report)
    recorded = _recorded(bench)
    return tuple(_explained(bench, plan, report, recorded) for report in reports)


def _gate(bench: Workbench, commit: str, command: str, name: str) -> GateResult:
    with bench.pool.lease_gate(commit) as worktree:
        result = bench.gates.run(command, worktree.path, name)
        if result.verdict is Verdict.GREEN:
            worktree.keep_builds()
        return result


def _on_base(bench: Workbench, base: str, name: str, command: str) -> dict[str, str]:
    result = _gate(bench, base, command, f"base-{name}")
    found = {
        "command": command,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "log": str(result.log),
    }
    bench.events.emit(Kind.BASE_GATE, name=name, **found)
    return found


def _recorded(bench: Workbench) -> dict[str, str]:
    """Return command → verdict, as planning saw it on the base."""
    stage = read_stage(bench.directory)
    gates = (stage.base_gates if stage else None) or {}
    return {gate["command"]: gate["verdict"] for gate in gates.values()}


def _explained(
    bench: Workbench, plan: Plan, report: GateReport, recorded: Mapping[str, str]
) -> GateReport:
    """Return the report with what the base says of the gate, and with the merge to blame."""
    before = recorded.get(report.command)
    if report.verdict is Verdict.GREEN:
        return replace(report, red_before=None if before is None else before == Verdict.RED)
    if before != Verdict.GREEN:  # only a run now excuses the job, not a file
        before = _on_base(bench, plan.base_commit, report.name, report.command)["verdict"]
    broken = {before, recorded.get(report.command)} == {Verdict.BROKEN}
    report = replace(report, red_before=before == Verdict.RED, broken_before=broken)
    if before == Verdict.GREEN:
        report = _blamed(bench, plan, report)
    elif before == Verdict.BROKEN:
        report = replace(report, note="it could not run on the base, so no merge is blamed")
    else:
        report = replace(report, note=f"{report.verdict}, {_as_before(report)}")
    bench.events.emit(
        Kind.BLAME,
        report.turned_red_by.node if report.turned_red_by else None,
        name=report.name,
        red_before=report.red_before,
        commit=report.turned_red_by.commit if report.turned_red_by else None,
        note=report.note,
    )
    return report


def _as_before(report: GateReport) -> str:
    return "as before the job" if report.ok else "and red before the job"


def _blamed(bench: Workbench, plan: Plan, report: GateReport) -> GateReport:
    series = _Series(bench, plan, report)
    found = series.search()
    if found.culprit is None:
        note = f"no merge is blamed: {found.doubt}"
        return replace(report, note=note)
    culprit = series.merges[found.culprit - 1]
    note = f"turned {report.verdict} by the merge of {culprit.node} ({culprit.commit[:10]})"
    return replace(report, turned_red_by=culprit, note=note)


class _Series:
    """The merges of a job in their order, each as if only its predecessors had been planned."""

    def __init__(self, bench: Workbench, plan: Plan, report: GateReport) -> None:
        self.bench = bench
        self.plan = plan
        self.report = report
        merged = merges_by_node(bench.job.log(plan.base_commit, bench.job.tip()))
        self.merges = [Culprit(node, commit.oid) for node, commit in merged.items()]

    def search(self) -> Search:
        """Find the merge that turned the gate red."""
        return search(len(self.merges), self._is_green)

    def _is_green(self, number: int) -> bool:
        """Run the gate after the first ``number`` merges (0: on the base)."""
        merge = self.merges[number - 1] if number else None
        commit = self._without_later_tests(merge.commit, number) if merge else self.plan.base_commit
        result = _gate(self.bench, commit, self.report.command, f"blame-{self.report.name}")
        self.bench.events.emit(
            Kind.GATE,
            merge.node if merge else None,
            purpose="blame",
            verdict=result.verdict,
            reason=result.reason,
        )
        return result.verdict is Verdict.GREEN

    def _without_later_tests(self, commit: str, number: int) -> str:
        """Return a commit of what was merged, without the tests that were red by design then.

        The tests of all nodes are on the branch before the first merge. Those of nodes that were
        merged later are taken out, or made again what they are on the base. No ref names it.
        """
        later = [merge.node for merge in self.merges[number:]]
        paths = [path for node in later for path in self.plan.node(node).tests]
        if not paths:
            return commit
        job = self.bench.job
        tree = job.tree_with(commit, self._as_on_base(paths))
        return job.commit(tree, commit, f"{commit} without the tests of {', '.join(later)}\n")

    def _as_on_base(self, paths: Sequence[str]) -> list[Entry]:
        base = self.plan.base_commit
        found = self.bench.job.entries(base, paths)
        return [found.get(path, Entry(path, ABSENT_MODE, "0" * len(base))) for path in paths]
