"""Which failures last, as Codex words them."""

from __future__ import annotations

import unittest

from director.agents.codex.faults import lasts, plain, status_in

HIGH_DEMAND = "We’re currently experiencing high demand, which may cause temporary errors."


class TestFaults(unittest.TestCase):
    def test_a_status_is_read_from_the_text(self) -> None:
        for message, status in (
            ("unexpected status 401 Unauthorized: no such key, url: http://h/v1", 401),
            ("exceeded retry limit, last status: 429 Too Many Requests", 429),
            ("The model `gpt-9` does not exist or you do not have access to it.", 404),
            ("The 'gpt-9' model is not supported when using Codex with an account.", 404),
            (HIGH_DEMAND, None),
        ):
            self.assertEqual(status_in(message), status, message)

    def test_what_the_status_says_counts_before_anything_else(self) -> None:
        refused, unavailable = "unexpected status 403 Forbidden: x", "unexpected status 503: x"
        for retried in (False, True):
            self.assertIs(lasts(refused, retried=retried), True)
            self.assertIs(lasts(unavailable, retried=retried), False)

    def test_what_codex_tried_again_may_pass(self) -> None:
        self.assertIs(lasts(HIGH_DEMAND, retried=True), False)
        self.assertIs(lasts("Quota exceeded. Check your plan.", retried=False), True)
        self.assertIs(lasts("Selected model is at capacity.", retried=False), False)

    def test_the_sentence_is_taken_out_of_an_answer(self) -> None:
        self.assertEqual(plain('{"error": {"message": "bad thing", "code": 1}}'), "bad thing")
        self.assertEqual(plain('{"detail": "not supported"}'), "not supported")
        for other in ('{"error": "text"}', "[1]", "no JSON", '{"error": {"message": 1}}'):
            self.assertEqual(plain(other), other)
