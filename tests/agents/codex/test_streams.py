"""How calls ended whose events the real Codex (0.169.0) left, with a scripted provider.

With it: ``codex.events``, ``codex.backend``.
"""

from __future__ import annotations

import unittest
from pathlib import Path

from director.agents.calls import Outcome
from director.agents.codex.events import CodexReader
from director.agents.events_file import EventsFollower
from director.agents.judging import judge
from director.agents.reading import CallEnd
from director.agents.transcript import FaultKind, ToolKind, Transcript
from director.model.usage import Tokens
from director.processes.command import Ended, Ending

STREAMS = Path(__file__).with_name("streams")
EXITED = Ended(Ending.EXITED, 1, 1.0)
DONE = ("done", "reasoned", "recovered", "unknown_model_name", "running_at_the_end")
LASTING = ("refused_key", "bad_request", "not_found", "quota", "usage_limit", "not_logged_in")
PASSING = (
    "rate_limit",
    "rate_limit_with_pause",
    "rate_limit_in_stream",
    "server_error",
    "unavailable",
    "overloaded",
    "cut",
    "connection_refused",
)


class TestStreams(unittest.TestCase):
    def test_an_answer_completes_a_call_whatever_went_before(self) -> None:
        for name in (*DONE, "refused_in_read_only", "no_sandbox"):
            end, transcript = _read(name)
            self.assertEqual(end, CallEnd(Outcome.COMPLETED), name)
            self.assertTrue(transcript.text, name)
            self.assertIsNotNone(transcript.usage.tokens, name)

    def test_what_the_provider_refuses_lasts(self) -> None:
        for name in LASTING:
            end, _ = _read(name)
            self.assertEqual((end.outcome, end.kind), (Outcome.PROVIDER_FAULT, FaultKind.LASTING))

    def test_what_may_pass_is_worth_another_try(self) -> None:
        for name in PASSING:
            end, _ = _read(name)
            expected = (Outcome.PROVIDER_FAULT, FaultKind.PASSING)
            self.assertEqual((end.outcome, end.kind), expected, name)

    def test_other_ends(self) -> None:
        for name, outcome, kind in (
            ("no_such_model", Outcome.PROVIDER_FAULT, FaultKind.UNKNOWN_MODEL),
            ("too_long", Outcome.CONTEXT_TOO_LONG, FaultKind.CONTEXT),
            ("length", Outcome.INCOMPLETE, FaultKind.LENGTH),
            ("empty", Outcome.PROVIDER_FAULT, FaultKind.PASSING),
            ("terminated", Outcome.AGENT_FAULT, FaultKind.PASSING),
            ("long_pause", Outcome.AGENT_FAULT, FaultKind.PASSING),
        ):
            end, _ = _read(name)
            self.assertEqual((end.outcome, end.kind), (outcome, kind), name)

    def test_a_reason_says_what_the_provider_says(self) -> None:
        for name, reason in (
            ("refused_key", "Codex (HTTP 401): unexpected status 401 Unauthorized: no such key"),
            ("bad_request", "Codex: bad thing"),
            ("not_logged_in", "Codex: Missing environment variable: `KEY`."),
            ("empty", "the provider sent an empty answer"),
        ):
            end, _ = _read(name)
            self.assertTrue(end.reason.startswith(reason), end.reason)

    def test_tools_are_told_with_commands_exit_codes_and_files(self) -> None:
        _, transcript = _read("done")
        found = [(one.kind, one.command, one.paths, one.exit_code) for one in transcript.tools]
        expected = [
            (ToolKind.SHELL, "sh test.sh", (), 2),
            (ToolKind.EDIT, "", ("/repo/a.txt",), None),
            (ToolKind.SHELL, "cat a.txt", (), 0),
            (ToolKind.SHELL, "sh test.sh", (), 0),
        ]
        self.assertEqual(found, expected)
        self.assertTrue(all(one.carried_out for one in transcript.tools))

    def test_what_codex_refuses_leaves_no_trace(self) -> None:
        _, transcript = _read("refused_in_read_only")
        self.assertEqual([one.command for one in transcript.tools], ["cat kept.txt"])

    def test_what_the_sandbox_of_director_refuses_is_told(self) -> None:
        _, transcript = _read("refused_in_landlock")
        edits = [one for one in transcript.tools if one.kind is ToolKind.EDIT]
        self.assertEqual([one.carried_out for one in edits], [False])

    def test_tokens_are_told_at_a_good_end_only(self) -> None:
        _, transcript = _read("reasoned")
        self.assertEqual(transcript.usage.tokens, Tokens(1499, 18, 1404, 0, 9))
        for name in ("terminated", "length", "cut"):
            _, transcript = _read(name)
            self.assertIsNone(transcript.usage.tokens, name)

    def test_what_went_on_after_another_try_has_nothing_to_do_with_a_later_fault(self) -> None:
        reader, transcript = CodexReader(), Transcript()
        for event in (
            {"type": "error", "message": "Reconnecting... 1/2 (stream disconnected)"},
            {"type": "item.completed", "item": {"type": "agent_message", "text": "I read."}},
            {"type": "turn.failed", "error": {"message": "Quota exceeded."}},
        ):
            reader.take(event, transcript)
        self.assertEqual(transcript.faults[-1].kind, FaultKind.LASTING)

    def test_events_that_are_not_as_expected_are_passed_over(self) -> None:
        reader, transcript = CodexReader(), Transcript()
        for event in (
            {},
            {"type": "item.completed"},
            {"type": "item.completed", "item": {"type": "file_change", "changes": [1]}},
            {"type": "item.completed", "item": {"type": "command_execution", "exit_code": "1"}},
            {"type": "error", "message": None},
            {"type": "turn.failed", "error": "text"},
            {"type": "turn.completed", "usage": None},
        ):
            reader.take(event, transcript)
        self.assertIsNone(transcript.usage.tokens)
        self.assertEqual([one.carried_out for one in transcript.tools], [False, False])


def _read(name: str) -> tuple[CallEnd, Transcript]:
    """Return how a recorded call ended, and its transcript."""
    reader = CodexReader()
    follower = EventsFollower(STREAMS / f"{name}.jsonl", reader)
    assert follower.poll(), name
    return judge(EXITED, follower.transcript, reader, ""), follower.transcript
