from __future__ import annotations

import json
import unittest

from director.running.review import read_review


class TestReadReview(unittest.TestCase):
    def test_a_block_carries_its_findings(self) -> None:
        said = {
            "verdict": "block",
            "summary": "loses data",
            "findings": [{"file": "a.py", "problem": "no flush"}],
        }
        review = read_review(f"Here it is:\n```json\n{json.dumps(said)}\n```")
        self.assertTrue(review.blocked)
        self.assertEqual(review.summary, "loses data")
        self.assertIn("a.py: no flush", review.objections)

    def test_a_pass_blocks_nothing(self) -> None:
        review = read_review('{"verdict": "pass", "summary": "fine", "findings": []}')
        self.assertEqual((review.blocked, review.summary), (False, "fine"))

    def test_what_cannot_be_read_blocks_nothing_and_says_so(self) -> None:
        for answer in ("", "BLOCK this!", '{"verdict": "block"', "[1, 2]"):
            with self.subTest(answer):
                review = read_review(answer)
                self.assertFalse(review.blocked)
                self.assertIn("unreadable", review.summary)
