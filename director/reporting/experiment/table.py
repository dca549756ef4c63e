"""The report of an experiment in a terminal: a table, charts, and what the differences say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from director.model.comparison import REDUCTION_TARGET_PCT
from director.model.findings import Findings, Measure, ProfileFindings
from director.model.format import counted, duration, money, table
from director.model.printable import one_line
from director.model.statistics.interval import Estimate
from director.model.statistics.verdict import Verdict
from director.reporting.experiment.chart import Bar, chart
from director.reporting.experiment.words import (
    NAMES,
    footnotes,
    heading,
    in_money,
    in_time,
    sentence,
    solved,
)
from director.reporting.terminal.cells import width_of, wrapped
from director.reporting.terminal.style import Paint, Span, Style

HEADER = ("profile", "solved", "cost per done node", "time per done node")
RUNS = ("profile", "repeats", "cost of a run", "time of a run", "nodes done")
INFINITE = "∞"
BLANK = Span("")


def experiment_lines(found: Findings, style: Style) -> Iterator[str]:
    """Give the report, for a window as ``style`` says; no line is wider."""
    for text, paint in _lines(found, style):
        known = text if style.unicode else text.replace(INFINITE, "inf")
        yield style.text_of([Span(known, paint)], style.width)


def _lines(found: Findings, style: Style) -> Iterator[Span]:
    yield from map(Span, wrapped(heading(found), style.width))
    yield BLANK
    yield from _fitting(HEADER, [_result(one) for one in found.profiles], style)
    yield BLANK
    yield from _fitting(RUNS, [_run(one) for one in found.profiles], style)
    yield from _by_task(found, style)
    yield from _charts(found, style)
    yield from _differences(found, style)
    yield BLANK
    for note in footnotes(found):
        yield from (Span(line, Paint.DIM) for line in wrapped(note, style.width))


def _result(one: ProfileFindings) -> tuple[str, ...]:
    return one.profile, solved(one), in_money(one.cost_per_node), in_time(one.secs_per_node)


def _run(one: ProfileFindings) -> tuple[str, ...]:
    cost = in_money(one.cost) if one.known.known else one.known.in_words()
    return one.profile, str(one.repeats), cost, in_time(one.secs), str(one.done)


def _fitting(header: Sequence[str], rows: Sequence[Sequence[str]], style: Style) -> Iterator[Span]:
    """Give a table, or where the window is too narrow for it a list."""
    lines = table(header, rows).split("\n")
    if max(map(width_of, lines)) <= style.width:
        yield Span(lines[0], Paint.BOLD)
        yield from map(Span, lines[1:])
        return
    label = max(map(width_of, header[1:]))
    for row in rows:
        yield Span(row[0], Paint.BOLD)
        for name, cell in zip(header[1:], row[1:], strict=True):
            yield from map(Span, _indented(f"{name.ljust(label)}  {cell}", style.width))


def _indented(text: str, width: int) -> Iterator[str]:
    return (f"  {line}" for line in wrapped(text, width - 2, "  "))


def _by_task(found: Findings, style: Style) -> Iterator[Span]:
    names = [task for task in found.asked.tasks if task]
    if not names:
        return
    header = ("solved of each task", *found.asked.profiles)
    counts = {one.profile: one.tasks for one in found.profiles}
    rows = [
        (task, *(f"{counts[name][place].solved}/{counts[name][place].repeats}" for name in counts))
        for place, task in enumerate(names)
    ]
    yield BLANK
    yield from _fitting(header, rows, style)


def _charts(found: Findings, style: Style) -> Iterator[Span]:
    profiles = found.profiles
    rate = [Bar(one.profile, one.solved_rate, solved(one).partition(" ")[0]) for one in profiles]
    cost = [Bar(one.profile, one.cost_per_node, _first(one.cost_per_node)) for one in profiles]
    time = [Bar(one.profile, one.secs_per_node, _secs(one.secs_per_node)) for one in profiles]
    width, unicode = style.width, style.unicode
    shown = (
        (Measure.SOLVED, chart(rate, width, unicode=unicode, most=1.0, words=_percent)),
        (Measure.COST, chart(cost, width, unicode=unicode, words=money)),
        (Measure.TIME, chart(time, width, unicode=unicode, words=duration)),
    )
    for measure, lines in shown:
        yield from (BLANK, Span(NAMES[measure], Paint.BOLD), *map(Span, lines))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _first(estimate: Estimate) -> str:
    return in_money(Estimate(estimate.value))


def _secs(estimate: Estimate) -> str:
    return in_time(Estimate(estimate.value))


def _differences(found: Findings, style: Style) -> Iterator[Span]:
    """Give a line for each comparison; what is decided stands out."""
    for measure in Measure:
        compared = [one for one in found.comparisons if one.measure is measure]
        if compared:
            yield from (BLANK, Span(f"differences in {NAMES[measure]}", Paint.BOLD))
        for one in compared:
            lines = _indented(one_line(sentence(one)), style.width)
            paint = Paint.DIM if one.verdict is Verdict.INCONCLUSIVE else Paint.CYAN
            yield from (Span(line, paint) for line in lines)
    yield from map(Span, _target(found))


def _target(found: Findings) -> Iterator[str]:
    """Say which profiles save as much as the baseline's reason for being asks for."""
    for one in found.comparisons:
        interval = one.difference.interval
        if one.measure is Measure.COST and interval:
            surely = -100 * interval.high
            if surely > REDUCTION_TARGET_PCT:
                yield f"  {one.second} saves more than {REDUCTION_TARGET_PCT:.0f} % for sure"


def runs_in_words(found: Findings) -> str:
    """Return in one line what an experiment came to."""
    decided = sum(one.verdict is not Verdict.INCONCLUSIVE for one in found.comparisons)
    return (
        f"{counted(len(found.profiles), 'profile')} compared in {counted(found.counted, 'run')}; "
        f"{decided} of {counted(len(found.comparisons), 'difference')} decided"
    )
