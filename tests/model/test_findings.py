"""What an experiment says: estimates by hand, verdicts, what one task may not decide."""

from __future__ import annotations

import json
import unittest

from director.model.comparison import Row
from director.model.experiment import Asked, Sample, Turn, blocks
from director.model.findings import Comparison, Findings, Measure, find
from director.model.reason import Reason
from director.model.statistics.verdict import Verdict

Costs = dict[str, list[float]]


def asked(repeats: int, *tasks: str) -> Asked:
    names = tasks or ("",)
    return Asked(
        dict.fromkeys(names, "t"), {"cheap": "", "all-frontier": ""}, "cheap", repeats, "b"
    )


def run(turn: Turn, cost: float | None, done: int = 2, secs: float = 10.0) -> Sample:
    reason = None if done == 2 else Reason.NODE_FAILED
    row = Row(turn.profile, 2, done, run_cost=cost, cost_known=cost or 0.0, wall_secs=secs)
    return Sample(turn, "job", row._replace(reason=reason, unpriced_calls=int(cost is None)))


def found(costs: Costs, *tasks: str, failed: frozenset[Turn] = frozenset()) -> Findings:
    repeats = len(costs["cheap"]) // max(1, len(tasks))
    wanted = asked(repeats, *tasks)
    left = {name: iter(values) for name, values in costs.items()}
    turns = [turn for block in blocks(wanted) for turn in block.turns]
    samples = [run(one, next(left[one.profile]), 0 if one in failed else 2) for one in turns]
    return find(wanted, samples)


def compared(findings: Findings, measure: Measure) -> Comparison:
    return next(one for one in findings.comparisons if one.measure is measure)


class TestProfiles(unittest.TestCase):
    def test_by_hand(self) -> None:
        one = found({"cheap": [0.1, 0.2, 0.6], "all-frontier": [1.0, 1.0, 1.0]}).profiles[0]
        self.assertEqual((one.profile, one.repeats, one.solved, one.done), ("cheap", 3, 3, 6))
        self.assertEqual(one.cost.value, 0.2)
        self.assertAlmostEqual(one.cost_per_node.value or 0, 0.9 / 6)
        self.assertEqual(one.secs_per_node.value, 5.0)
        self.assertIsNone(one.cost.interval)
        self.assertIsNotNone(one.solved_rate.interval)

    def test_what_failed_is_paid_for_by_what_did_not(self) -> None:
        failed = frozenset({Turn("", 2, "cheap")})
        costs = {"cheap": [0.1, 0.1, 0.1], "all-frontier": [1.0] * 3}
        one = found(costs, failed=failed).profiles[0]
        self.assertEqual((one.solved, one.repeats), (2, 3))
        self.assertAlmostEqual(one.cost_per_node.value or 0, 0.3 / 4)

    def test_a_profile_that_does_nothing_has_no_cost_per_node(self) -> None:
        failed = frozenset(Turn("", repeat, "cheap") for repeat in (1, 2))
        findings = found({"cheap": [0.1] * 2, "all-frontier": [1.0] * 2}, failed=failed)
        json.dumps([one.to_json() for one in findings.profiles], allow_nan=False)
        json.dumps([one.to_json() for one in findings.comparisons], allow_nan=False)
        self.assertIsNone(findings.profiles[0].to_json()["cost_per_node"]["value"])

    def test_runs_stopped_from_outside_or_continued(self) -> None:
        turns = [Turn("", 1, "cheap"), Turn("", 2, "cheap")]
        lost = run(turns[0], 0.3)._replace(row=Row("cheap", reason=Reason.PROVIDER))
        one = find(asked(2), [lost, run(turns[1], 0.1)._replace(resumed=True)]).profiles[0]
        self.assertEqual((one.repeats, one.lost), (1, 1))
        self.assertEqual(one.cost.value, 0.1)
        self.assertIsNone(one.secs.value)


class TestComparisons(unittest.TestCase):
    def test_decided(self) -> None:
        cheap = [0.20, 0.22, 0.18, 0.21, 0.19, 0.20, 0.23, 0.20]
        one = compared(found({"cheap": cheap, "all-frontier": [1.0] * 8}), Measure.COST)
        self.assertEqual((one.first, one.second, one.pairs), ("all-frontier", "cheap", 8))
        self.assertIs(one.verdict, Verdict.LESS)
        self.assertAlmostEqual(one.difference.value or 0, sum(cheap) / 8 - 1)
        self.assertIsNone(one.more_repeats)

    def test_noise_is_inconclusive_and_says_how_many_more_would_decide(self) -> None:
        cheap = [0.5, 1.5, 0.7, 1.4, 0.6, 1.3, 0.5, 1.0]
        one = compared(found({"cheap": cheap, "all-frontier": [1.0] * 8}), Measure.COST)
        self.assertIs(one.verdict, Verdict.INCONCLUSIVE)
        self.assertGreater(one.more_repeats or 0, 20)
        self.assertEqual(one.why, "the interval includes zero")

    def test_three_repeats_decide_nothing_however_far_apart(self) -> None:
        one = compared(found({"cheap": [0.1] * 3, "all-frontier": [1.0] * 3}), Measure.COST)
        self.assertIs(one.verdict, Verdict.INCONCLUSIVE)
        self.assertEqual((one.more_repeats, one.why), (3, "too few repeats for an interval"))

    def test_solved_needs_many_repeats(self) -> None:
        failed = frozenset(Turn("", repeat, "cheap") for repeat in (1, 3, 5))
        costs = {"cheap": [0.1] * 8, "all-frontier": [1.0] * 8}
        one = compared(found(costs, failed=failed), Measure.SOLVED)
        self.assertEqual(one.difference.value, -0.375)
        self.assertIs(one.verdict, Verdict.INCONCLUSIVE)
        self.assertTrue(1 <= (one.more_repeats or 0) <= 8, one.more_repeats)

    def test_unknown_prices_are_not_compared(self) -> None:
        wanted = asked(1)
        samples = [run(Turn("", 1, "cheap"), None), run(Turn("", 1, "all-frontier"), 1.0)]
        one = compared(find(wanted, samples), Measure.COST)
        self.assertIs(one.verdict, Verdict.INCONCLUSIVE)
        self.assertEqual(one.why, "the price of some calls is not known")


class TestTasks(unittest.TestCase):
    def test_one_lucky_task_decides_nothing(self) -> None:
        # Of each repeat x, then y. On x it costs a tenth, on y as much as the other.
        cheap = [0.1, 1.0, 0.1, 1.02, 0.1, 0.98, 0.1, 1.0, 0.1, 1.01, 0.1, 0.98, 0.1, 1.0]
        one = compared(found({"cheap": cheap, "all-frontier": [1.0] * 14}, "x", "y"), Measure.COST)
        interval = one.difference.interval
        self.assertTrue(interval and interval.high < 0, "all tasks together seem to decide")
        self.assertIs(one.verdict, Verdict.INCONCLUSIVE)
        self.assertEqual(one.why, "it rests on x")

    def test_what_holds_in_each_is_decided(self) -> None:
        cheap = [0.10, 0.40, 0.11, 0.42, 0.09, 0.38, 0.10, 0.40, 0.12, 0.41, 0.10, 0.39]
        findings = found({"cheap": cheap, "all-frontier": [1.0] * 12}, "x", "y")
        self.assertIs(compared(findings, Measure.COST).verdict, Verdict.LESS)
        counts = [(one.task, one.solved, one.repeats) for one in findings.profiles[0].tasks]
        self.assertEqual(counts, [("x", 6, 6), ("y", 6, 6)])
