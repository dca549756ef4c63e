"""All that is on record of one node, on a page: pure, from what ``node_reader`` has read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from director.agents.transcript import ToolKind, ToolUse
from director.agents.watch_it_fail import runs_of_tests
from director.model.cost import Cost
from director.model.format import counted, duration, money
from director.model.plan import Node
from director.model.printable import one_line
from director.model.state import Attempt, NodeState, NodeStatus
from director.reporting.logs.log_view import review_lines, words_of
from director.reporting.logs.node_log import AttemptLog, ReviewLog
from director.reporting.logs.step_view import INDENT, prose, quoted
from director.reporting.terminal.cells import cut, width_of
from director.reporting.terminal.style import Paint, Style

MARKS = {NodeStatus.DONE: "✓", NodeStatus.FAILED: "✗", NodeStatus.RUNNING: "●"}
COLOURS = {
    NodeStatus.DONE: Paint.GREEN,
    NodeStatus.FAILED: Paint.RED,
    NodeStatus.RUNNING: Paint.CYAN,
}
NAMED = 10  # columns of the names at the left
HEADER = ("#", "tier", "model", "call", "gate", "diff", "cost", "time")
DROPPED = ("model", "call", "time", "diff", "cost", "tier")
"""Columns of attempts that a narrow window goes without, the first first."""
UNKNOWN = "–"


class Said(NamedTuple):
    """The last call of a node's agent: what it says of its work, and what it did.

    ``complete``: its CLI, called ``title``, tells of every command.
    """

    words: str
    tools: Sequence[ToolUse]
    complete: bool
    title: str


class Output(NamedTuple):
    """What a gate said: its command ("": not known), exit code, the end that matters, the file."""

    command: str
    exit_code: int | None
    headline: str
    lines: Sequence[str]
    log: str


@dataclass(frozen=True)
class NodePage:
    """One node. ``needs`` and ``needed_by`` are the nodes around it, each with its status.

    ``tries`` are the attempts as the state has them, ``attempts`` as the journal has. ``cost`` is
    that of the calls for its work, ``tests_cost`` that of those for its tests. ``paths`` are its
    logs: what they are → where. ``next`` is what can be done: command → what for.
    """

    node: Node
    state: NodeState
    needs: Sequence[tuple[str, NodeStatus]]
    needed_by: Sequence[tuple[str, NodeStatus]]
    attempts: Sequence[AttemptLog]
    tries: Sequence[Attempt]
    cost: Cost
    tests_cost: Cost
    said: Said | None
    output: Output | None
    review: ReviewLog | None
    paths: Sequence[tuple[str, str]]
    next: Sequence[tuple[str, str]]


def page_lines(page: NodePage, style: Style) -> Iterator[str]:
    """Give the page, line by line."""
    yield from _head(page, style)
    for part in (_attempts, _gate, _words, _review, _paths, _next):
        if lines := [*part(page, style)]:
            yield ""
            yield from lines


def _head(page: NodePage, style: Style) -> Iterator[str]:
    status, node = page.state.status, page.node
    title = f"{MARKS.get(status, '·')} {node.id}  {one_line(node.title)}"
    yield style.painted(cut(title, style.width), COLOURS.get(status, Paint.BOLD))
    yield from _named("status", _status(page), style)
    if page.state.error:
        yield from _named("why", page.state.error, style)
    yield from _named("files", ", ".join(node.files), style)
    if node.repairs:
        turned_red = f"turned red by the merge of {node.repairs.blames}"
        repairs = f"integration gate {node.repairs.gate}, {turned_red}; all tests stay green"
        yield from _named("repairs", repairs, style)
    else:
        yield from _named("tests", ", ".join(node.tests), style)
    yield from _named("command", node.test_cmd, style)
    if page.needs:
        yield from _named("needs", _listed(page.needs), style)
    if page.needed_by:
        yield from _named("needed by", _listed(page.needed_by), style)


def _status(page: NodePage) -> str:
    state = page.state
    told: list[str] = [str(state.status)]
    if state.attempts:
        told.append(counted(state.attempts, "attempt"))
    if page.cost != Cost():
        told.append(page.cost.in_words())
    if page.tests_cost != Cost():
        told.append(f"its tests {page.tests_cost.in_words()}")
    if state.wall_secs:
        told.append(duration(state.wall_secs))
    return " · ".join(told)


def _listed(nodes: Sequence[tuple[str, NodeStatus]]) -> str:
    return ", ".join(f"{name} ({status})" for name, status in nodes)


def _named(name: str, text: str, style: Style) -> Iterator[str]:
    """Give a name and its text, which stands beside it, wrapped."""
    beside = " " * (NAMED + len(INDENT))
    for number, line in enumerate(prose(style, one_line(text), beside)):
        yield line if number else f"{INDENT}{name:{NAMED}}{line[len(beside) :]}"


def _attempts(page: NodePage, style: Style) -> Iterator[str]:
    if not page.attempts:
        return
    rows = [_row(attempt, _try(page, attempt)) for attempt in page.attempts]
    kept = list(HEADER)
    for name in DROPPED:
        if _table_width(kept, rows) <= style.width:
            break
        kept.remove(name)
    places = [HEADER.index(name) for name in kept]
    cells = [[line[place] for place in places] for line in (HEADER, *rows)]
    widths = [max(width_of(line[column]) for line in cells) for column in range(len(kept))]
    for number, line in enumerate(cells):
        padded = (cell + " " * (width - width_of(cell))
                  for cell, width in zip(line, widths, strict=True))  # fmt: skip
        text = cut("  ".join(padded).rstrip(), style.width)
        yield style.painted(text, Paint.PLAIN if number else Paint.DIM)
    if same := same_headline(page.attempts):
        times = f"all {len(page.attempts)} attempts failed in the same way"
        yield from prose(style, f"{times}: {one_line(same)}", "")


def _table_width(kept: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    columns = ([name, *(row[HEADER.index(name)] for row in rows)] for name in kept)
    return sum(2 + max(map(width_of, cells)) for cells in columns) - 2


def _try(page: NodePage, attempt: AttemptLog) -> Attempt | None:
    found = [one for one in page.tries if one.number == attempt.number and one.number]
    return found[-1] if found else None


def _row(attempt: AttemptLog, tried: Attempt | None) -> tuple[str, ...]:
    calls, outcome = attempt.work, words_of(attempt.outcome) or UNKNOWN
    secs = [one.secs for one in calls if one.secs is not None]
    ended = [one for one in calls if one.outcome]
    cost = Cost.of(one.cost for one in ended)
    diff = f"{tried.files} +{tried.added} -{tried.removed}" if tried and tried.files else UNKNOWN
    return (
        str(attempt.number),
        attempt.tier,
        one_line(attempt.model),
        (calls[-1].outcome or "under way") if calls else UNKNOWN,
        outcome,
        diff,
        (cost.in_words() if cost.known else money(None)) if ended else UNKNOWN,
        duration(sum(secs)) if secs else UNKNOWN,
    )


def same_headline(attempts: Sequence[AttemptLog]) -> str:
    """Return the headline that all of several attempts failed with, "" where they differ."""
    said = {one.failure.headline if one.failure else "" for one in attempts}
    return said.pop() if len(attempts) > 1 and len(said) == 1 else ""


def _gate(page: NodePage, style: Style) -> Iterator[str]:
    found = page.output
    if found is None or page.state.status is NodeStatus.DONE:
        return
    lines = found.lines if any(map(str.strip, found.lines)) else ()
    if not found.command and not lines:
        return  # none was run: there was no candidate
    verdict = "" if lines else one_line(found.headline)
    if found.exit_code is not None:
        verdict = f"exit code {found.exit_code}"
    arrow = f" → {verdict}" if verdict else ""
    yield style.painted("the last gate", Paint.BOLD)
    yield from prose(style, f"{one_line(found.command or page.node.test_cmd)}{arrow}")
    yield from quoted(style, lines)


def _words(page: NodePage, style: Style) -> Iterator[str]:
    if page.said is None:
        return
    yield style.painted("the agent", Paint.BOLD)
    words = page.said.words or "(nothing)"
    yield from _beside("it says", words, style)
    for fact in what_happened(page.said, page.node):
        yield from _beside("in fact", fact, style)
    gate = page.output
    if gate and gate.command and gate.headline and page.state.status is not NodeStatus.DONE:
        yield from _beside("the gate", gate.headline, style)


def _beside(name: str, text: str, style: Style) -> Iterator[str]:
    beside = " " * (NAMED + len(INDENT))
    for number, line in enumerate(prose(style, text, beside)):
        yield line if number else f"{INDENT}{name:{NAMED}}{line[len(beside) :]}"


def what_happened(said: Said, node: Node) -> list[str]:
    """Return what an agent really did about its node's tests and files, a sentence each."""
    edited = [use for use in said.tools if use.kind is ToolKind.EDIT and use.carried_out]
    paths = {path for use in edited for path in use.paths}
    refused = sum(not use.carried_out for use in said.tools)
    facts = [_of_tests(said, node)]
    facts += ["no edit of its is on record"] if not edited else []
    facts += [f"it edited {counted(len(paths), 'file')}"] if paths else []
    facts += [f"{counted(refused, 'tool call')} failed or was refused"] if refused == 1 else []
    facts += [f"{refused} tool calls failed or were refused"] if refused > 1 else []
    return facts


