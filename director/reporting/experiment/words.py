"""What an experiment says, in the words and numbers that every report of it shows."""

from __future__ import annotations

import math
from collections.abc import Callable

from director.model.findings import TOO_FEW, Comparison, Findings, Measure, ProfileFindings
from director.model.format import counted, duration, money
from director.model.statistics.interval import Estimate, Interval
from director.model.statistics.verdict import Verdict

ONE_SAMPLE = (
    "One run of each profile decides nothing: chance alone can turn such a result around. "
    "`director bench --more 5` repeats it on the same plan."
)
NONE = "–"
NAMES = {
    Measure.SOLVED: "solved rate",
    Measure.COST: "cost per done node",
    Measure.TIME: "time per done node",
}
WORDS = {
    Measure.SOLVED: {Verdict.LESS: "solves less often", Verdict.MORE: "solves more often"},
    Measure.COST: {Verdict.LESS: "is cheaper", Verdict.MORE: "costs more"},
    Measure.TIME: {Verdict.LESS: "is faster", Verdict.MORE: "is slower"},
}


def solved(one: ProfileFindings) -> str:
    """Return how many repeats a profile solved, and the interval of its rate."""
    interval = one.solved_rate.interval
    shown = f" {rates(interval)}" if interval else ""
    return f"{one.solved}/{one.repeats}{shown}"


def rates(interval: Interval) -> str:
    """Return the interval of a rate in percent."""
    return f"({100 * interval.low:.0f}–{100 * interval.high:.0f} %)"


def in_money(estimate: Estimate) -> str:
    """Return an amount in US dollars, and its interval."""
    return _amount(estimate, money)


def in_time(estimate: Estimate) -> str:
    """Return a time, and its interval."""
    return _amount(estimate, duration)


def _amount(estimate: Estimate, words: Callable[[float], str]) -> str:
    value, interval = estimate
    if value is None:
        return NONE
    shown, *bounds = (
        words(one) if math.isfinite(one) else "∞" for one in (value, *(interval or ()))
    )
    return f"{shown} ({'–'.join(bounds)})" if bounds else shown


def heading(found: Findings) -> str:
    """Return how much was run."""
    asked = found.asked
    tasks = f"{counted(len(asked.tasks), 'task')} × " if list(asked.tasks) != [""] else ""
    shape = f"{tasks}{counted(asked.repeats, 'repeat')} × {counted(len(asked.profiles), 'profile')}"
    ended = "" if found.complete else f"; {found.counted} of {found.wanted} runs count so far"
    return f"{shape}{ended}"


def sentence(one: Comparison) -> str:
    """Return what a comparison comes to: the verdict, the difference, what would decide it."""
    names = f"{one.second} against {one.first}"
    if one.verdict is Verdict.INCONCLUSIVE:
        return f"{names}: inconclusive{_seen(one)}{_advice(one)}"
    return f"{one.second} {WORDS[one.measure][one.verdict]} than {one.first}{_seen(one)}"


def _seen(one: Comparison) -> str:
    value, interval = one.difference
    if value is None or not math.isfinite(value):
        return ""
    unit = " points" if one.measure is Measure.SOLVED else " %"
    bounds = f" ({signed(interval.low)} to {signed(interval.high)})" if interval else ""
    return f": {signed(value)}{unit}{bounds}"


def signed(share: float) -> str:
    """Return a share in percent, with its sign."""
    return f"{100 * share:+.0f}" if math.isfinite(share) else ("+∞" if share > 0 else "-∞")


def _advice(one: Comparison) -> str:
    if one.more_repeats is None:
        return f"; {one.why}" if one.why else ""
    least = "at least " if one.why == TOO_FEW else "about "
    return f"; {one.why}: {least}{counted(one.more_repeats, 'more repeat')} would decide"


def footnotes(found: Findings) -> list[str]:
    """Return what a reader has to know about the numbers."""
    notes = ["In brackets: 95 % intervals. Each difference is judged by itself."]
    if len(found.asked.tasks) > 1:
        notes.append("A difference counts only if it holds without any one of the tasks, too.")
    for one in found.profiles:
        if one.lost:
            runs = counted(one.lost, "run")
            notes.append(f"{one.profile}: {runs} stopped for an outside reason, not counted.")
        if not one.known.known:
            notes.append(f"{one.profile}: {one.known.in_words()}, so its cost is unknown.")
    if resumed := sum(sample.resumed for sample in found.samples):
        notes.append(f"{counted(resumed, 'run')} continued after a stop: no time is known of it.")
    return notes
