"""Which failures last, as Codex words them: of ``codex.events``."""

from __future__ import annotations

import unittest

from director.agents.codex.events import fault_of, plain
from director.agents.transcript import FaultKind

HIGH_DEMAND = "We’re currently experiencing high demand, which may cause temporary errors."


class TestFaults(unittest.TestCase):
    def test_a_status_is_read_from_the_text(self) -> None:
        for message, status in (
            ("unexpected status 401 Unauthorized: no such key, url: http://h/v1", 401),
            ("exceeded retry limit, last status: 429 Too Many Requests", 429),
            (HIGH_DEMAND, None),
        ):
            self.assertEqual(fault_of(message, retried=False).status_code, status, message)

    def test_a_status_counts_before_another_try(self) -> None:
        refused, unavailable = "unexpected status 403 Forbidden: x", "unexpected status 503: x"
        for retried in (False, True):
            self.assertEqual(fault_of(refused, retried=retried).kind, FaultKind.PERMANENT)
            self.assertEqual(fault_of(unavailable, retried=retried).kind, FaultKind.TRANSIENT)
        for status in (400, 401, 402, 404, 413):
            found = fault_of(f"unexpected status {status} No: x", retried=True).kind
            self.assertEqual(found, FaultKind.PERMANENT, status)

    def test_what_codex_tried_again_may_pass(self) -> None:
        for message, retried, kind in (
            (HIGH_DEMAND, True, FaultKind.TRANSIENT),
            ("Quota exceeded. Check your plan.", False, FaultKind.PERMANENT),
            ("Selected model is at capacity.", False, FaultKind.TRANSIENT),
        ):
            self.assertEqual(fault_of(message, retried=retried).kind, kind, message)

    def test_a_model_that_is_not_there_is_told_from_other_refusals(self) -> None:
        for message in (
            "The model `gpt-9` does not exist or you do not have access to it.",
            '{"detail":"The \'gpt-9\' model is not supported when using Codex with an account."}',
            "unexpected status 404 Not Found: model 'm' not found, url: http://h/v1/responses",
        ):
            found = fault_of(message, retried=False).kind
            self.assertEqual(found, FaultKind.UNKNOWN_MODEL, message)

    def test_the_sentence_is_taken_out_of_an_answer(self) -> None:
        self.assertEqual(plain('{"error": {"message": "bad thing", "code": 1}}'), "bad thing")
        self.assertEqual(plain('{"detail": "not supported"}'), "not supported")
        for other in (
            '{"error": "text"}', "[1]", "no JSON", '{"error": {"message": 1}}', "[" * 100_000,
        ):  # fmt: skip
            self.assertEqual(plain(other), other)
