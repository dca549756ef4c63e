"""The gates on the merged tree: every frozen test, and ``[gates]``, each on a clean checkout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from director.job.evidence import with_evidence
from director.job.gate_report import GateReport, told
from director.job.job_worktrees import JobWorktrees
from director.model.config import Config
from director.model.plan import Node
from director.records.events import Events, Kind
from director.worktrees.gates import GateResult, Verdict


class Gating:
    """Runs gates on commits. ``excused`` are verdicts that do not count where they are older.

    ``before`` is the commit without the job's work: a gate that is red there is not its doing.
    """

    def __init__(
        self, worktrees: JobWorktrees, events: Events, excused: Collection[Verdict], before: str
    ) -> None:
        self._job = worktrees.repository
        self._pool = worktrees.pool
        self._gates = worktrees.gates
        self._events = events
        self._excused = excused
        self._before = before
        self._paths: dict[str, tuple[str, ...]] = {}

    def judge(self, commit: str, nodes: Sequence[Node], config: Config) -> tuple[GateReport, ...]:
        """Return a report of each gate on ``commit``, which holds the work of ``nodes``."""
        self._pool.set_up_on(lambda: commit)
        reports = (*self._tests(commit, nodes), *self._own(commit, config))
        return tuple(reports)

    def fails_on(self, commit: str, report: GateReport) -> bool:
        """Whether the gate of a report is not green on another commit either."""
        result = self._run(report.command, commit, "land.alone")
        tests = self._paths.get(report.command, ())
        return with_evidence(self._job, tests, commit, result).verdict is not Verdict.GREEN

    def _tests(self, commit: str, nodes: Sequence[Node]) -> Iterator[GateReport]:
        by_command: defaultdict[str, list[Node]] = defaultdict(list)
        for node in nodes:
            by_command[node.test_cmd].append(node)
        for command, some in by_command.items():
            ids = tuple(node.id for node in some)
            tests = tuple(dict.fromkeys(path for node in some for path in node.tests))
            self._paths[command] = tests
            result = self._run(command, commit, f"land.tests.{ids[0]}")
            result = with_evidence(self._job, tests, commit, result)
            yield self._told(GateReport.of(f"tests of {', '.join(ids)}", result, ids), result)

    def _own(self, commit: str, config: Config) -> Iterator[GateReport]:
        for name, command in config.gates.items():
            result = self._run(command, commit, f"land.{name}")
            report = GateReport.of(name, result)
            if result.verdict in self._excused:
                before = self._run(command, self._before, f"land.before.{name}").verdict
                if before is result.verdict:
                    red = before is Verdict.RED
                    report = report._replace(red_before=red, broken_before=not red)
            yield self._told(report, result)

    def _run(self, command: str, commit: str, name: str) -> GateResult:
        with self._pool.lease_gate(commit) as worktree:
            return self._gates.run(command, worktree.path, name)

    def _told(self, report: GateReport, result: GateResult) -> GateReport:
        self._events.emit(
            Kind.LANDING_GATE,
            name=report.name,
            command=report.command,
            nodes=list(report.nodes),
            **told(result),
        )
        return report
