from __future__ import annotations

import json
import unittest
from typing import Any

from director.running.review import Finding, Severity, read_review

BUG: dict[str, Any] = {"file": "a.py", "problem": "no flush"}


class TestReadReview(unittest.TestCase):
    def critical(self, **said: Any) -> list[str]:
        """Return the problems that block, in an answer that holds ``said``."""
        review = read_review(json.dumps({"summary": "loses data", **said}))
        self.assertEqual(review.summary, "loses data")
        return [one.problem for one in review.critical]

    def test_a_critical_finding_blocks_and_a_minor_one_informs(self) -> None:
        findings = [{"severity": "critical", **BUG}, {"severity": "minor", "problem": "a name"}]
        said = {"summary": "loses data", "findings": findings}
        review = read_review(f"Here it is:\n```json\n{json.dumps(said)}\n```")
        self.assertEqual(review.critical, (Finding(Severity.CRITICAL, "a.py", "no flush"),))
        self.assertEqual(review.findings[1], Finding(Severity.MINOR, "", "a name"))
        self.assertEqual(review.objections, "- a.py: no flush")

    def test_findings_decide_whatever_the_verdict_says(self) -> None:
        for verdict in ("pass", "block", None):
            found = self.critical(verdict=verdict, findings=[{"severity": "Critical", **BUG}])
            self.assertEqual(found, ["no flush"], verdict)
            found = self.critical(verdict=verdict, findings=[{"severity": "minor", **BUG}])
            self.assertEqual(found, [], verdict)

    def test_findings_without_a_severity_are_as_grave_as_the_verdict(self) -> None:
        for finding in (BUG, {"severity": None, **BUG}, {"severity": "major", **BUG}):
            self.assertEqual(self.critical(verdict="block", findings=[finding]), ["no flush"])
            self.assertEqual(self.critical(verdict="pass", findings=[finding]), [])
            self.assertEqual(self.critical(findings=[finding]), [])
        self.assertEqual(self.critical(verdict="Block", findings=["no flush"]), ["no flush"])
        self.assertEqual(self.critical(verdict="block", findings=BUG), ["no flush"])

    def test_a_block_without_findings_has_its_summary_as_the_finding(self) -> None:
        empty: tuple[Any, ...] = ([], None, 3)
        for findings in empty:
            self.assertEqual(self.critical(verdict="block", findings=findings), ["loses data"])

    def test_a_pass_blocks_nothing(self) -> None:
        review = read_review('{"verdict": "pass", "summary": "fine", "findings": []}')
        self.assertEqual((review.findings, review.summary), ((), "fine"))

    def test_what_cannot_be_read_blocks_nothing_and_says_so(self) -> None:
        for answer in ("", "BLOCK this!", '{"verdict": "block"', "[1, 2]"):
            with self.subTest(answer):
                review = read_review(answer)
                self.assertEqual(review.critical, ())
                self.assertIn("no review", review.summary)
