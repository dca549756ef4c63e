"""Why nodes and integration gates failed: what a person needs to see of each, and where it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from director.model.failure import Failure
from director.model.format import counted
from director.model.printable import one_line, printable
from director.model.state import NodeStatus
from director.reporting.status.next_steps import CURRENT, Asked, listening_to, looking_at
from director.reporting.status.reader import DETAILED
from director.reporting.status.status import NodeNow, Status
from director.reporting.terminal.cells import filled, width_of, wrapped, wrapped_command
from director.reporting.terminal.layout import beside, paragraph, shortened
from director.reporting.terminal.style import Line, Paint, Span, Style

EXCERPT_LINES = 12
LINE_CELLS = 400  # of a line that a tool printed: no person reads longer ones
LISTED = 20  # failed nodes that have a line each, beyond those that are explained
WORDS = {
    "no_test_ran": "no test was seen to run",
    "unchanged": "the agent changed nothing",
    "out_of_scope": "the agent changed files outside its allowlist",
    "contract_violated": "the agent changed frozen tests",
    "flaky": "flaky: the tests pass and fail on the same tree",
    "blocked_by_review": "a reviewer objects",
    "collided": "the merge collided with another one",
    "regression": "the change breaks tests of other nodes",
    "context_too_long": "the prompt is too long for the model",
    "unresolved": "the agent left lines that mark a conflict",
    "rebased": "it does not hold on the new base",
    "as_before": "the tests fail whatever the work is",
    "broken": "the command could not run",
}
LABEL = 8  # cells of "output", "diff" and "agent" with the blanks after them


def failed_nodes(
    status: Status, style: Style, folder: str, asked: Asked = CURRENT
) -> Iterator[list[Line]]:
    """Give a block of lines for each failed node; ``folder`` is the job's, as it is shown."""
    failed = status.of(NodeStatus.FAILED)
    for node in failed[:DETAILED]:
        yield [
            *_heading(node, style),
            *_reason(node, style),
            *_paths(node, status, style, folder, asked),
        ]
    if rest := failed[DETAILED:]:
        yield _listed(rest, style)


def red_gates(status: Status, style: Style, folder: str) -> Iterator[list[Line]]:
    """Give a block of lines for each integration gate that the job has to answer for."""
    for gate in status.red_gates[:DETAILED]:
        name = Span(f"✗ {one_line(gate.name)}", Paint.RED)
        lines = beside((name,), Span("integration gate"), style)
        failure = gate.failure or Failure(gate.verdict, gate.command, headline=gate.reason)
        lines += _command(failure, "" if failure.exit_code is not None else gate.verdict, style)
        lines += excerpt(failure, style) + _hint(failure, style)
        if gate.note:
            lines += paragraph(one_line(gate.note), style, 4, Paint.BOLD)
        yield lines + _labelled([_output(failure.log or gate.log, status.log_lines, folder)], style)


def _heading(node: NodeNow, style: Style) -> list[Line]:
    title = one_line(node.planned.title)
    left = (Span(f"✗ {node.id}", Paint.RED), Span(f"  {title}"))
    right = Span(_attempts(node))
    room = style.measure - width_of(f"✗ {node.id}    {right.text}")
    if width_of(title) > room >= 16:
        left = (left[0], Span(f"  {shortened(title, room)}"))
    if width_of(f"✗ {node.id}  {title}") > style.width:
        return [(left[0],), *paragraph(title, style, 4), *paragraph(right.text, style, 4)]
    return beside(left, right, style)


def _attempts(node: NodeNow) -> str:
    tiers = [one.role.value for one in node.state.past_attempts]
    count = len(tiers) or node.state.attempts
    if not count:
        return "no attempt was made"
    return (
        f"{counted(count, 'attempt')}: {', '.join(tiers)}" if tiers else counted(count, "attempt")
    )


def _reason(node: NodeNow, style: Style) -> list[Line]:
    """Return command and exit code, and the lines that say why."""
    failure = node.failure
    error = node.state.error or ""
    if failure is None:
        return _barred(error.strip().splitlines()[:EXCERPT_LINES], style)
    same = f"same failure {node.same_failure} times" if node.same_failure else ""
    lines = _command(failure, same, style)
    told = excerpt(failure, style) or _barred(error.strip().splitlines()[:EXCERPT_LINES], style)
    around = paragraph(_around(node), style, 4, Paint.YELLOW) if node.state.environment else []
    return [*lines, *told, *_hint(failure, style), *around]


