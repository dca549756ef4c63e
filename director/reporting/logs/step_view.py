"""An agent's steps as lines of text: pure, for a window of 40 to 200 columns."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from director.agents.steps import Step, StepKind, StepState
from director.model.format import counted, duration
from director.model.patterns import lazy_pattern
from director.model.printable import one_line, printable
from director.model.testing.useful_end import useful_end
from director.reporting.terminal.cells import cut, width_of
from director.reporting.terminal.columns import folded, wrapped
from director.reporting.terminal.style import Paint, Style

LONGEST_PROSE = 100  # columns: longer lines of a text are hard to read
INDENT = "  "
SHOWN_OUTPUT = 10  # lines that are shown as they are
SHOWN_COMMAND = 12  # lines of a command that does not fit into its heading
SHOWN_DIFF = 400  # lines
WORKTREE = lazy_pattern(r"/[^\s'\"():]*/agents/slot-\d+(?:/|(?=[\s'\"():]|$))")
"""Where agents work: what they name there is easier to read from its root."""


def prose(style: Style, text: str, indent: str = INDENT) -> Iterator[str]:
    """Give a text of an agent's or a tool's, wrapped and indented, made harmless."""
    width = min(style.width, LONGEST_PROSE) - len(indent)
    for line in wrapped(shortened(text).strip("\n"), width):
        yield f"{indent}{line}".rstrip()


def quoted(style: Style, lines: Iterable[str], indent: str = INDENT) -> Iterator[str]:
    """Give lines of a tool's output, marked as such; long ones are folded."""
    for line in lines:
        for part in folded(line, style.width - len(indent) - 2):
            yield style.painted(f"{indent}│ {part}".rstrip(), Paint.DIM)


def shortened(text: str) -> str:
    """Return a text without what steers a terminal, its paths from the root of the worktree."""
    plain = printable(text.replace("\r\n", "\n").replace("\r", "\n"))
    return WORKTREE.sub("", plain)


def clock(at: float | None) -> str:
    """Return a moment (seconds since 1970) as local time of day, or ""."""
    return time.strftime("%H:%M:%S", time.localtime(at)) if at is not None else ""


def step_lines(step: Step, style: Style) -> Iterator[str]:
    """Give one block: what was done and what came of it, then what there is to see of it."""
    match step.kind:
        case StepKind.REASONING if not style.colour:
            return
        case StepKind.TEXT | StepKind.REASONING:
            yield from _said(step, style)
        case StepKind.FAULT:
            head = " ".join(filter(None, (step.name, one_line(step.subject))))
            text = f"{_at(step)}{one_line(head)}: {one_line(shortened(step.detail))}"
            lines = [*wrapped(text, style.width - len(INDENT))]
            yield from (style.painted(f"{INDENT if n else ''}{line}", Paint.RED)
                        for n, line in enumerate(lines))  # fmt: skip
        case _:
            yield from _used(step, style)


def _at(step: Step) -> str:
    found = clock(step.took.at)
    return f"{found} " if found else ""


def _said(step: Step, style: Style) -> Iterator[str]:
    colour = Paint.DIM if step.kind is StepKind.REASONING else Paint.PLAIN
    word = "thinks" if colour else "says"
    lines = [f"{_at(step)}{word}:", *prose(style, step.detail)]
    yield from (style.painted(line, colour) for line in lines)


def _used(step: Step, style: Style) -> Iterator[str]:
    command = shortened(step.subject).strip()
    first, _, more = command.partition("\n")
    outcome, room = outcome_of(step), style.width - width_of(_at(step))
    title = one_line(f"{step.name} {first}")
    tail = f" → {outcome}" if outcome else ""
    head = cut(title, room - width_of(tail), style.marks.ellipsis)
    colour = Paint.RED if step.state is StepState.FAILED or step.exit_code else Paint.CYAN
    yield f"{_at(step)}{style.painted(head, colour)}{tail}"
    if more or head != title:
        yield from _first(style, command.split("\n"), SHOWN_COMMAND)
    if step.diff:
        yield from diff_lines(step.diff, style)
    elif shown := _telling(step):
        yield from quoted(style, shown)


def _first(style: Style, lines: list[str], most: int) -> Iterator[str]:
    """Give the first lines of something, and how many more there are."""
    for line in lines[:most]:
        yield from (f"{INDENT}{part}".rstrip() for part in folded(line, style.width - len(INDENT)))
    if len(lines) > most:
        yield style.painted(f"{INDENT}… {counted(len(lines) - most, 'more line')}", Paint.DIM)


def outcome_of(step: Step) -> str:
    """Return in words how a tool ended, and how long that took; "" for an end without news."""
    secs = f" ({duration(step.took.secs)})" if step.took.secs is not None else ""
    if step.state is StepState.RUNNING:
        return "no end on record"
    if step.exit_code is not None:
        return f"exit {step.exit_code}{secs}"
    if step.state is StepState.FAILED:
        return f"failed{secs}"
    return f"no exit code{secs}" if step.kind is StepKind.SHELL else ""


def _telling(step: Step) -> list[str]:
    """Return the lines of a tool's output that are worth a look: of what failed."""
    went_well = step.state is StepState.DONE and step.exit_code in (0, None)
    if step.kind is StepKind.EDIT and went_well:  # what it changed is not on record
        return shortened(step.detail).strip().split("\n")[:SHOWN_OUTPUT]
    if (went_well and step.kind is not StepKind.SHELL) or step.exit_code == 0:
        return []
    return telling_lines(step.detail)


def telling_lines(output: str) -> list[str]:
    """Return the lines of the output of a command that failed which say why; few lines are all."""
    text = shortened(output)
    there = [line for line in text.split("\n") if line.strip()]
    if len(there) <= SHOWN_OUTPUT:
        return there
    shown = useful_end(text).split("\n")
    return [*shown, f"[{len(shown)} of {len(there)} lines]"]


def diff_lines(
    diff: str, style: Style, indent: str = INDENT, most: int | None = SHOWN_DIFF
) -> Iterator[str]:
    """Give the first ``most`` lines (None: all) of a unified diff, coloured where colours are."""
    lines = shortened(diff).rstrip("\n").split("\n")
    for line in lines[:most]:
        colour = _colour_of(line)
        for part in folded(line, style.width - len(indent)):
            yield indent + style.painted(part, colour)
    if left := len(lines) - len(lines[:most]):
        yield style.painted(f"{indent}… {counted(left, 'more line')}", Paint.DIM)


def _colour_of(line: str) -> Paint:
    if line.startswith(("--- ", "+++ ", "diff --git ")):
        return Paint.BOLD
    return {"+": Paint.GREEN, "-": Paint.RED, "@": Paint.CYAN}.get(line[:1], Paint.PLAIN)
