"""What lies at an approval, as a person looks at it: the plan by layers, the spec by headings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from director.model.dag import layers_of
from director.model.format import counted, duration, money
from director.model.patterns import lazy_pattern
from director.model.plan import Node
from director.model.printable import one_line
from director.model.testing.declared_tests import declared_tests
from director.model.testing.runner_command import read_command
from director.reporting.approvals.history import Expectation
from director.reporting.terminal.cells import cut, filled, width_of

UNKNOWN = "–"
NARROWEST = 40
TABLE_FROM = 100  # columns; below that a node takes some lines
NODE_WIDEST = 20
COLUMNS = ("cases", "difficulty", "cost", "time")
GAP = 2
SEPARATOR = " · "

_HEADING = lazy_pattern(r"^(#{1,3})[ \t]+(.+?)[ \t#]*$")
_FENCE = lazy_pattern(r"^\s*(```|~~~)")


class Row(NamedTuple):
    """A node as it is shown. ``cases``: how many tests its files hold, at least (None: unknown)."""

    node: Node
    layer: int
    cases: int | None
    expected: Expectation

    def to_json(self) -> dict[str, Any]:
        """Return the row of ``--json``."""
        node = self.node
        return {
            "id": node.id,
            "title": node.title,
            "layer": self.layer,
            "depends_on": list(node.depends_on),
            "files": list(node.files),
            "tests": list(node.tests),
            "test_cases": self.cases,
            "test_cmd": node.test_cmd,
            "difficulty": node.estimated_difficulty,
            "expected_cost_usd": self.expected.usd,
            "expected_secs": self.expected.secs,
        }


def plan_rows(
    nodes: Sequence[Node], tests: Mapping[str, str], known: Mapping[str, Expectation]
) -> list[Row]:
    """Return the nodes by layers; ``tests`` are the texts of test files, as far as they are there.

    ``known`` says what a node of a difficulty may cost and take.
    """
    layers = layers_of(nodes)
    rows = (
        Row(
            node,
            layers[node.id],
            _cases(node, tests),
            known.get(node.estimated_difficulty, Expectation()),
        )
        for node in nodes
    )
    return sorted(rows, key=lambda row: row.layer)


def _cases(node: Node, tests: Mapping[str, str]) -> int | None:
    texts = {path: tests[path] for path in node.tests if path in tests}
    runners = read_command(node.test_cmd, texts).runners
    counts = (declared_tests(path, text, one) for path, text in texts.items() for one in runners)
    return sum(counts) or None


def plan_table(rows: Sequence[Row], width: int) -> str:
    """Return the plan in lines of at most ``width`` columns (40 or more), with its sums."""
    width = max(width, NARROWEST)
    lines = _table(rows, width) if width >= TABLE_FROM else _list(rows, width)
    return "\n".join([*lines, "", *_sums(rows, width)])


def _table(rows: Sequence[Row], width: int) -> Iterator[str]:
    cells = [_numbers(row) for row in rows]
    narrow = [max(map(len, column)) for column in zip(COLUMNS, *cells, strict=True)]
    first = min(NODE_WIDEST, max([len("node"), *(len(row.node.id) for row in rows)]))
    room = width - first - sum(narrow) - GAP * (3 + len(narrow))
    widths = [first, *_shares(room, rows), *narrow]
    yield _columns(("node", "title", "files", "tests", *COLUMNS), widths)
    for layer, group in groupby(zip(rows, cells, strict=True), lambda pair: pair[0].layer):
        yield f"Layer {layer}"
        for row, numbers in group:
            node = row.node
            words = (node.id, node.title, ", ".join(node.files), ", ".join(node.tests))
            yield _columns((*map(one_line, words), *numbers), widths)


def _shares(room: int, rows: Sequence[Row]) -> tuple[int, int, int]:
    """Divide columns among titles, files and tests: what one does not need the next one has."""
    files = min(max(len(", ".join(row.node.files)) for row in rows), room * 3 // 10)
    tests = min(max(len(", ".join(row.node.tests)) for row in rows), room * 3 // 10)
    titles = max(len("title"), *(width_of(one_line(row.node.title)) for row in rows))
    files, tests = max(files, 5), max(tests, 5)
    return min(titles, room - files - tests), files, tests


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    parts = (filled(cut(cell, width), width) for cell, width in zip(cells, widths, strict=True))
    return (" " * GAP).join(parts).rstrip()


def _numbers(row: Row) -> tuple[str, str, str, str]:
    cases = UNKNOWN if row.cases is None else str(row.cases)
    return cases, row.node.estimated_difficulty, *_expected(row.expected)


def _expected(expected: Expectation) -> tuple[str, str]:
    usd = UNKNOWN if expected.usd is None else money(expected.usd)
    return usd, UNKNOWN if expected.secs is None else duration(expected.secs)


def _list(rows: Sequence[Row], width: int) -> Iterator[str]:
    for layer, group in groupby(rows, lambda row: row.layer):
        yield f"Layer {layer}"
        for row in group:
            node = row.node
            yield cut(f"  {node.id}  {one_line(node.title)}", width)
            cases = "" if row.cases is None else f" ({counted(row.cases, 'case')})"
            parts = [
                *node.files,
                *(f"{path}{cases if path == node.tests[-1] else ''}" for path in node.tests),
            ]
            yield from joined([*parts, node.estimated_difficulty, *_told(row.expected)], width)


def _told(expected: Expectation) -> list[str]:
    return [part for part in _expected(expected) if part != UNKNOWN]


def joined(parts: Iterable[str], width: int, indent: str = "    ") -> Iterator[str]:
    """Give lines of at most ``width`` columns with as many of ``parts`` in each as fit."""
    line = ""
    for part in map(one_line, parts):
        longer = f"{line}{SEPARATOR}{part}" if line else f"{indent}{part}"
        if line and width_of(longer) > width:
            yield line
            longer = f"{indent}{part}"
        line = cut(longer, width)
    if line:
        yield line


def _sums(rows: Sequence[Row], width: int) -> Iterator[str]:
    cases = sum(row.cases or 0 for row in rows)
    layers = counted(len({row.layer for row in rows}), "layer")
    parts = [f"{counted(len(rows), 'node')} in {layers}"]
    if cases:
        parts.append(counted(cases, "test case"))
    yield from joined(parts, width, "")
    costs = [row.expected.usd for row in rows if row.expected.usd is not None]
    times = [row.expected.secs for row in rows if row.expected.secs is not None]
    if costs or times:
        yield from joined(_forecast(rows, costs, times), width, "")


def _forecast(rows: Sequence[Row], costs: Sequence[float], times: Sequence[float]) -> Iterator[str]:
    if costs:
        yield f"expected cost {money(sum(costs))}{_of(costs, rows)}"
    if times:
        yield f"time {duration(sum(times))} one after another{_of(times, rows)}"
    seen = sum({row.node.estimated_difficulty: row.expected.nodes for row in rows}.values())
    yield f"by {counted(seen, 'node')} done before"


def _of(known: Sequence[float], rows: Sequence[Row]) -> str:
    return "" if len(known) == len(rows) else f" for {len(known)} of {len(rows)}"


def spec_outline(text: str, width: int) -> str:
    """Return the headings of a spec, each in a line of at most ``width`` columns."""
    shown = (f"{'  ' * (level - 1)}{one_line(title)}" for level, title in _headings(text))
    return "\n".join(cut(f"  {line}", width) for line in shown)


def _headings(text: str) -> Iterator[tuple[int, str]]:
    fenced, found = False, []
    for line in text.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line)):
            found.append((len(heading[1]), heading[2]))
    top = min((level for level, _ in found), default=1)
    yield from ((level - top + 1, title) for level, title in found)
