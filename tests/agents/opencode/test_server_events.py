"""What a server tells, in the words of ``opencode run``."""

from __future__ import annotations

import unittest
from typing import Any

from director.agents.opencode.server_events import Narrator


def status(kind: str, session: str = "s", **more: Any) -> dict[str, Any]:
    told = {"sessionID": session, "status": {"type": kind, **more}}
    return {"type": "session.status", "properties": told}


def part(kind: str, session: str = "s", number: int = 1, **more: Any) -> dict[str, Any]:
    told = {"id": f"p{number}", "sessionID": session, "type": kind, **more}
    return {"type": "message.part.updated", "properties": {"part": told}}


def failed(message: str) -> dict[str, Any]:
    error = {"name": "UnknownError", "data": {"message": message}}
    return {"type": "session.error", "properties": {"sessionID": "s", "error": error}}


class TestNarrator(unittest.TestCase):
    def setUp(self) -> None:
        self.narrator = Narrator("s", lambda: 12.3456)

    def told(self, *events: dict[str, Any]) -> list[str]:
        lines = [self.narrator.line(event) for event in events]
        return [line["type"] for line in lines if line]

    def test_a_turn(self) -> None:
        running = part("tool", number=2, state={"status": "running"})
        done = part("tool", number=2, state={"status": "completed"})
        growing = part("text", number=3, text="he", time={"start": 1})
        whole = part("text", number=3, text="hello", time={"start": 1, "end": 2})
        told = self.told(
            status("busy"), part("step-start"), running, done, growing, whole,
            part("step-finish", number=4), status("idle"),
        )  # fmt: skip
        self.assertEqual(told, ["step_start", "tool_use", "text", "step_finish"])
        self.assertTrue(self.narrator.over)

    def test_a_tool_that_begins_is_told_once_and_without_contents(self) -> None:
        given = {"filePath": "a", "content": "x", "newString": "y", "command": "z" * 5000, "n": 5}
        begun = part("tool", tool="edit", state={"status": "running", "input": given, "title": "t"})
        line = self.narrator.line(begun)
        assert line
        self.assertEqual(line["type"], "tool_begun")
        state = {"status": "running", "input": {"filePath": "a"}}
        self.assertEqual(line["part"]["state"], state)
        done = part("tool", tool="edit", state={"status": "completed", "input": given})
        pending = part("tool", number=2, state={"status": "pending", "input": {"command": "a"}})
        self.assertEqual(self.told(begun, done, begun, pending), ["tool_use"])

    def test_what_is_told_again_is_not_paid_again(self) -> None:
        self.assertEqual(len(self.told(*[part("step-finish")] * 3)), 1)

    def test_a_tool_that_was_refused_is_told(self) -> None:
        self.assertEqual(self.told(part("tool", state={"status": "error"})), ["tool_use"])

    def test_the_prompt_is_no_answer(self) -> None:
        self.assertEqual(self.told(part("text", text="# Implement")), [])

    def test_other_sessions_are_passed_over(self) -> None:
        self.told(status("busy"))
        others = (part("step-finish", session="t"), status("idle", session="t"))
        self.assertEqual(self.told(*others), [])
        self.assertFalse(self.narrator.over)
        self.assertFalse(self.narrator.concerns(others[0]))

    def test_a_turn_that_cannot_begin_is_over_with_its_error(self) -> None:
        self.assertEqual(self.told(failed("Agent not found")), ["error"])
        self.assertTrue(self.narrator.over)

    def test_after_an_error_amid_a_turn_it_may_go_on(self) -> None:
        self.told(status("busy"), failed("too long"))
        self.assertFalse(self.narrator.over)
        self.told(status("busy"), status("idle"))
        self.assertTrue(self.narrator.over)

    def test_idle_before_the_turn_is_not_its_end(self) -> None:
        self.told(status("idle"))
        self.assertFalse(self.narrator.over)

    def test_retries_and_permissions_are_told(self) -> None:
        retry = self.narrator.line(status("retry", attempt=2, message="busy", next=5000))
        when = {"timestamp": 12346, "sessionID": "s"}
        self.assertEqual(
            retry, {"type": "retry", **when, "attempt": 2, "message": "busy", "next": 5000}
        )
        asked = {"sessionID": "s", "permission": "edit", "patterns": ["a"], "metadata": {}}
        line = self.narrator.line({"type": "permission.asked", "properties": asked})
        assert line is not None
        self.assertEqual((line["permission"], line["patterns"]), ("edit", ["a"]))

    def test_what_is_not_understood_is_passed_over(self) -> None:
        odd: tuple[dict[str, Any], ...] = (
            {}, {"type": "message.part.updated"}, {"type": "x", "properties": 3},
            {"type": "session.status", "properties": {"sessionID": "s", "status": None}},
            {"type": "message.part.updated", "properties": {"sessionID": "s", "part": "no"}},
            part("text", time=3), part("tool"), part("patch"),
        )  # fmt: skip
        self.assertEqual(self.told(*odd), [])
