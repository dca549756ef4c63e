"""What the recorded events of Claude Code say."""

from __future__ import annotations

import unittest
from typing import Any

from director.agents.calls import Outcome
from director.agents.claude_code.events import Asked, ClaudeCodeReader
from director.agents.reading import CallEnd
from director.agents.transcript import Fault, FaultKind, Finish, ToolKind, Transcript
from director.model.usage import LARGEST, Tokens
from tests.agents.claude_code.recordings import ASKED, events_of, read


class TestWork(unittest.TestCase):
    def test_the_last_text_is_the_answer(self) -> None:
        transcript = read("success")
        self.assertEqual((transcript.text, transcript.last_finish), ("Done.", Finish.DONE))
        self.assertEqual((transcript.faults, transcript.ended_in_fault), ([], False))

    def test_tools_are_told_by_kind(self) -> None:
        uses = [(use.kind, use.name, use.command, use.paths) for use in read("success").tools]
        expected = [
            (ToolKind.SHELL, "Bash", "grep -q two x.py", ()),
            (ToolKind.OTHER, "Read", "", ()),
            (ToolKind.EDIT, "Edit", "", ("x.py",)),
            (ToolKind.SHELL, "Bash", "grep two x.py", ()),
        ]
        self.assertEqual(uses, expected)

    def test_a_tool_runs_until_its_result(self) -> None:
        reader, transcript = ClaudeCodeReader(), Transcript()
        call = {"type": "tool_use", "id": "1", "name": "Read", "input": {"file_path": "x.py"}}
        reader.take({"type": "assistant", "message": {"content": [call]}}, transcript)
        running = transcript.running
        assert running
        self.assertEqual((running.word, running.argument), ("read", "x.py"))
        result = {"type": "tool_result", "tool_use_id": "1", "content": "text"}
        reader.take({"type": "user", "message": {"content": [result]}}, transcript)
        self.assertEqual((transcript.running, transcript.latest), (None, running))

    def test_exit_codes_are_read_from_what_is_said(self) -> None:
        codes = {use.command: use.exit_code for use in read("exit_codes").tools}
        expected = {"test -e nope": 1, 'sh -c "exit 7"': 7, "echo Exit code 5": 0}
        self.assertEqual(codes, {**expected, "nope_cmd": 127, "true": 0})

    def test_what_no_claude_code_says_does_no_harm(self) -> None:
        said = f"Exit code {'9' * 5000}"
        result = {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": said}
        call = {"type": "tool_use", "id": "1", "name": "Bash"}
        reader, transcript = ClaudeCodeReader(ASKED), Transcript()
        for event in (
            {"type": "system", "subtype": "init", "model": ASKED.model, "tools": [{}]},
            {"type": "assistant", "message": {"content": [call]}},
            {"type": "user", "message": {"content": [result]}},
            {"type": "result", "is_error": True, "errors": 5},
        ):
            reader.take(event, transcript)
        self.assertEqual([use.exit_code for use in transcript.tools], [None])
        self.assertEqual([fault.message for fault in transcript.faults], ["no message"])
        end = reader.conclude(transcript, "")
        self.assertEqual(end and end.outcome, Outcome.AGENT_FAULT)

    def test_a_command_that_took_too_long_has_none(self) -> None:
        (use,) = read("command_timeout").tools
        self.assertEqual((use.exit_code, use.kind), (None, ToolKind.SHELL))

    def test_what_was_refused_was_not_carried_out_and_the_turn_goes_on(self) -> None:
        transcript = read("refused")
        done = {use.name: (use.carried_out, use.exit_code) for use in transcript.tools}
        refused = dict.fromkeys(("Edit", "Write", "Bash", "Task"), (False, None))
        self.assertEqual(done, {"Read": (True, None), **refused})
        self.assertEqual(transcript.last_finish, Finish.DONE)


class TestTokens(unittest.TestCase):
    def test_they_are_those_of_all_requests_and_none_twice(self) -> None:
        self.assertEqual(read("success").tokens, Tokens(2956, 126, 10835))
        self.assertEqual((read("success").steps, read("success").uncounted), (5, 0))

    def test_they_are_known_while_the_call_runs(self) -> None:
        kinds = [event["type"] for event in events_of("success")]
        first = kinds.index("stream_event") + 1
        self.assertEqual(read("success", first).tokens, Tokens(2605, 1))
        self.assertEqual(read("success", kinds.index("user")).tokens, Tokens(2605, 32))
        self.assertEqual(read("success", len(kinds) - 1).tokens, read("success").tokens)

    def test_a_request_that_was_cut_counts(self) -> None:
        self.assertEqual(read("cut").tokens, Tokens(2605, 1))

    def test_requests_without_events_count(self) -> None:
        silent = [event for event in events_of("success") if event["type"] != "stream_event"]
        self.assertEqual(_read(silent).tokens, Tokens(2956, 126, 10835))

    def test_what_claude_code_says_of_money_is_not_believed(self) -> None:
        self.assertIsNone(read("success").usage.reported_usd)

    def test_what_was_not_counted_is_unknown(self) -> None:
        for count in (-1, LARGEST, "3", None):
            with self.subTest(count=count):
                transcript = _read([_start({"input_tokens": count}), _end({})])
                self.assertIsNone(transcript.usage.tokens)
        self.assertIsNone(_read([_start({}), _end({})]).usage.tokens)
        without_cache = _read([_start({"input_tokens": 0}), _end({"input_tokens": 7})])
        self.assertEqual(without_cache.usage.tokens, Tokens(7))


class TestFaults(unittest.TestCase):
    def test_each_is_told_with_what_can_be_done_about_it(self) -> None:
        for name, fault, status, kind in (
            ("unauthorized", "authentication_failed", 401, FaultKind.PERMANENT),
            ("forbidden", "authentication_failed", 403, FaultKind.PERMANENT),
            ("not_logged_in", "authentication_failed", None, FaultKind.PERMANENT),
            ("no_credit", "billing_error", 400, FaultKind.PERMANENT),
            ("unknown_model", "model_not_found", 404, FaultKind.UNKNOWN_MODEL),
            ("too_long", "invalid_request", 400, FaultKind.CONTEXT),
            ("max_tokens", "max_output_tokens", None, FaultKind.LENGTH),
            ("rate_limited", "rate_limit", 429, FaultKind.TRANSIENT),
            ("rate_limited_long", "rate_limit", 429, FaultKind.TRANSIENT),
            ("overloaded", "server_error", 529, FaultKind.TRANSIENT),
            ("stream_error", "unknown", None, FaultKind.TRANSIENT),
            ("cut_early", "unknown", None, FaultKind.TRANSIENT),
            ("cut", "cut", None, FaultKind.TRANSIENT),
            ("interrupted", "error_during_execution", None, FaultKind.TRANSIENT),
        ):
            with self.subTest(name):
                transcript = read(name)
                (found,) = transcript.faults
                self.assertEqual(found, Fault(fault, found.message, status, kind))
                self.assertNotIn(found.message, ("", "no message"))
                self.assertTrue(transcript.ended_in_fault)

    def test_the_words_of_claude_code_itself_are_no_answer(self) -> None:
        self.assertEqual(read("unauthorized").texts, [])

    def test_a_provider_that_recovers_is_no_fault(self) -> None:
        transcript = read("recovered")
        self.assertEqual((transcript.faults, transcript.text), ([], "Done."))

    def test_retries_are_told(self) -> None:
        retry = read("rate_limited").retry
        assert retry is not None
        self.assertEqual((retry.attempt, retry.message), (2, "rate_limit (HTTP 429)"))

    def test_a_model_that_refuses_is_no_fault_of_the_provider(self) -> None:
        transcript = read("model_refuses")
        self.assertEqual((transcript.last_finish, transcript.faults), (Finish.REFUSED, []))


class TestStart(unittest.TestCase):
    def test_as_asked(self) -> None:
        self.assertIsNone(self.concluded(ASKED))

    def test_otherwise_than_asked(self) -> None:
        for asked, said in (
            (ASKED._replace(model="claude-other-1"), "the model is claude-probe-1"),
            (ASKED._replace(tools=frozenset({"Read"})), "the tools are"),
            (ASKED._replace(mode="default"), "the permission mode is dontAsk, not default"),
        ):
            with self.subTest(said):
                end = self.concluded(asked)
                assert end is not None
                self.assertEqual(
                    (end.outcome, end.kind), (Outcome.AGENT_FAULT, FaultKind.PERMANENT)
                )
                self.assertIn(said, end.reason)

    def test_an_alias_is_resolved(self) -> None:
        self.assertIsNone(self.concluded(ASKED._replace(model="opus")))

    def concluded(self, asked: Asked) -> CallEnd | None:
        reader, transcript = ClaudeCodeReader(asked), Transcript()
        for event in events_of("success"):
            reader.take(event, transcript)
        return reader.conclude(transcript, "")


class TestStrangeEvents(unittest.TestCase):
    def test_none_is_too_strange(self) -> None:
        for event in (
            {},
            {"type": "assistant", "message": None},
            {"type": "assistant", "message": {"content": ["x", None]}},
            {"type": "user", "message": {"content": [{"type": "tool_result"}]}},
            {"type": "stream_event", "event": {"type": "message_delta", "usage": []}},
            {"type": "result", "modelUsage": {"m": None}, "is_error": True, "errors": None},
            {"type": "system", "subtype": "api_retry", "attempt": None},
            {"type": "system", "subtype": "init", "tools": 3},
        ):
            with self.subTest(event=event):
                _read([event])


def _read(events: list[dict[str, Any]]) -> Transcript:
    reader, transcript = ClaudeCodeReader(ASKED), Transcript()
    for event in events:
        reader.take(event, transcript)
    return transcript


def _start(usage: dict[str, Any]) -> dict[str, Any]:
    message = {"id": "msg", "usage": usage}
    return {"type": "stream_event", "event": {"type": "message_start", "message": message}}


def _end(usage: dict[str, Any]) -> dict[str, Any]:
    delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    return {"type": "stream_event", "event": delta}
