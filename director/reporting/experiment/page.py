"""The report of an experiment as one HTML file: verdicts, tables, charts, each run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from director.model.cost import Cost
from director.model.experiment import Sample
from director.model.findings import Comparison, Findings, Measure, ProfileFindings
from director.model.format import duration, money
from director.model.secrets import Redactor
from director.model.statistics.interval import Estimate
from director.model.statistics.verdict import Verdict
from director.reporting.experiment.words import (
    NAMES,
    NONE,
    footnotes,
    heading,
    in_money,
    in_time,
    sentence,
    solved,
)
from director.reporting.page.document import STYLE, file_of, hash_of
from director.reporting.page.elements import Child, Element, tag, written
from director.reporting.page.marks import table

EDGE = 2.0  # percent of a chart's width, on either side


def experiment_page(found: Findings, summary: Mapping[str, Any], redactor: Redactor) -> str:
    """Return the page; ``summary`` is the content of ``bench/summary.json``."""
    style = file_of(STYLE)
    policy = f"default-src 'none'; style-src {hash_of(style)}; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="robots", content="noindex"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"director: bench {summary['job_id']}"),
        tag("style", style),
    )
    body = tag("body", tag("main", _body(found, summary)))
    return f"<!doctype html>\n{written(tag('html', head, body, lang='en'), redactor)}\n"


def _body(found: Findings, summary: Mapping[str, Any]) -> Iterator[Child]:
    cost = Cost(summary["cost_known"], summary["unpriced_calls"]).in_words()
    yield tag("h1", "director bench")
    yield tag("p", f"{heading(found)}; {cost} in all, planning included", class_="quiet")
    if summary["stopped"]:
        yield tag("p", f"Stopped: {summary['stopped']['what']}", class_="warn")
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
    text = sentence(one)
    return tag("li", text if one.verdict is Verdict.INCONCLUSIVE else tag("strong", text))


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
    return table("Profiles", header, rows)


def _charts(profiles: Sequence[ProfileFindings]) -> Iterator[Child]:
    for measure, estimates, most in (
        (Measure.SOLVED, [one.solved_rate for one in profiles], 1.0),
        (Measure.COST, [one.cost_per_node for one in profiles], None),
        (Measure.TIME, [one.secs_per_node for one in profiles], None),
    ):
        top = most or _greatest(estimates) or 1.0
        yield tag("h2", NAMES[measure].capitalize())
        header = ("profile", f"0 to {_words(measure, top)}", "")
        names = (one.profile for one in profiles)
        rows = ((name, _bar(one, top), _value(measure, one))
                for name, one in zip(names, estimates, strict=True))  # fmt: skip
        yield table(NAMES[measure].capitalize(), header, rows, 1)


def _greatest(estimates: Sequence[Estimate]) -> float:
    bounds = [one for estimate in estimates for one in (estimate.interval or ())]
    values = [one.value for one in estimates if one.value is not None]
    return max(filter(math.isfinite, (*bounds, *values)), default=0.0)


def _bar(estimate: Estimate, top: float) -> Element:
    """Return an interval as a line, and the estimate as a point on it; the numbers stand beside."""
    value, interval = estimate
    drawn = [_line(0.0, 1.0, "quiet", 1)]
    if interval:
        drawn.append(_line(interval.low / top, interval.high / top, "busy", 4))
    if value is not None and math.isfinite(value):
        place = _at(value / top)
        drawn.append(tag("circle", cx=place, cy="9", r="6", fill="currentColor", class_="busy"))
    return tag("svg", drawn, width="100%", height="18", aria_hidden="true")


def _line(low: float, high: float, colour: str, width: int) -> Element:
    ends = {"x1": _at(low), "x2": _at(high), "y1": "9", "y2": "9"}
    return tag("line", **ends, stroke="currentColor", stroke_width=str(width), class_=colour)


def _at(share: float) -> str:
    return f"{EDGE + (100 - 2 * EDGE) * min(max(share, 0.0), 1.0):.1f}%"


def _value(measure: Measure, estimate: Estimate) -> str:
    if estimate.value is None:
        return NONE
    return _words(measure, estimate.value) if math.isfinite(estimate.value) else "∞"


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
    return table("Runs", shown, rows)


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
