"""The report as Markdown."""

from __future__ import annotations

import unittest

from director.reporting.experiment.markdown import experiment_markdown
from tests.reporting.experiment.test_table import sample


class TestMarkdown(unittest.TestCase):
    def test_tables_and_verdicts(self) -> None:
        shown = experiment_markdown(sample("x|y", "z"))
        self.assertIn("| cheap | 14/14 (78–100 %) | $", shown)
        self.assertIn("| x\\|y | 7/7 | 7/7 |", shown)
        self.assertIn("- **cheap is cheaper than all-frontier", shown)
        self.assertIn("- cheap against all-frontier: inconclusive", shown)
