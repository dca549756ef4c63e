"""The frozen tests of all nodes, together on the tip, when the last one has merged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from director.job.context import JobContext
from director.job.gate_report import GateReport, run_gate
from director.model.plan import Node, Plan
from director.model.receipt import Receipt


def run_tests(job: JobContext, plan: Plan, tip: str, lanes: int) -> Iterator[GateReport]:
    """Run each test command once on ``tip``, ``lanes`` at a time; give one report for each.

    Left out are nodes whose gate was green on exactly that tree when they merged.
    """
    wanted = tests_to_run(plan, job.repository.receipts.values(), job.repository.tree(tip))
    if not wanted:
        return

    def run(nodes: list[Node]) -> GateReport:
        tested = _together(nodes)
        result = run_gate(job, tip, tested.test_cmd, f"tip-{nodes[0].id}", tested)
        ids = tuple(node.id for node in nodes)
        name, log = f"tests of {', '.join(ids)}", str(result.log)
        return GateReport(name, tested.test_cmd, result.verdict, result.reason, log, nodes=ids)

    with ThreadPoolExecutor(min(lanes, len(wanted)), thread_name_prefix="lane") as pool:
        yield from pool.map(run, wanted)


def tests_to_run(plan: Plan, receipts: Iterable[Receipt], tree: str) -> list[list[Node]]:
    """Return the nodes whose tests are to run on ``tree``, those of one command together."""
    last = {receipt.node: receipt.gates[-1] for receipt in receipts if receipt.gates}
    by_command: dict[str, list[Node]] = {}
    for node in plan.nodes:
        by_command.setdefault(node.test_cmd, []).append(node)
    seen = {node_id: (run.command, run.tree) for node_id, run in last.items()}
    return [
        nodes
        for command, nodes in by_command.items()
        if any(seen.get(node.id) != (command, tree) for node in nodes)
    ]


def tested_by(plan: Plan, report: GateReport) -> Node | None:
    """Return a node that has the tests of all nodes of a report; None: the report has no nodes."""
    return _together([plan.node(one) for one in report.nodes]) if report.nodes else None


def _together(nodes: list[Node]) -> Node:
    tests = dict.fromkeys(path for node in nodes for path in node.tests)
    return nodes[0]._replace(tests=tuple(tests))
