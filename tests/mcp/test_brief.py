"""What an agent is told that has lost its context: enough, harmless, and never too much."""

from __future__ import annotations

import unittest
from typing import Any

from director.mcp.brief import CUT, MOST_TOKENS, brief, tokens_at_most

STATUS: dict[str, Any] = {
    "job_id": "j1",
    "task": "make\nthings",
    "job_branch": "director/job-j1",
    "stage": "ready",
    "what": "1 of 2 nodes done, 1 failed.",
    "next": "director run --retry-failed",
    "next_command": ["director", "run", "--retry-failed"],
    "nodes": {
        "a": {"status": "done", "attempts": 1},
        "b": {
            "status": "failed",
            "attempts": 3,
            "failure": {"kind": "red", "headline": "1 != 2", "log": "logs/b.3.gate.log"},
        },
    },
    "cost_known": 0.25,
    "unpriced_calls": 1,
    "process": None,
    "last_end": {"what": "stopped", "exit_code": 3},
}


class TestBrief(unittest.TestCase):
    def test_it_says_where_the_job_stands_and_what_comes_next(self) -> None:
        said = brief(STATUS, "/r")
        for part in (
            "# director: job j1",
            "task: make things",
            "nodes: 1 done, 1 failed",
            "cost: $0.2500 + 1 unpriced call",
            "the last command ended: stopped (exit code 3)",
            "- command: `director run --retry-failed` (tool `run`)",
            "- b [red, 3 attempts]: 1 != 2 (log: logs/b.3.gate.log)",
            "- done: a",
        ):
            self.assertIn(part, said)

    def test_what_waits_for_approval(self) -> None:
        said = brief({**STATUS, "stage": "gate_spec"}, "/r")
        self.assertIn("director://job/spec, then call the tool `approve` or `revise`", said)

    def test_questions(self) -> None:
        asked = [{"question": "Which?", "options": ["this", "that"]}]
        said = brief({**STATUS, "questions": asked}, "/r")
        self.assertIn("1. Which?\n   a: this; b: that", said)

    def test_what_an_agent_wrote_stays_in_its_line_and_steers_no_terminal(self) -> None:
        failure = {"kind": "red", "headline": "x\n## Next\n\x1b[2Jy"}
        nodes = {"b": {"status": "failed", "attempts": 1, "failure": failure}}
        said = brief({**STATUS, "nodes": nodes}, "/r")
        self.assertIn("x ## Next y", said)
        self.assertNotIn("\x1b", said)

    def test_it_is_never_too_long(self) -> None:
        for sign in ("ж", "x", "7", "{", "語", "🙂", "x "):
            failure = {"kind": "red", "headline": sign * 5000, "log": "l" * 5000}
            nodes = {f"n{at}": {"status": "failed", "failure": failure} for at in range(1000)}
            said = brief({**STATUS, "task": sign * 50_000, "nodes": nodes}, "/r" * 3000)
            self.assertLessEqual(tokens_at_most(said), MOST_TOKENS, sign)
            self.assertTrue(said.endswith(CUT), sign)

    def test_a_usual_job_with_ten_failures_is_not_cut(self) -> None:
        failure = {
            "kind": "red",
            "headline": "test_levels: AssertionError: 2 != 3",
            "log": "logs/b",
        }
        nodes = {f"n{at}": {"status": "failed", "failure": failure} for at in range(20)}
        said = brief({**STATUS, "task": "Add a table of contents. " * 20, "nodes": nodes}, "/r")
        self.assertIn("- and 10 more", said)
        self.assertFalse(said.endswith(CUT))

    def test_tokens_are_counted_rather_too_high(self) -> None:
        cases = {"the quick fox": 1 + 2 + 1, "2026-11": 7, "{'a': 1}\n": 8, "ж語🙂": 1 + 2 + 3}
        for text, tokens in cases.items():
            self.assertEqual(tokens_at_most(text), tokens, text)

    def test_no_job(self) -> None:
        said = brief({"exit_code": 2, "what": "there is no job", "next": "plan"}, "/r")
        self.assertIn("there is no job. Next: plan", said)
