"""The report as a page: whole, harmless, without network."""

from __future__ import annotations

import re
import unittest
from html.parser import HTMLParser

from director.model.secrets import Redactor
from director.reporting.experiment.page import experiment_page
from tests.reporting.experiment.test_table import sample

SUMMARY = {"cost_known": 1.5, "unpriced_calls": 0, "stopped": None, "job_id": "20260101-x"}


class Links(HTMLParser):
    """Finds what a page would load, or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        risky = [name for name, _ in attrs if name in ("src", "href", "style") or name[:2] == "on"]
        self.found += [tag] if tag in ("script", "img", "link", "iframe") else risky


class TestPage(unittest.TestCase):
    def test_nothing_is_loaded_and_no_text_is_markup(self) -> None:
        findings = sample("x", "y")
        asked = findings.asked._replace(
            tasks={"x": "<script>alert(1)</script>", "y": "s3cret-word"}
        )
        page = experiment_page(
            findings._replace(asked=asked), SUMMARY, Redactor({"K": "s3cret-word"})
        )
        links = Links()
        links.feed(page)
        self.assertEqual(links.found, [])
        self.assertIn("&lt;script&gt;alert(1)", page)
        self.assertNotIn("s3cret-word", page)
        self.assertIn("default-src &#x27;none&#x27;", page)

    def test_verdicts_charts_and_each_run(self) -> None:
        page = experiment_page(sample(), SUMMARY, Redactor({}))
        self.assertIn("<strong>cheap is cheaper than all-frontier", page)
        self.assertEqual(page.count("<circle"), 6)
        self.assertEqual(len(re.findall(r"<tr><th[^>]*>\d", page)), 14)
        self.assertIn("$1.50 in all", page)