def _of_tests(said: Said, node: Node) -> str:
    runs = runs_of_tests(said.tools, node)
    if not runs and said.complete:
        return "it never ran the test command"
    if not runs:
        return (
            f"no run of the test command is on record ({said.title} does not tell of every command)"
        )
    code = runs[-1].exit_code
    last = f"exit code {code}" if code is not None else "no exit code"
    if len(runs) == 1:
        return f"it ran the test command once, {last}"
    return f"it ran the test command {len(runs)} times, last {last}"


def _review(page: NodePage, style: Style) -> Iterator[str]:
    if page.review:
        yield from review_lines(page.review, style)


def _paths(page: NodePage, style: Style) -> Iterator[str]:
    if page.paths:
        yield style.painted("logs", Paint.BOLD)
        width = max(len(name) for name, _ in page.paths)
        for name, path in page.paths:
            beside = f"{INDENT}{name:{width}}  {path}"
            fits = width_of(beside) <= style.width  # a path is copied: it is not broken
            yield from [beside] if fits else [f"{INDENT}{name}", path]


def _next(page: NodePage, style: Style) -> Iterator[str]:
    if page.next:
        yield style.painted("Next, one of:" if len(page.next) > 1 else "Next:", Paint.BOLD)
        width = max(len(command) for command, _ in page.next)
        for command, purpose in page.next:
            both = f"{INDENT}{command:{width}}  {purpose}"
            fits = width_of(both) <= style.width
            yield both if fits else f"{INDENT}{command}"
