"""The report of an experiment as one HTML file: verdicts, tables, charts, each run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from director.model.cost import Cost
from director.model.experiment import Sample
from director.model.findings import Comparison, Findings, Measure, ProfileFindings
from director.model.format import duration, money
from director.model.secrets import Redactor
from director.model.statistics.interval import Estimate
from director.model.statistics.verdict import Verdict
from director.reporting.experiment.html_page import Child, Element, html_file, tag
from director.reporting.experiment.words import (
    NAMES,
    footnotes,
    heading,
    in_money,
    in_time,
    sentence,
    solved,
)

WIDTH, LINE, NAME, EDGE = 640, 34, 150, 16  # of a chart, in its own units
LETTERS = 20  # of a name
STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#586271;--paper:#fff;--rule:#d5dae1;--bar:#1f5fbf}
@media(prefers-color-scheme:dark){
:root{--ink:#e8ebf0;--dim:#a3adba;--paper:#14181f;--rule:#39414d;--bar:#7fb0ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
p,li{overflow-wrap:anywhere}.quiet{color:var(--dim)}
.task{white-space:pre-wrap;overflow-wrap:anywhere;padding-left:.75rem}
.task{border-left:3px solid var(--rule)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--rule)}
th,td{vertical-align:top}thead th{color:var(--dim);font-weight:600}
.decided{font-weight:600}svg{width:100%;max-width:40rem;height:auto;display:block}
svg text{fill:var(--ink);font-size:13px}svg .scale{fill:var(--dim)}
svg line{stroke:var(--rule)}svg .interval{stroke:var(--bar);stroke-width:3}
svg circle{fill:var(--bar)}
@media print{.scroll{overflow:visible}}
"""


def experiment_page(found: Findings, summary: Mapping[str, Any], redactor: Redactor) -> str:
    """Return the page; ``summary`` is the content of ``bench/summary.json``."""
    return html_file("director: bench", STYLE, _body(found, summary), redactor)


def _body(found: Findings, summary: Mapping[str, Any]) -> Iterator[Child]:
    cost = Cost(summary["cost_known"], summary["unpriced_calls"]).in_words()
    yield tag("h1", "director bench")
    yield tag("p", f"{heading(found)}; {cost} in all, planning included", class_="quiet")
    if summary["stopped"]:
        yield tag("p", f"Stopped: {summary['stopped']['what']}", class_="decided")
    yield from _differences(found.comparisons)
    yield tag("h2", "Profiles")
    yield _profiles(found.profiles)
    yield tag("ul", (tag("li", note) for note in footnotes(found)), class_="quiet")
    yield from _charts(found.profiles)
    yield from _tasks(found)
    yield tag("h2", "Runs")
    yield _runs(found)


def _differences(compared: Sequence[Comparison]) -> Iterator[Child]:
    if compared:
        yield tag("h2", "Differences")
    for measure in Measure:
        own = [one for one in compared if one.measure is measure]
        if own:
            yield tag("p", f"In {NAMES[measure]}:", class_="quiet")
            yield tag("ul", map(_difference, own))


def _difference(one: Comparison) -> Element:
    decided = None if one.verdict is Verdict.INCONCLUSIVE else "decided"
    return tag("li", sentence(one), class_=decided)


def _profiles(profiles: Sequence[ProfileFindings]) -> Element:
    header = ("profile", "solved", "cost per done node", "time per done node", "cost of a run",
              "time of a run", "nodes done")  # fmt: skip
    rows = (
        (
            one.profile,
            solved(one),
            in_money(one.cost_per_node),
            in_time(one.secs_per_node),
            in_money(one.cost) if one.known.known else one.known.in_words(),
            in_time(one.secs),
            str(one.done),
        )
        for one in profiles
    )
    return _table("Profiles", header, rows)


def _charts(profiles: Sequence[ProfileFindings]) -> Iterator[Child]:
    for measure, estimates, most in (
        (Measure.SOLVED, [one.solved_rate for one in profiles], 1.0),
        (Measure.COST, [one.cost_per_node for one in profiles], None),
        (Measure.TIME, [one.secs_per_node for one in profiles], None),
    ):
        yield tag("h2", NAMES[measure].capitalize())
        yield _chart(measure, [one.profile for one in profiles], estimates, most)


