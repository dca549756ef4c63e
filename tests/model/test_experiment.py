"""The order of runs, what counts, and what is set aside for a repeat."""

from __future__ import annotations

import json
import unittest

from director.model.comparison import Row
from director.model.experiment import (
    Asked,
    Sample,
    Turn,
    blocks,
    latest,
    sample_from_json,
    sample_to_json,
    to_reserve,
)
from director.model.reason import Reason

ASKED = Asked({"": "task"}, {"a": "1", "b": "2", "c": "3"}, "a", 3, "base")


def sample(turn: Turn, cost: float = 0.1, reason: Reason | None = None) -> Sample:
    row = Row(turn.profile, 2, 2, run_cost=cost, cost_known=cost, wall_secs=3.0, reason=reason)
    return Sample(turn, f"job-{turn.name}", row)


class TestOrder(unittest.TestCase):
    def test_repeats_are_interleaved_and_each_profile_comes_first_as_often(self) -> None:
        orders = ["".join(turn.profile for turn in block.turns) for block in blocks(ASKED)]
        self.assertEqual(orders, ["abc", "bca", "cab"])

    def test_all_tasks_before_the_second_repeat(self) -> None:
        asked = ASKED._replace(tasks={"x": "", "y": ""}, repeats=2)
        found = [(one.repeat, one.task, one.turns[0].profile) for one in blocks(asked)]
        self.assertEqual(found, [(1, "x", "a"), (1, "y", "b"), (2, "x", "b"), (2, "y", "c")])

    def test_a_runs_name_is_no_other_profiles(self) -> None:
        self.assertEqual(Turn("", 1, "cheap").name, "cheap")
        self.assertEqual(Turn("", 2, "cheap").name, "cheap@2")

    def test_what_continues_what(self) -> None:
        self.assertTrue(ASKED.continues(ASKED))
        self.assertTrue(ASKED._replace(max_cost=5.0, repeats=4).continues(ASKED))
        self.assertFalse(ASKED._replace(repeats=2).continues(ASKED))
        self.assertFalse(ASKED._replace(base="other").continues(ASKED))
        self.assertFalse(ASKED._replace(profiles={"a": "changed", "b": "2"}).continues(ASKED))
        turned = dict(reversed(list(ASKED.profiles.items())))
        self.assertFalse(ASKED._replace(profiles=turned).continues(ASKED))


class TestSamples(unittest.TestCase):
    def test_what_came_from_outside_says_nothing_of_a_profile(self) -> None:
        turn = Turn("", 1, "a")
        for reason in (None, Reason.NODE_FAILED, Reason.INTEGRATION_RED, Reason.CEILING):
            self.assertTrue(sample(turn, reason=reason).counts, reason)
        for reason in (Reason.PROVIDER, Reason.RATE_LIMIT, Reason.AUTH, Reason.GATE_BROKEN):
            self.assertFalse(sample(turn, reason=reason).counts, reason)

    def test_a_line_is_read_as_it_was_written(self) -> None:
        one = sample(Turn("x", 3, "b"), reason=Reason.PROVIDER)._replace(resumed=True)
        line = json.loads(json.dumps(sample_to_json(one)))
        self.assertEqual(sample_from_json(line), one)
        self.assertIsNone(one.secs)

    def test_the_last_end_of_a_run_counts(self) -> None:
        turn = Turn("", 1, "a")
        again = sample(turn, 0.2)
        self.assertEqual(latest([sample(turn, reason=Reason.PROVIDER), again]), {turn: again})


class TestReserve(unittest.TestCase):
    def test_the_most_that_the_same_has_cost(self) -> None:
        first, second, third = blocks(ASKED)
        self.assertEqual(to_reserve(first, first.turns, []), 0)
        past = [sample(turn, cost) for turn, cost in zip(first.turns, (0.1, 0.2, 0.4), strict=True)]
        past += [sample(second.turns[-1], 0.3)]
        self.assertAlmostEqual(to_reserve(third, third.turns, past), 0.3 + 0.2 + 0.4)
        self.assertAlmostEqual(to_reserve(third, third.turns[:1], past), 0.4)

    def test_of_the_same_task_where_there_is_one(self) -> None:
        past = [sample(Turn("x", 1, "a"), 0.1), sample(Turn("y", 1, "a"), 0.9)]
        (x, y, *_) = blocks(ASKED._replace(tasks={"x": "", "y": ""}, profiles={"a": ""}))
        self.assertAlmostEqual(to_reserve(x, x.turns, past), 0.1)
        self.assertAlmostEqual(to_reserve(y, y.turns, past[:1]), 0.1)
