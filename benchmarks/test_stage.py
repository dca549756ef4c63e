"""Columns take turns, and one that fails is left out from then on."""

from __future__ import annotations

import unittest
from collections.abc import Callable
from functools import partial

from benchmarks.jobs import per_node, speeds
from benchmarks.measuring import CommandError, NotMeasured, Samples
from benchmarks.stage import FLOOR, WALL, Runs, Turns
from benchmarks.trial import Trial
from benchmarks.work import Work, chain, fan, free, layered


class TestTurns(unittest.TestCase):
    def setUp(self) -> None:
        self.played: list[str] = []

    def taker(self, name: str, fails: bool = False) -> Callable[[], dict[str, float]]:
        def take() -> dict[str, float]:
            self.played.append(name)
            if fails:
                raise CommandError("it broke")
            return {"wall": float(len(self.played))}

        return take

    def test_a_round_is_one_turn_for_each(self) -> None:
        turns = Turns({})
        turns.join("one", self.taker("one"))
        turns.join("two", self.taker("two"))
        turns.play()
        turns.play()
        self.assertEqual(self.played, ["one", "two", "one", "two"])
        self.assertEqual(turns.cells("wall")["two"], Samples((2.0, 4.0)))

    def test_a_column_that_fails_is_not_measured_and_not_tried_again(self) -> None:
        turns = Turns({"gone": NotMeasured("not installed")})
        turns.join("bad", self.taker("bad", fails=True))
        turns.join("good", self.taker("good"))
        turns.play()
        turns.play()
        self.assertEqual(self.played, ["bad", "good", "good"])
        cells = turns.cells("wall")
        self.assertEqual(cells["bad"], NotMeasured("it broke"))
        self.assertEqual(cells["gone"], NotMeasured("not installed"))
        self.assertIsInstance(cells["good"], Samples)


class TestWalls(unittest.TestCase):
    def test_the_speed_of_what_is_more_has_nothing_fixed_in_it(self) -> None:
        small, large = (Trial(f"{count} nodes", Work(free(count))) for count in (2, 6))
        runs = Runs((), Turns({"gone": NotMeasured("not installed")}))
        walls = {"tool": (3.0, 8.0), FLOOR: (2.0, 6.0)}  # a node takes 1.25 s, and 1 s

        def taker(ends: tuple[float, float]) -> Callable[[], dict[str, float]]:
            keys = (f"{one.name}: {WALL}" for one in (small, large))
            return partial(dict, zip(keys, ends, strict=True))

        for column, ends in walls.items():
            runs.turns.join(column, taker(ends))
        runs.turns.play()
        found = speeds(per_node(runs.walls(small, large)))
        self.assertEqual(found["tool"], Samples((0.8,)))
        self.assertEqual(found["gone"], NotMeasured("not installed"))


class TestShapes(unittest.TestCase):
    def test_a_chain_a_fan_and_layers(self) -> None:
        self.assertEqual(list(chain(3).values()), [(), ("n00000",), ("n00001",)])
        self.assertEqual(list(fan(3).values()), [(), ("n00000",), ("n00000",)])
        layers = layered(6, width=3)
        self.assertEqual(layers["n00002"], ())
        self.assertEqual(layers["n00004"], ("n00001", "n00002", "n00000"))
