"""The statistics, and what a command that fails or takes too long comes to."""

from __future__ import annotations

import sys

from benchmarks.measuring import CommandError, Line, Samples, run
from tests.support.hermetic import HermeticCase


class TestSamples(HermeticCase):
    def test_median_and_range(self) -> None:
        samples = Samples((3.0, 1.0, 8.0))
        self.assertEqual((samples.median, samples.low, samples.high), (3.0, 1.0, 8.0))
        self.assertEqual(Samples((1.0, 2.0)).median, 1.5)

    def test_rounds_are_compared_with_their_own(self) -> None:
        slow, floor = Samples((4.0, 30.0)), Samples((2.0, 10.0))
        self.assertEqual(slow.ratio(floor).values, (2.0, 3.0))

    def test_each_value_is_divided(self) -> None:
        self.assertEqual(Samples((4.0, 6.0)).over(2).values, (2.0, 3.0))


class TestLine(HermeticCase):
    def test_what_grows_and_what_does_not(self) -> None:
        line = Line.through((2, 6), Samples((5.0, 3.0)), Samples((9.0, 3.0)))
        self.assertEqual((line.per_node.values, line.fixed.values), ((1.0, 0.0), (3.0, 3.0)))


class TestRun(HermeticCase):
    def python(self, text: str, limit_secs: float = 600.0) -> str:
        return run((sys.executable, "-c", text), self.tmp, self.env, limit_secs).out

    def test_returns_what_was_said(self) -> None:
        self.assertEqual(self.python("print('hello')"), "hello\n")

    def test_a_failure_names_the_code_and_the_last_lines(self) -> None:
        with self.assertRaisesRegex(CommandError, r"ended with 3: first; last$") as caught:
            self.python("print('gone\\nfirst\\n\\nlast'); raise SystemExit(3)")
        self.assertIsNone(caught.exception.limit_secs)

    def test_a_command_that_takes_too_long_is_ended(self) -> None:
        with self.assertRaises(CommandError) as caught:
            self.python("import signal; signal.pause()", limit_secs=0.1)
        self.assertEqual(caught.exception.limit_secs, 0.1)