def _hint(failure: Failure, style: Style) -> list[Line]:
    return paragraph(one_line(failure.hint), style, 4, Paint.YELLOW) if failure.hint else []


def _around(node: NodeNow) -> str:
    spent = "; no attempt was spent on it" if not node.state.past_attempts else ""
    return f"its environment, not a model, made it fail{spent}"


def _command(failure: Failure, aside: str, style: Style) -> list[Line]:
    """Return the command and how it ended, on one line where they fit."""
    said = [WORDS[failure.kind]] if failure.kind in WORDS else []
    if failure.exit_code is not None:
        said = [f"exit code {failure.exit_code}", *said]
    elif failure.command and not said:
        said = ["it did not end by itself"] if not aside else []
    ended = ", ".join(said)
    if aside:
        ended = f"{ended} ({aside})" if ended else aside
    if not failure.command:
        return paragraph(ended, style, 4) if ended else []
    command = one_line(failure.command)
    if 4 + width_of(command) + 3 + width_of(ended) <= style.measure:
        return [(Span(f"    {command}", Paint.BOLD), Span(f"   {ended}"))]
    return [*command_lines(command, style, 4), *(paragraph(ended, style, 4) if ended else [])]


def excerpt(failure: Failure, style: Style) -> list[Line]:
    """Return the lines that say why, with bars; the headline is among them."""
    lines = [line for line in failure.excerpt.splitlines() if line.strip()][:EXCERPT_LINES]
    headline = failure.headline.strip()
    if headline and not any(headline in line for line in lines):
        lines = [headline, *lines[: EXCERPT_LINES - 1]]
    return _barred(lines, style)


def _barred(lines: Sequence[str], style: Style) -> list[Line]:
    bar = Span("    │ ", Paint.DIM)
    return [
        (bar, Span(part))
        for line in lines
        for part in wrapped(
            shortened(printable(line.rstrip()).expandtabs(4), LINE_CELLS), style.width - 6
        )
    ]


def _paths(node: NodeNow, status: Status, style: Style, folder: str, asked: Asked) -> list[Line]:
    """Return where the output, the change and the agent's words are."""
    failure, found = node.failure, []
    if failure and failure.log:
        found.append(_output(failure.log, status.log_lines, folder))
    if failure and failure.candidate:
        found.append(("diff", shlex.join(looking_at(node.id, asked, diff=True)), ""))
    if node.state.past_attempts or node.state.attempts:
        found.append(("agent", shlex.join(listening_to(node.id, asked)), ""))
    return _labelled(found, style)


def _output(log: str, log_lines: Mapping[str, int], folder: str) -> tuple[str, str, str]:
    path = log if log.startswith("/") else f"{folder}/{log}"
    count = log_lines.get(log)
    return "output", one_line(path) if log else "", f"({counted(count, 'line')})" if count else ""


def _labelled(found: Sequence[tuple[str, str, str]], style: Style) -> list[Line]:
    """Return a line for each label, text and aside; a text without room has a line of its own."""
    found = [one for one in found if one[1]]
    lines: list[Line] = []
    for label, text, aside in found:
        line = f"    {filled(label, LABEL)}{text}"
        if aside and width_of(line) + 2 + width_of(aside) <= style.measure:
            line = (
                f"{filled(line, 50)}  {aside}"
                if width_of(line) < 50 and style.measure >= 70
                else f"{line}  {aside}"
            )
            aside = ""
        if width_of(line) <= style.width:
            lines.append((Span(line),))
        else:
            lines += [(Span(f"    {label}"),), *command_lines(text, style, 6)]
        lines += paragraph(aside, style, 6) if aside else []
    return lines


def command_lines(command: str, style: Style, indent: int) -> list[Line]:
    """Return a command; broken between words so that what is copied is one command still."""
    parts = wrapped_command(command, style.width - indent, " " * 4)
    return [(Span(" " * indent), Span(part, Paint.BOLD)) for part in parts]


def _listed(nodes: Sequence[NodeNow], style: Style) -> list[Line]:
    """Return a line for each of ``nodes``, with what a person would quote."""
    lines: list[Line] = []
    for node in nodes[:LISTED]:
        failure = node.failure
        said = failure.headline if failure else ""
        text = f"✗ {node.id}  {one_line(said or node.state.error or '')}"
        lines.append((Span(shortened(text, style.width)),))
    if more := nodes[LISTED:]:
        lines.append((Span(f"  and {len(more)} more that failed"),))
    return lines
