"""The report in a terminal: at any width, in any letters.

With it: ``experiment.words``, ``experiment.chart``.
"""

from __future__ import annotations

import unittest

from director.model.findings import Findings, find
from director.model.statistics.interval import Estimate, Interval
from director.reporting.experiment.chart import Bar, chart
from director.reporting.experiment.table import experiment_lines
from director.reporting.experiment.words import in_money, in_time
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style
from tests.model.test_findings import asked, found


def sample(*tasks: str) -> Findings:
    count = 7 * max(1, len(tasks))
    noise = [0.2 + 0.01 * (place % 5) for place in range(count)]
    return found({"cheap": noise, "all-frontier": [1.0 + one for one in noise]}, *tasks)


class TestTable(unittest.TestCase):
    def test_no_line_is_wider_than_the_window(self) -> None:
        for findings in (sample(), sample("one-task", "another-task"), find(asked(3), [])):
            for width in (40, 41, 57, 80, 120, 200):
                for unicode in (True, False):
                    lines = list(experiment_lines(findings, Style(width, False, unicode)))
                    self.assertLessEqual(max(map(width_of, lines)), width)
                    self.assertTrue(unicode or "".join(lines).isascii())

    def test_what_it_says(self) -> None:
        shown = "\n".join(experiment_lines(sample("x", "y"), Style(100)))
        self.assertRegex(shown, r"\ncheap +14/14 \(78–100 %\) +\$0\.\d+ \(\$0\.\d+–\$0\.\d+\) ")
        self.assertRegex(shown, r"cheap is cheaper than all-frontier: -8\d % \(-8\d to -8\d\)")
        self.assertIn("cheap saves more than 80 % for sure", shown)
        self.assertIn("without any one of the tasks", shown)

    def test_amounts(self) -> None:
        self.assertEqual(in_money(Estimate(2.0, Interval(1.0, float("inf")))), "$2.00 ($1.00–∞)")
        self.assertEqual(in_money(Estimate(float("inf"))), "∞")
        self.assertEqual(in_time(Estimate(90.0)), "1 min 30 s")
        self.assertEqual(in_time(Estimate()), "–")


class TestChart(unittest.TestCase):
    def test_drawn(self) -> None:
        bars = [
            Bar("a", Estimate(0.5, Interval(0.25, 1.0)), "half"),
            Bar("bcd", Estimate(0.0), "none"),
            Bar("e", Estimate(float("inf")), "∞"),
            Bar("f", Estimate(), "–"),
        ]
        lines = list(chart(bars, 30, most=1.0, words=lambda top: f"{top:g}"))
        self.assertEqual(lines[0], "  a    ····├───●───────┤  half")
        self.assertEqual(lines[1], "  bcd  ●················  none")
        self.assertEqual(lines[2], "  e    ·················  ∞")
        self.assertEqual(lines[4], "       0               1")
        ascii_lines = list(chart(bars[:1], 30, unicode=False, most=1.0))
        self.assertIn("[----o", ascii_lines[0])
