"""How a call ended is judged by its events, whichever CLI made it."""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from director.agents.calls import Outcome
from director.agents.claude_code.events import ClaudeCodeReader
from director.agents.codex.events import CodexReader
from director.agents.judging import judge, reason_of, stopped
from director.agents.opencode.events import OpenCodeReader
from director.agents.reading import CallEnd, EventReader
from director.agents.transcript import FaultKind, Finish, Transcript
from director.model.reason import Reason
from director.processes.command import Ended, Ending
from tests.agents.claude_code.recordings import events_of as claude_events

AGENTS = Path(__file__).parent
EXITED = Ended(Ending.EXITED, 1, 1.0)


class TestJudge(unittest.TestCase):
    def judge(self, ending: Ending, finish: Finish | None = Finish.DONE) -> Outcome:
        ended, transcript = Ended(ending, 0, 1.0, "reason"), Transcript(last_finish=finish)
        return judge(ended, transcript, OpenCodeReader(), "").outcome

    def test_why_it_was_stopped_comes_first(self) -> None:
        end = stopped(Ended(Ending.STOPPED, 0, 1.0, "money"), Transcript(), Outcome.OVER_BUDGET)
        self.assertEqual(end, (Outcome.OVER_BUDGET, "money", FaultKind.TRANSIENT))
        asked = Transcript(asked_for="edit (*)")
        end = stopped(Ended(Ending.STOPPED, 0, 1.0, "asked"), asked, Outcome.AGENT_FAULT)
        self.assertIs(end.kind, FaultKind.PERMANENT)

    def test_how_the_process_ended_comes_before_what_it_said(self) -> None:
        self.assertEqual(self.judge(Ending.CANCELLED), Outcome.CANCELLED)
        self.assertEqual(self.judge(Ending.TIMED_OUT), Outcome.TIMED_OUT)
        self.assertEqual(self.judge(Ending.NOT_STARTED), Outcome.AGENT_FAULT)

    def test_finishes(self) -> None:
        for finish, outcome in (
            (Finish.DONE, Outcome.COMPLETED),
            (Finish.LENGTH, Outcome.INCOMPLETE),
            (Finish.TOOL_CALLS, Outcome.AGENT_FAULT),
            (Finish.REFUSED, Outcome.INCOMPLETE),
            (Finish.OTHER, Outcome.AGENT_FAULT),
            (Finish.EMPTY, Outcome.PROVIDER_FAULT),
            (None, Outcome.AGENT_FAULT),
        ):
            self.assertEqual(self.judge(Ending.EXITED, finish), outcome, finish)


class TestReasons(unittest.TestCase):
    def reason(self, reader: EventReader, events: list[dict[str, Any]], errors: str = "") -> Reason:
        transcript = Transcript()
        for event in events:
            reader.take(event, transcript)
        return reason_of(judge(EXITED, transcript, reader, errors), transcript)

    def opencode(self, name: str, message: str, status: int | None = None) -> Reason:
        data = {"message": message} | ({"statusCode": status} if status else {})
        event = {"type": "error", "error": {"name": name, "data": data}}
        return self.reason(OpenCodeReader(), [event])

    def test_of_opencode(self) -> None:
        for name, message, status, expected in (
            ("APIError", "no", 401, Reason.AUTH),
            ("APIError", "no", 403, Reason.AUTH),
            ("ProviderAuthError", "run it again", None, Reason.AUTH),
            ("APIError", "API key not valid. Please pass a valid API key.", 400, Reason.AUTH),
            ("APIError", "slow down", 429, Reason.RATE_LIMIT),
            ("APIError", "try later", 529, Reason.RATE_LIMIT),
            ("APIError", "pay first", 402, Reason.RATE_LIMIT),
            ("APIError", "insufficient_quota", None, Reason.RATE_LIMIT),
            ("ProviderModelNotFoundError", "m", None, Reason.MODEL_UNKNOWN),
            ("APIError", "no such model", 404, Reason.MODEL_UNKNOWN),
            ("APIError", "no such page", 404, Reason.PROVIDER),
            ("APIError", "gone", 500, Reason.PROVIDER),
            ("APIError", "connection refused", None, Reason.PROVIDER),
        ):
            self.assertIs(self.opencode(name, message, status), expected, (message, status))

    def test_of_claude_code_as_it_was_recorded(self) -> None:
        for name, expected in (
            ("unauthorized", Reason.AUTH),
            ("not_logged_in", Reason.AUTH),
            ("rate_limited", Reason.RATE_LIMIT),
            ("rate_limited_long", Reason.RATE_LIMIT),
            ("overloaded", Reason.RATE_LIMIT),
            ("no_credit", Reason.RATE_LIMIT),
            ("unknown_model", Reason.MODEL_UNKNOWN),
            ("stream_error", Reason.RATE_LIMIT),
            ("cut", Reason.PROVIDER),
        ):
            self.assertIs(self.reason(ClaudeCodeReader(), claude_events(name)), expected, name)

    def test_of_codex_as_it_was_recorded(self) -> None:
        for name, expected in (
            ("refused_key", Reason.AUTH),
            ("not_logged_in", Reason.AUTH),
            ("rate_limit", Reason.RATE_LIMIT),
            ("rate_limit_in_stream", Reason.RATE_LIMIT),
            ("quota", Reason.RATE_LIMIT),
            ("usage_limit", Reason.RATE_LIMIT),
            ("overloaded", Reason.RATE_LIMIT),
            ("no_such_model", Reason.MODEL_UNKNOWN),
            ("server_error", Reason.PROVIDER),
            ("connection_refused", Reason.PROVIDER),
            ("bad_request", Reason.PROVIDER),
        ):
            path = AGENTS / "codex" / "streams" / f"{name}.jsonl"
            events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            self.assertIs(self.reason(CodexReader(), events), expected, name)

    def test_of_a_call_that_was_ended_while_its_provider_failed(self) -> None:
        for said, expected in (
            ("the provider keeps failing: rate_limit (HTTP 429)", Reason.RATE_LIMIT),
            ("the provider keeps failing: AI_APICallError: Unauthorized", Reason.AUTH),
            ("no output for 300 s", Reason.PROVIDER),
        ):
            found = reason_of(CallEnd(Outcome.PROVIDER_FAULT, said), Transcript())
            self.assertIs(found, expected, said)
