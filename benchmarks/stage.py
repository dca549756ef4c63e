"""What every scenario is given, and the rounds in which the contestants take turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.measuring import Cell, CommandError, NotMeasured, Samples
from benchmarks.trial import Bench, Planned, Trial

FLOOR = "floor"
WALL = "wall time"

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

    def walls(self, trial: Trial, rounds: int) -> dict[str, Cell]:
        """Return the wall times of a trial: column → seconds, the floor's among them."""
        with self.bench(trial) as bench:
            turns = Turns(self.absent)
            turns.join(FLOOR, lambda: {WALL: bench.floor()})
            for contestant in self.contestants:
                self.say(f"  {trial.name}: {contestant.name} plans")
                with turns.judged(contestant.name):
                    turns.join(contestant.name, partial(_wall, bench.plan(contestant)))
            for number in range(rounds):
                self.say(f"  {trial.name}: round {number + 1} of {rounds}")
                turns.play()
            return turns.cells(WALL)


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


def _wall(planned: Planned) -> dict[str, float]:
    planned.restore()
    return {WALL: planned.run().wall_secs}
