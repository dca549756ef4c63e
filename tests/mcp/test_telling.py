"""What a client hears while a command runs."""

from __future__ import annotations

import unittest

from director.mcp.protocol import Object
from director.mcp.telling import Teller

STEP = {"ts": "t", "kind": "call_progress", "node": "a", "role": "executor", "attempt": 1,
        "tool": "edit", "argument": "a.py"}  # fmt: skip
NOTICE = {"ts": "t", "kind": "notice", "node": None, "message": "take note"}
FAULT = {"ts": "t", "kind": "provider_fault", "node": None, "reason": "busy", "pause_secs": 2}


class TestTeller(unittest.TestCase):
    def setUp(self) -> None:
        self.sent: list[Object] = []
        self.now = 100.0
        self.level = "warning"

    def teller(self, token: str | None = "p") -> Teller:
        return Teller(token, self.sent.append, lambda: self.level, lambda: self.now)

    def messages(self) -> list[str]:
        return [str(one["params"].get("message")) for one in self.sent]

    def test_progress_counts_up(self) -> None:
        teller = self.teller()
        for said in (NOTICE, STEP, None):
            teller.tell(said)
        self.assertEqual([one["params"]["progress"] for one in self.sent], [1, 2, 3])
        self.assertEqual(
            self.messages(), ["take note", "a: executor edit a.py", "still at work after 0 s"]
        )

    def test_steps_of_agents_come_once_a_second(self) -> None:
        teller = self.teller()
        for _ in range(3):
            teller.tell(STEP)
        self.now += 1.0
        teller.tell(STEP)
        self.assertEqual(len(self.sent), 2)

    def test_without_a_token_there_is_no_progress(self) -> None:
        teller = self.teller(None)
        for said in (NOTICE, STEP, None):
            teller.tell(said)
        self.assertEqual(self.sent, [])

    def test_log_messages_from_the_level_on(self) -> None:
        teller = self.teller(None)
        teller.tell(FAULT)
        self.level = "debug"
        teller.tell(STEP)
        found = [(one["method"], one["params"]["level"]) for one in self.sent]
        name = "notifications/message"
        self.assertEqual(found, [(name, "warning"), (name, "debug")])

    def test_what_is_no_event_is_passed_over(self) -> None:
        self.teller().tell({"kind": "invented"})
        self.teller().tell({})
        self.assertEqual(self.sent, [])
