"""What nodes cost and took so far in a repository, to say what the next ones may."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any, NamedTuple

from director.model.state import NodeStatus
from director.model.usage import LARGEST
from director.records import json_lines
from director.records.job_directory import JobDirectory
from director.records.ledger import read_calls

JOBS = 50  # the last ones that are looked at


class Expectation(NamedTuple):
    """What a node may cost in US dollars and take in seconds; None: nothing is known.

    ``nodes`` is the number of nodes it is the median of.
    """

    usd: float | None = None
    secs: float | None = None
    nodes: int = 0


class _Ended(NamedTuple):
    difficulty: str
    usd: float | None
    secs: float | None


def expectations(directory: JobDirectory) -> dict[str, Expectation]:
    """Return difficulty → what a node of it may cost and take, by the nodes done so far.

    The jobs are the current one and those that are archived.
    """
    archived = list(directory.archived().values())[-JOBS:]
    found: dict[str, list[_Ended]] = defaultdict(list)
    for job in (*archived, directory):
        for one in _nodes_of(job):
            found[one.difficulty].append(one)
    return {difficulty: _expected(nodes) for difficulty, nodes in found.items()}


def _nodes_of(job: JobDirectory) -> Iterator[_Ended]:
    """Give the nodes of a job that are done, each once."""
    lines = [line for line in json_lines.read_lines(job.metrics) if line.get("kind") == "node"]
    last = {str(line.get("node")): line for line in lines}
    done = {one: line for one, line in last.items() if line.get("status") == NodeStatus.DONE}
    costs = _costs(job) if done else {}
    for node_id, line in done.items():
        usd = costs.get(node_id, _number(line, "cost_usd"))
        yield _Ended(str(line.get("difficulty")), usd, _number(line, "wall_secs"))


def _costs(job: JobDirectory) -> dict[str, float | None]:
    """Return node → what its calls cost (None: one has no price); tests belong to planning."""
    found: dict[str, list[float | None]] = defaultdict(list)
    for call in read_calls(job.costs):
        if call.node and not call.is_for_tests:
            found[call.node].append(call.cost)
    return {node_id: _sum(costs) for node_id, costs in found.items()}


def _sum(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    return None if None in known else sum(one for one in known if one is not None)


def _number(line: Mapping[str, Any], name: str) -> float | None:
    value = line.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < LARGEST else None


def _expected(nodes: Iterable[_Ended]) -> Expectation:
    ended = list(nodes)
    costs = [one.usd for one in ended if one.usd is not None]
    times = [one.secs for one in ended if one.secs is not None]
    return Expectation(
        median(costs) if costs else None, median(times) if times else None, len(ended)
    )
