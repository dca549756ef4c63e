"""The report of a bench, where the price of some calls is not known."""

from __future__ import annotations

import unittest

from director.benching.report import BenchReport
from director.model.comparison import Row
from director.model.experiment import Asked
from director.model.findings import find
from director.reporting.bench_table import render_bench


class TestCosts(unittest.TestCase):
    def test_an_unknown_cost_does_not_hide_what_is_known(self) -> None:
        known = Row("all", 1, 1, run_cost=0.5, cost_known=0.5)
        partly = Row("cheap", 1, 1, run_cost=None, cost_known=0.0612, unpriced_calls=5)
        asked = Asked({"": "t"}, {"all": "", "cheap": ""}, "all", 1, "base")
        report = BenchReport("t", "all", None, 0.25, 1, "job", (known, partly), find(asked, ()))
        shown = render_bench(report.to_json())
        self.assertIn("planned once with all: $0.2500 + 1 unpriced call\n", shown)
        self.assertIn("$0.0612 + 5 unpriced calls", shown)
        self.assertIn("$0.5000", shown)