def _chart(
    measure: Measure, names: Sequence[str], estimates: Sequence[Estimate], most: float | None
) -> Element:
    bounds = [one for estimate in estimates for one in (estimate.interval or (estimate.value,))]
    known = [one for one in bounds if one is not None and math.isfinite(one)]
    top = most or max(known, default=0.0) or 1.0
    high = len(names) * LINE
    lines = [part for place, name in enumerate(names)
             for part in _line(name, estimates[place], top, place * LINE + LINE / 2)]  # fmt: skip
    ends = (
        tag("text", "0", x=NAME, y=high + 14, class_="scale", text_anchor="middle"),
        tag("text", _words(measure, top), x=WIDTH - EDGE, y=high + 14, class_="scale",
            text_anchor="end"),
    )  # fmt: skip
    label = f"{NAMES[measure]} of each profile with its interval; the numbers are in the table"
    box = f"0 0 {WIDTH} {high + 20}"
    return tag("svg", lines, ends, viewBox=box, role="img", aria_label=label)


def _line(name: str, estimate: Estimate, top: float, y: float) -> Iterator[Child]:
    value, interval = estimate
    shown = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
    yield tag("text", shown, x=0, y=y + 4)
    yield tag("line", x1=NAME, x2=WIDTH - EDGE, y1=y, y2=y)
    if interval:
        ends = [_x(bound, top) for bound in interval]
        yield tag("line", x1=ends[0], x2=ends[1], y1=y, y2=y, class_="interval")
    if value is not None and math.isfinite(value):
        yield tag("circle", cx=_x(value, top), cy=y, r=6)


def _x(value: float, top: float) -> str:
    share = min(max(value / top, 0.0), 1.0)
    return f"{NAME + share * (WIDTH - EDGE - NAME):.1f}"


def _words(measure: Measure, value: float) -> str:
    if measure is Measure.SOLVED:
        return f"{100 * value:.0f} %"
    return money(value) if measure is Measure.COST else duration(value)


def _tasks(found: Findings) -> Iterator[Child]:
    yield tag("h2", "Task" if len(found.asked.tasks) == 1 else "Tasks")
    for place, (name, text) in enumerate(found.asked.tasks.items()):
        counts = [(one.profile, one.tasks[place]) for one in found.profiles if one.tasks]
        if name:
            said = "; ".join(f"{who} {count.solved}/{count.repeats}" for who, count in counts)
            yield tag("h3", f"{name}: solved by {said}")
        yield tag("p", text, class_="task")


def _runs(found: Findings) -> Element:
    header = (
        "task",
        "repeat",
        "profile",
        "solved",
        "nodes",
        "cost",
        "time",
        "job",
        "what stopped it",
    )
    shown = header if "" not in found.asked.tasks else header[1:]
    rows = (_run(sample)[len(header) - len(shown) :] for sample in found.samples)
    return _table("Runs", shown, rows)


def _run(sample: Sample) -> tuple[str, ...]:
    row = sample.row
    solved_it = "yes" if row.ok else "no" if sample.counts else "not counted"
    return (
        sample.turn.task,
        str(sample.turn.repeat),
        row.profile,
        solved_it,
        f"{row.done}/{row.n_nodes}",
        Cost(row.cost_known, row.unpriced_calls).in_words(),
        "unknown: continued" if sample.resumed else duration(row.wall_secs),
        sample.job_id,
        row.error or "",
    )


def _table(label: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    head = tag("thead", tag("tr", (tag("th", name, scope="col") for name in header)))
    body = tag("tbody", (tag("tr", _cells(row)) for row in rows))
    return tag(
        "div",
        tag("table", head, body),
        class_="scroll",
        role="region",
        aria_label=label,
        tabindex="0",
    )


def _cells(row: Sequence[str]) -> Iterator[Child]:
    first, *rest = row
    yield tag("th", first, scope="row")
    yield from (tag("td", cell) for cell in rest)
