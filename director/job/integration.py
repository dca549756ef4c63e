"""The integration gate: all tests and ``[gates]`` on the finished branch, and on the base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from director.job.context import JobContext
from director.job.gate_report import GateReport, run_gate, told
from director.job.side_by_side import side_by_side
from director.job.stage import read_stage, write_stage
from director.job.views import Views
from director.model.codec.encoding import encode_any
from director.model.errors import RequestError
from director.model.integration_gates import BaseGates
from director.model.merge_policy import CONTRACT
from director.model.plan import FrozenTests, Plan
from director.model.reason import Reason
from director.model.receipt import GREEN, Receipt
from director.records.events import Kind
from director.records.job_directory import JobDirectory
from director.records.logs import log_called
from director.worktrees.gates import Verdict


def gate_base(job: JobContext, base: str, known: BaseGates) -> dict[str, dict[str, str]]:
    """Run ``[gates]`` on the base commit, but for commands that ran there before (``known``).

    Returns name → command, verdict, reason and log. What could not run is tried again.
    """
    ran = {gate["command"]: gate for gate in known.values() if gate["verdict"] != Verdict.BROKEN}
    return {
        name: dict(ran[command]) if command in ran else _on_base(job, base, name, command)
        for name, command in job.config.gates.items()
    }


def refuse_broken(job: JobDirectory, found: BaseGates, advice: Callable[[], str] = str) -> None:
    """Raise RequestError for gates that cannot run on the base: no work could ever pass them.

    ``advice`` gives what the user may try first, in words ("": nothing in particular).
    """
    broken = [
        f"{name} ({gate['reason']}): `{gate['command']}`; see {log_called(job.path, gate['log'])}"
        for name, gate in found.items()
        if gate["verdict"] == Verdict.BROKEN
    ]
    if broken:
        raise RequestError(
            f"a gate cannot run on the base commit: {', '.join(broken)}",
            f"{advice()}correct [gates], or provide what it needs (a program on PATH, `setup` of "
            "[worktree], more time by [limits] node_timeout_secs), then run the command again "
            "(--allow-broken-gates continues as it is)",
            Reason.GATE_BROKEN,
        )


def check_base(job: JobContext, base: str, *, allow: bool = False) -> None:
    """Run those of ``[gates]`` on the base that planning did not; raises as ``refuse_broken``.

    ``allow``: it does not, and is remembered, as if planning had been told so.
    """
    stage = read_stage(job.directory)
    known = (stage.base_gates if stage else None) or {}
    found = gate_base(job, base, known)
    allow = allow or bool(stage and stage.allow_broken_gates)
    if stage and (found, allow) != (known, stage.allow_broken_gates):
        new = stage._replace(base_gates=found, allow_broken_gates=allow)
        write_stage(job.directory, new)
    if not allow:
        refuse_broken(job.directory, found)


def integrate(job: JobContext, views: Views, lanes: int) -> tuple[GateReport, ...]:
    """Run what must be green on the tip when all nodes are done, and explain what is not.

    These are the tests of the nodes, all together, and ``[gates]``, each on a clean checkout.
    """
    tip = job.repository.tip()
    reports = [_tell(job, report) for report in run_tests(job, views.plan, tip, lanes)]
    for name, command in job.config.gates.items():
        result = run_gate(job, tip, command, f"integration.{name}")
        reports.append(_tell(job, GateReport.of(name, result)))
    stage = read_stage(job.directory)  # command → verdict, as planning saw it on the base
    on_base = (stage.base_gates if stage else None) or {}
    recorded = {gate["command"]: gate["verdict"] for gate in on_base.values()}
    return tuple(_explained(job, views, report, recorded) for report in reports)


def _tell(job: JobContext, report: GateReport) -> GateReport:
    job.events.emit(
        Kind.INTEGRATION_GATE,
        name=report.name,
        command=report.command,
        verdict=report.verdict,
        reason=report.reason,
        log=report.log,
        nodes=list(report.nodes),
        failure=encode_any(report.failure),
    )
    return report


def _on_base(job: JobContext, base: str, name: str, command: str) -> dict[str, str]:
    result = run_gate(job, base, command, f"base.{name}")
    found = {
        "command": command,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "log": result.recorded_log,
    }
    job.events.emit(Kind.BASE_GATE, name=name, **found, failure=told(result)["failure"])
    return found


def _explained(
    job: JobContext, views: Views, report: GateReport, recorded: Mapping[str, str]
) -> GateReport:
    """Return the report with what the base says of the gate, and with the merge to blame."""
    before = None if report.nodes else recorded.get(report.command)
    if report.verdict is Verdict.GREEN:
        return report._replace(red_before=None if before is None else before == Verdict.RED)
    if report.nodes:
        from director.job.blaming import blamed  # of a red gate

        report = blamed(job, views, report)
    else:
        report = _against_base(job, views, report, before)
    job.events.emit(
        Kind.BLAME,
        report.turned_red_by.node if report.turned_red_by else None,
        name=report.name,
        red_before=report.red_before,
        commit=report.turned_red_by.commit if report.turned_red_by else None,
        note=report.note,
        failure=encode_any(report.failure),
    )
    return report


def _against_base(
    job: JobContext, views: Views, report: GateReport, before: str | None
) -> GateReport:
    """Explain one of ``[gates]`` that is not green by what it says, or ``before`` said, there."""
    known = before
    if before != Verdict.GREEN:  # only a run now excuses the job, not a file
        base = views.plan.base_commit
        before = _on_base(job, base, report.name, report.command)["verdict"]
    broken = {before, known} == {Verdict.BROKEN}
    report = report._replace(red_before=before == Verdict.RED, broken_before=broken)
    if before == Verdict.GREEN:
        from director.job.blaming import blamed

        return blamed(job, views, report)
    if before == Verdict.BROKEN:
        return report._replace(note="it could not run on the base, so no merge is blamed")
    was = "as before the job" if report.ok else "and red before the job"
    return report._replace(note=f"{report.verdict}, {was}")


def run_tests(job: JobContext, plan: Plan, tip: str, lanes: int) -> Iterator[GateReport]:
    """Run each test command once on ``tip``, ``lanes`` at a time; give one report for each.

    Left out is what was green on exactly that tree before a merge: a node's gate, the contract.
    Where others are red, it runs too: what made them red may have come since.
    """
    wanted = tests_to_run(plan, job.repository.receipts.values(), job.repository.tree(tip))
    left_out = [one for one in plan.tests_by_command().values() if one not in wanted]

    def run(tests: FrozenTests) -> GateReport:
        ids = tests.nodes
        result = run_gate(job, tip, tests.command, f"integration.tests.{ids[0]}", tests.tests)
        return GateReport.of(f"tests of {', '.join(ids)}", result, ids)

    red = False
    for some in (wanted, left_out):
        named = ((f"tests of {tests.nodes[0]}", tests) for tests in some)
        for report in side_by_side(run, named, lanes):
            red = red or not report.ok
            yield report
        if not red:
            return


def tests_to_run(plan: Plan, receipts: Iterable[Receipt], tree: str) -> list[FrozenTests]:
    """Return the tests that are to run on ``tree``, those of one command together."""
    runs = [(one.node, run) for one in receipts for run in one.gates]
    green_there = [(node, run) for node, run in runs if (run.tree, run.verdict) == (tree, GREEN)]
    contract = {run.command for _, run in green_there if run.purpose == CONTRACT}
    green = {(node, run.command) for node, run in green_there}
    return [
        tests
        for command, tests in plan.tests_by_command().items()
        if command not in contract and any((one, command) not in green for one in tests.nodes)
    ]
