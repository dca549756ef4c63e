"""What every scenario is given, and the rounds in which the contestants take turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.measuring import Cell, CommandError, Line, NotMeasured, Samples
from benchmarks.trial import Bench, Planned, Trial
from benchmarks.work import RUNS_OF_TESTS

FLOOR = "floor"
WALL, CPU, MEMORY = "wall time", "CPU time", "memory"

Taker = Callable[[], Mapping[str, float]]
"""Measures one round for one column: what → value."""


@dataclass(frozen=True)
class Stage:
    """Who takes part and how much is measured; ``folder`` and ``env`` are the scenario's."""

    contestants: tuple[Contestant, ...]
    absent: Mapping[str, NotMeasured]
    rounds: int
    quick: bool
    folder: Path
    env: Mapping[str, str]

    def size(self, whole: int, quick: int) -> int:
        """Return ``whole``, or ``quick`` where only a smoke is wanted."""
        return quick if self.quick else whole

    def say(self, text: str) -> None:
        """Tell whoever waits what is being done."""
        print(text, file=sys.stderr, flush=True)

    @contextmanager
    def bench(self, trial: Trial) -> Iterator[Bench]:
        """Give the place of a trial, and remove it afterwards."""
        bench = Bench(trial, self.folder / trial.name.replace(" ", "-"))
        try:
            yield bench
        finally:
            bench.close()

    @property
    def few_rounds(self) -> int:
        """How many rounds there are of what takes long."""
        return max(1, self.rounds // 2)

    def runs(self, trials: Sequence[Trial], rounds: int, *, count: bool = True) -> Runs:
        """Run the trials, and the floor of each, in turns.

        ``count``: and once more, to count what each run asks of the machine.
        """
        with ExitStack() as stack:
            benches = [stack.enter_context(self.bench(trial)) for trial in trials]
            runs = Runs(self.contestants, Turns(self.absent))
            for runs_of_tests in sorted({RUNS_OF_TESTS} | runs.floors):
                runs.turns.join(floor_of(runs_of_tests), partial(_floors, benches, runs_of_tests))
            for contestant in self.contestants:
                self.say(f"  {trials[0].name}: {contestant.name} plans")
                with runs.turns.judged(contestant.name):
                    planned = [bench.plan(contestant) for bench in benches]
                    runs.turns.join(contestant.name, partial(_runs, planned))
                    runs.planned[contestant.name] = planned
            for number in range(rounds):
                self.say(f"  {trials[0].name}: round {number + 1} of {rounds}")
                runs.turns.play()
            if count:
                self.say(f"  {trials[0].name}: counting")
                runs.count()
            return runs


class Runs:
    """What some trials took, by trial and column."""

    def __init__(self, contestants: Sequence[Contestant], turns: Turns) -> None:
        self.turns = turns
        self.planned: dict[str, list[Planned]] = {}
        self.floors = {one.runs_of_tests for one in contestants}
        self._runs_of_tests = {one.name: one.runs_of_tests for one in contestants}
        self._counted: dict[tuple[str, str], dict[str, float]] = {}

    def count(self) -> None:
        """Run each trial once more, to see what it asks of the machine."""
        for column, planned in self.planned.items():
            for one in planned:
                with suppress(CommandError):  # that it fails is seen where it is timed
                    one.restore()
                    self._counted[column, one.trial.name] = one.count().measures()

    def cells(self, trial: Trial, what: str) -> dict[str, Cell]:
        """Return column → samples of ``what`` (WALL in seconds, CPU in ms, MEMORY in MiB)."""
        cells = self.turns.cells(_key(trial, what))
        return {name: cell for name, cell in cells.items() if name not in _hidden(cells)}

    def beyond(self, trial: Trial) -> dict[str, Cell]:
        """Return column → CPU ms of all nodes, less those of the same processes in a bare loop."""
        cells = self.turns.cells(_key(trial, CPU))
        return {
            name: both(cell, cells[floor_of(self._runs_of_tests[name])], Samples.less)
            if isinstance(cell, Samples)
            else cell
            for name, cell in cells.items()
            if not name.startswith(FLOOR)
        }

    def lines(self, small: Trial, large: Trial, *, beyond: bool) -> dict[str, Line | NotMeasured]:
        """Return column → CPU ms for each node, and for none; ``beyond`` the floor, or all."""
        of = self.beyond if beyond else partial(self.cells, what=CPU)
        return _lines(small, large, of)

    def walls(self, small: Trial, large: Trial) -> dict[str, Line | NotMeasured]:
        """Return column → seconds on the wall for each node, and for none."""
        return _lines(small, large, partial(self.cells, what=WALL))

    def counts(self, small: Trial, large: Trial) -> dict[str, dict[str, float]]:
        """Return column → what → how often for each node, the fixed part apart."""
        more = len(large.work.nodes) - len(small.work.nodes)
        found = {}
        for column in self.planned:
            one = self._counted.get((column, small.name), {})
            other = self._counted.get((column, large.name), {})
            found[column] = {what: (other[what] - one.get(what, 0)) / more for what in other}
        return found


def floor_of(runs_of_tests: int) -> str:
    """Return the column of the loop that runs each test so often."""
    return FLOOR if runs_of_tests == RUNS_OF_TESTS else f"{FLOOR}, {runs_of_tests} runs"


def _hidden(columns: Iterable[str]) -> set[str]:
    return {name for name in columns if name.startswith(FLOOR) and name != FLOOR}


def _key(trial: Trial, what: str) -> str:
    return f"{trial.name}: {what}"


def _lines(
    small: Trial, large: Trial, of: Callable[[Trial], Mapping[str, Cell]]
) -> dict[str, Line | NotMeasured]:
    sizes = (len(small.work.nodes), len(large.work.nodes))
    ends = of(small), of(large)
    return {name: _line(sizes, ends[0][name], ends[1][name]) for name in ends[0]}


def _line(sizes: tuple[int, int], small: Cell, large: Cell) -> Line | NotMeasured:
    if isinstance(small, NotMeasured):
        return small
    return large if isinstance(large, NotMeasured) else Line.through(sizes, small, large)


class Turns:
    """Several columns take turns; one that fails once is not measured any more."""

    def __init__(self, absent: Mapping[str, NotMeasured]) -> None:
        self._takers: dict[str, Taker] = {}
        self._samples: dict[str, dict[str, list[float]]] = {}
        self._failed: dict[str, NotMeasured] = dict(absent)

    def join(self, column: str, taker: Taker) -> None:
        """Let ``taker`` measure for ``column`` in every round from now on."""
        self._takers[column] = taker

    def play(self) -> None:
        """Play one round: one turn for each column, in the order in which they joined."""
        for column, taker in self._takers.items():
            if column not in self._failed:
                with self.judged(column):
                    for what, value in taker().items():
                        self._samples.setdefault(what, {}).setdefault(column, []).append(value)

    @contextmanager
    def judged(self, column: str) -> Iterator[None]:
        """Note a CommandError as the reason why a column is not measured."""
        try:
            yield
        except CommandError as error:
            self._failed[column] = NotMeasured(str(error), error.limit_secs)

    def cells(self, what: str) -> dict[str, Cell]:
        """Return column → samples of ``what``, or why there are none."""
        values = self._samples.get(what, {})
        measured: dict[str, Cell] = {name: Samples(tuple(them)) for name, them in values.items()}
        return measured | self._failed


def derived(cell: Cell, change: Callable[[Samples], Samples]) -> Cell:
    """Return ``change`` of the samples, where there are any."""
    return change(cell) if isinstance(cell, Samples) else cell


def both(one: Cell, other: Cell, change: Callable[[Samples, Samples], Samples]) -> Cell:
    """Return ``change`` of two cells' samples, or why one of them has none."""
    if isinstance(one, NotMeasured):
        return one
    return other if isinstance(other, NotMeasured) else change(one, other)


def _floors(benches: Sequence[Bench], runs_of_tests: int) -> dict[str, float]:
    found = {}
    for bench in benches:
        took = bench.floor(runs_of_tests)
        found[_key(bench.trial, WALL)] = took.wall_secs
        found[_key(bench.trial, CPU)] = took.cpu_secs * 1e3
    return found


def _runs(planned: Sequence[Planned]) -> dict[str, float]:
    found = {}
    for one in planned:
        one.restore()
        took = one.run()
        found[_key(one.trial, WALL)] = took.wall_secs
        found[_key(one.trial, CPU)] = took.cpu_secs * 1e3
        found[_key(one.trial, MEMORY)] = took.peak_mib
    return found
