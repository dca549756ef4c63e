"""What the runs of an experiment say: of each profile, and of one against another."""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from itertools import combinations, compress
from typing import Any, NamedTuple

from director.model.comparison import BASELINE
from director.model.cost import Cost
from director.model.experiment import Asked, Sample, Turn, latest
from director.model.statistics.bootstrap import bootstrap
from director.model.statistics.interval import Estimate, Interval
from director.model.statistics.median import median
from director.model.statistics.paired import Pairs, difference_interval
from director.model.statistics.verdict import (
    Look,
    Verdict,
    disagree,
    narrowed,
    samples_wanted,
    verdict_of,
)
from director.model.statistics.wilson import wilson

TOO_FEW = "too few repeats for an interval"
Amount = Callable[[Sample], "float | None"]
Pair = tuple[Sample, Sample]


class Measure(StrEnum):
    """What profiles are compared in."""

    SOLVED = "solved"
    COST = "cost_per_node"
    TIME = "secs_per_node"


class TaskCount(NamedTuple):
    """How many of a task's repeats a profile solved."""

    task: str
    solved: int
    repeats: int


class ProfileFindings(NamedTuple):
    """One profile. ``repeats`` count; an outside reason stopped those ``lost``; US dollars.

    ``cost`` and ``secs`` are medians of a run; those ``per_node`` are all that was spent by all
    that was done, so that what failed is paid for by what did not.
    """

    profile: str
    repeats: int
    lost: int
    solved: int
    done: int
    known: Cost
    solved_rate: Estimate
    cost: Estimate
    secs: Estimate
    cost_per_node: Estimate
    secs_per_node: Estimate
    tasks: tuple[TaskCount, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` says of it."""
        own = self._asdict() | {"tasks": [one._asdict() for one in self.tasks]}
        cost = own.pop("known").to_json()
        shown = {k: v.to_json() if isinstance(v, Estimate) else v for k, v in own.items()}
        return {**shown, **cost}


class Comparison(NamedTuple):
    """How ``second`` differs from ``first`` in a measure, over ``pairs`` of runs.

    ``difference``: of solved rates as it is (0.1: ten percentage points), else as a share of the
    first's (-0.4: 40 % less). ``more_repeats`` would decide (None: it is decided, or no number
    would); ``why`` says what keeps it from being decided.
    """

    measure: Measure
    first: str
    second: str
    pairs: int
    difference: Estimate
    verdict: Verdict
    more_repeats: int | None = None
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` says of it."""
        return {**self._asdict(), "difference": self.difference.to_json()}


class Findings(NamedTuple):
    """All that an experiment says so far: of ``wanted`` runs ``samples`` have ended."""

    asked: Asked
    samples: tuple[Sample, ...]
    profiles: tuple[ProfileFindings, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def wanted(self) -> int:
        """How many runs were asked for."""
        return self.asked.repeats * len(self.asked.tasks) * len(self.asked.profiles)

    @property
    def counted(self) -> int:
        """How many of them say something of their profile."""
        return sum(one.repeats for one in self.profiles)

    @property
    def complete(self) -> bool:
        """Whether each run that was asked for says something of its profile."""
        return self.counted == self.wanted


def find(asked: Asked, samples: Sequence[Sample]) -> Findings:
    """Return what ``samples`` say; later ones of the same run take the place of earlier ones."""
    ended = latest(samples)
    profiles = tuple(_profile(name, asked, list(ended.values())) for name in asked.profiles)
    names = sorted(asked.profiles, key=lambda name: name != BASELINE)
    compared = [
        _compare(measure, first, second, asked, ended)
        for first, second in combinations(names, 2)
        for measure in Measure
    ]
    return Findings(asked, tuple(ended.values()), profiles, tuple(compared))


def _profile(name: str, asked: Asked, samples: Sequence[Sample]) -> ProfileFindings:
    own = [sample for sample in samples if sample.turn.profile == name]
    valid = [sample for sample in own if sample.counts]
    timed = [sample for sample in valid if sample.secs is not None]
    priced = valid if all(sample.row.run_cost is not None for sample in valid) else []
    return ProfileFindings(
        name,
        len(valid),
        len(own) - len(valid),
        _solved(valid),
        sum(sample.row.done for sample in valid),
        sum((Cost(one.row.cost_known, one.row.unpriced_calls) for one in own), Cost()),
        _rate(valid),
        _middle(priced, _cost),
        _middle(timed, _secs),
        _per_node(priced, _cost),
        _per_node(timed, _secs),
        tuple(_of_task(task, valid) for task in asked.tasks if task),
    )


def _cost(sample: Sample) -> float | None:
    return sample.row.run_cost


def _secs(sample: Sample) -> float | None:
    return sample.secs


def _solved(samples: Sequence[Sample]) -> int:
    return sum(sample.row.ok for sample in samples)


def _of_task(task: str, samples: Sequence[Sample]) -> TaskCount:
    own = [sample for sample in samples if sample.turn.task == task]
    return TaskCount(task, _solved(own), len(own))


def _rate(samples: Sequence[Sample]) -> Estimate:
    if not samples:
        return Estimate()
    solved = _solved(samples)
    return Estimate(solved / len(samples), wilson(solved, len(samples)))


def _middle(samples: Sequence[Sample], amount: Amount) -> Estimate:
    values = [amount(sample) or 0.0 for sample in samples]
    return Estimate(median(values), bootstrap(values, median)) if values else Estimate()


def _per_node(samples: Sequence[Sample], amount: Amount) -> Estimate:
    spent = [(amount(sample) or 0.0, sample.row.done) for sample in samples]
    return Estimate(_ratio(spent), bootstrap(spent, _ratio)) if spent else Estimate()


def _ratio(spent: Sequence[tuple[float, int]]) -> float:
    """Return what a node that is done cost; infinite where none is."""
    done = sum(nodes for _, nodes in spent)
    return sum(amount for amount, _ in spent) / done if done else float("inf")


def _compare(
    measure: Measure, first: str, second: str, asked: Asked, ended: Mapping[Turn, Sample]
) -> Comparison:
    found = _pairs(measure, first, second, ended)
    look_at = _look_at_solved if measure is Measure.SOLVED else partial(_look_at, measure)
    looks = [look_at(found)] if found else []
    without = _without_one_task(found)  # no task alone is to decide
    looks += map(look_at, without.values())
    head = (measure, first, second, len(found))
    if not looks:
        unpriced = measure is Measure.COST and any(not _is_priced(one) for one in ended.values())
        why = "the price of some calls is not known" if unpriced else "no pair of runs to compare"
        return Comparison(*head, Estimate(), Verdict.INCONCLUSIVE, None, why)
    verdict = verdict_of(looks)
    if verdict is not Verdict.INCONCLUSIVE:
        return Comparison(*head, looks[0].difference, verdict)
    more, why = _undecided(looks, list(without), len(found) / len(asked.tasks))
    return Comparison(*head, looks[0].difference, verdict, more, why)


def _without_one_task(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """Return task → the pairs of all others, where there are others."""
    tasks = sorted({one.turn.task for one, _ in pairs})
    rest = {task: [pair for pair in pairs if pair[0].turn.task != task] for task in tasks}
    return rest if len(tasks) > 1 else {}


def _is_priced(sample: Sample) -> bool:
    return sample.row.run_cost is not None


def _pairs(measure: Measure, first: str, second: str, ended: Mapping[Turn, Sample]) -> list[Pair]:
    """Return the runs of both profiles in the same repeat of the same task, where both count."""
    ours = [sample for turn, sample in ended.items() if turn.profile == first]
    both = [(one, ended.get(one.turn._replace(profile=second))) for one in ours]
    found = [(one, other) for one, other in both if other and one.counts and other.counts]
    known: Amount | None = {Measure.COST: _cost, Measure.TIME: _secs}.get(measure)
    if known is None:
        return found
    valid = [pair for pair in found if None not in map(known, pair)]
    # A price that is missing is missing where most calls were made: what is left says nothing.
    return [] if measure is Measure.COST and len(valid) < len(found) else valid


def _look_at_solved(pairs: Sequence[Pair]) -> Look:
    counts = Pairs.of([(one.row.ok, other.row.ok) for one, other in pairs])

    def widened(samples: int) -> Interval:
        return difference_interval(counts.times(samples / len(pairs)))

    return Look(len(pairs), Estimate(counts.difference, difference_interval(counts)), widened)


def _look_at(measure: Measure, pairs: Sequence[Pair]) -> Look:
    amount = _cost if measure is Measure.COST else _secs
    spent = [tuple((amount(sample) or 0.0, sample.row.done) for sample in pair) for pair in pairs]
    found = Estimate(_share(spent), bootstrap(spent, _share))
    return Look(len(pairs), found, partial(narrowed, found, len(pairs)))


def _share(spent: Sequence[tuple[tuple[float, int], ...]]) -> float:
    """Return by how much of the first's the second's amount for a node differs; NaN: unknown."""
    first, second = (_ratio([pair[place] for pair in spent]) for place in (0, 1))
    if first == second:
        return 0.0 if first < float("inf") else float("nan")
    return second / first - 1 if first else float("inf")


def _undecided(looks: Sequence[Look], tasks: Sequence[str], each: float) -> tuple[int | None, str]:
    """Return how many more repeats would decide, and what is in the way.

    ``tasks`` are those without which the looks after the first were taken; ``each`` is how many
    pairs of a task there are.
    """
    if disagree(looks):
        return None, "the tasks disagree"
    wanted = [samples_wanted(look) for look in looks]
    known = [one for one in wanted if one is not None]
    if len(known) < len(wanted):
        return None, "what was seen is too little for any number of repeats to decide"
    share = max(one / look.samples for one, look in zip(known, looks, strict=True))
    more = max(1, math.ceil(share * each - 1e-9) - int(each))
    if any(look.difference.interval is None for look in looks):
        return more, TOO_FEW
    if verdict_of(looks[:1]) is Verdict.INCONCLUSIVE:
        return more, "the interval includes zero"
    open_ = [verdict_of([look]) is Verdict.INCONCLUSIVE for look in looks[1:]]
    return more, f"it rests on {', '.join(compress(tasks, open_))}"
