"""What a job cost, by role, model and node; what has no price is said, never counted as free."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from director.model.cost import Cost
from director.model.format import money
from director.model.state import CallRecord
from director.records.ledger import grouped
from director.reporting.page.elements import Child, tag
from director.reporting.page.marks import bar, link_to, table
from director.reporting.page.page import Page

NODES = 12  # that have a row: the dearest


class Line(NamedTuple):
    """A row of a table of costs."""

    name: str
    calls: int
    tokens: int | None
    cost: Cost


def lines_by(calls: Sequence[CallRecord], key: str) -> list[Line]:
    """Return a line for each role or model (``key``), the dearest first."""
    found = [
        Line(
            name,
            group["calls"],
            sum(group[kind] for kind in KINDS),
            Cost(group["cost_known"], group["unpriced_calls"]),
        )
        for name, group in grouped(calls, key).items()
    ]
    return sorted(found, key=_dearest)


KINDS = ("input", "output", "reasoning", "cache_read", "cache_write")


def lines_of_nodes(page: Page) -> list[Line]:
    """Return a line for each node that cost something, the dearest first."""
    nodes = [one for one in page.status.nodes if one.calls or one.cost.usd]
    return sorted((Line(one.id, one.calls, None, one.cost) for one in nodes), key=_dearest)


def _dearest(line: Line) -> tuple[float, int]:
    return -line.cost.usd, -line.cost.unpriced_calls


def against_ceiling(page: Page) -> str:
    """Return what the job cost, against the ceiling where there is one."""
    cost = page.status.cost
    spent = cost.in_words() if page.status.calls or cost.usd else "nothing yet"
    if not page.ceiling_usd:
        return f"{spent}; no ceiling is configured"
    least = "" if cost.known else "at least "
    share = 100 * cost.usd / page.ceiling_usd
    return f"{spent} of {money(page.ceiling_usd)} ({least}{share:.0f} % of the ceiling)"


def costs(page: Page) -> Iterator[Child]:
    """Give the tables of costs."""
    if not page.status.calls:
        yield tag("p", "No call has been paid for yet.")
        return
    yield tag("p", against_ceiling(page), ".")
    if not page.status.cost.known:
        yield tag("p", "An unpriced call is one whose price is not known: it is not free.")
    yield tag("h3", "By role")
    yield _table("costs by role", "role", lines_by(page.status.calls, "role"))
    yield tag("h3", "By model")
    yield _table("costs by model", "model", lines_by(page.status.calls, "model"))
    nodes = lines_of_nodes(page)
    if nodes:
        yield tag("h3", "By node")
        yield _table("costs by node", "node", nodes[:NODES], linked=True)
    if rest := nodes[NODES:]:
        left = sum((line.cost for line in rest), Cost())
        yield tag("p", f"and {len(rest)} more nodes: {left.in_words()} together.")


def _table(label: str, key: str, lines: Sequence[Line], *, linked: bool = False) -> Child:
    most = max((line.cost.usd for line in lines), default=0.0) or 1.0
    header = (key, "share", "calls", *(() if linked else ("tokens",)), "cost")
    return table(label, header, (_cells(line, most, linked) for line in lines), len(header) - 2)


def _cells(line: Line, most: float, linked: bool) -> list[Child]:
    tokens = [] if linked else [f"{line.tokens or 0:,}"]
    name = link_to(line.name) if linked else line.name
    return [name, bar(line.cost.usd / most), str(line.calls), *tokens, line.cost.in_words()]
