"""The frozen tests of all nodes, together on the tip, when the last one has merged."""

from __future__ import annotations

from collections import defaultdict
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
        ids = tuple(node.id for node in nodes)
        result = run_gate(job, tip, nodes[0].test_cmd, f"tip-{ids[0]}", tests_of(plan, ids))
        return GateReport.of(f"tests of {', '.join(ids)}", result, ids)

    with ThreadPoolExecutor(min(lanes, len(wanted)), thread_name_prefix="lane") as pool:
        yield from pool.map(run, wanted)


def tests_to_run(plan: Plan, receipts: Iterable[Receipt], tree: str) -> list[list[Node]]:
    """Return the nodes whose tests are to run on ``tree``, those of one command together."""
    green = {(one.node, run.command) for one in receipts for run in one.gates if run.tree == tree}
    by_command: defaultdict[str, list[Node]] = defaultdict(list)
    for node in plan.nodes:
        by_command[node.test_cmd].append(node)
    return [
        nodes
        for command, nodes in by_command.items()
        if any((node.id, command) not in green for node in nodes)
    ]


def tests_of(plan: Plan, node_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the tests of these nodes, each once."""
    return tuple(dict.fromkeys(path for one in node_ids for path in plan.node(one).tests))
