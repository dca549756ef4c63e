"""OpenCode's events say in the transcript what they say, in whatever shape they come."""

from __future__ import annotations

import io
import json
import math
import unittest
from typing import Any

from director.agents.opencode.events import OpenCodeReader
from director.agents.transcript import Fault, FaultKind, ToolKind, ToolUse, Transcript
from director.demo.event_writer import EventWriter
from director.model.usage import Tokens, Usage

TOKENS = {"input": 10, "output": 2, "reasoning": 5, "cache": {"read": 3, "write": 4}}


def transcript_of(*events: dict[str, Any]) -> Transcript:
    reader, transcript = OpenCodeReader(), Transcript()
    for event in events:
        reader.take(event, transcript)
    return transcript


class Recorder:
    """Events as OpenCode prints them, read into a transcript."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.writer = EventWriter(self.stream)

    def transcript(self) -> Transcript:
        return transcript_of(*map(json.loads, self.stream.getvalue().splitlines()))


class TestTranscript(unittest.TestCase):
    def setUp(self) -> None:
        self.recorder = Recorder()
        self.writer = self.recorder.writer

    def test_the_last_text_is_the_answer(self) -> None:
        self.assertEqual(Transcript().text, "")
        self.writer.text("thinking")
        self.writer.text(" the answer \n")
        self.assertEqual(self.recorder.transcript().text, "the answer")

    def test_tokens_and_costs_of_all_steps_add_up(self) -> None:
        self.writer.step_finish("tool-calls", TOKENS, 0.25)
        self.writer.step_finish("stop", TOKENS, 0.5)
        transcript = self.recorder.transcript()
        self.assertEqual(transcript.tokens, Tokens(20, 4, 6, 8, 10))
        self.assertEqual((transcript.reported_usd, transcript.steps), (0.75, 2))
        self.assertEqual(transcript.last_finish, "stop")

    def test_counts_that_are_missing_or_cannot_be_are_no_counts(self) -> None:
        cache = {"read": 1, "write": 1}
        good: dict[str, Any] = {"input": 10, "output": 1, "reasoning": 2, "cache": cache}
        shapes: tuple[object, ...] = (
            None, {}, 5, [],
            {"input": 10}, {"output": 10},
            *({**good, name: value} for name in ("input", "output", "reasoning")
              for value in (-1, -1e9, 1.5, "10", None, True, math.nan, math.inf, 1e300, [1])),
            *({**good, "cache": {**cache, name: -1}} for name in cache),
            {**good, "cache": 5},
        )  # fmt: skip
        for tokens in shapes:
            transcript = Transcript()
            OpenCodeReader().take({"type": "step_finish", "part": {"tokens": good}}, transcript)
            self.assertEqual(transcript.usage, Usage(Tokens(10, 1, 1, 1, 2), 0.0))
            OpenCodeReader().take({"type": "step_finish", "part": {"tokens": tokens}}, transcript)
            self.assertIsNone(transcript.usage.tokens, tokens)
            self.assertEqual(transcript.tokens, Tokens(10, 1, 1, 1, 2))

    def test_kinds_that_a_model_does_not_have_need_no_count(self) -> None:
        transcript = Transcript()
        OpenCodeReader().take(
            {"type": "step_finish", "part": {"tokens": {"input": 3, "output": 4.0}}}, transcript
        )
        self.assertEqual(transcript.usage, Usage(Tokens(3, 4), 0.0))

    def test_an_amount_that_cannot_be_is_no_amount(self) -> None:
        tokens = {"input": 1, "output": 1}
        for cost in (-0.01, "1", math.nan, math.inf, True):
            transcript = Transcript()
            OpenCodeReader().take(
                {"type": "step_finish", "part": {"tokens": tokens, "cost": cost}}, transcript
            )
            OpenCodeReader().take(
                {"type": "step_finish", "part": {"tokens": tokens, "cost": 0.5}}, transcript
            )
            self.assertEqual(transcript.usage, Usage(Tokens(2, 2), None), cost)

    def test_empty_finishes_count_in_a_row(self) -> None:
        nothing: dict[str, Any] = {"input": 0, "output": 0}
        for _ in range(3):
            self.writer.step_finish("unknown", nothing)
        self.assertEqual(self.recorder.transcript().empty_finishes, 3)
        self.writer.step_finish("tool-calls", TOKENS)
        self.assertEqual(self.recorder.transcript().empty_finishes, 0)
        self.writer.step_finish("unknown", TOKENS)
        self.assertEqual(self.recorder.transcript().empty_finishes, 0)

    def test_tools(self) -> None:
        self.writer.tool_use("bash", {"command": "false"}, "", exit_code=1)
        self.writer.tool_use("write", {"filePath": "a"}, "denied", status="error")
        self.assertEqual(
            self.recorder.transcript().tools,
            [
                ToolUse(ToolKind.SHELL, "bash", "false", exit_code=1),
                ToolUse(ToolKind.EDIT, "write", paths=("a",), carried_out=False),
            ],
        )

    def test_a_tool_that_has_begun_runs_until_it_ends(self) -> None:
        state = {"status": "running", "input": {"command": "make test"}}
        self.writer.event("tool_begun", part={"type": "tool", "tool": "bash", "state": state})
        transcript = self.recorder.transcript()
        self.assertEqual((transcript.tools, transcript.steps), ([], 0))
        self.assertEqual(transcript.latest and transcript.latest.argument, "make test")
        self.writer.tool_use("grep", {"pattern": "def f", "path": "src"}, "")
        transcript = self.recorder.transcript()
        self.assertIsNone(transcript.running)
        self.assertEqual(transcript.latest and transcript.latest.argument, "def f")

    def test_faults(self) -> None:
        self.writer.error("APIError", "slow down", 429)
        transcript = self.recorder.transcript()
        self.assertEqual(transcript.faults, [Fault("APIError", "slow down", 429)])
        self.assertTrue(transcript.ended_in_fault)

    def test_what_can_be_done_about_a_fault(self) -> None:
        for name, message, code, kind in (
            ("APIError", "down", 503, FaultKind.TRANSIENT),
            ("APIError", "slow down", 429, FaultKind.TRANSIENT),
            ("APIError", "who are you", 401, FaultKind.PERMANENT),
            ("APIError", "no such page", 404, FaultKind.PERMANENT),
            ("APIError", "The model x does not exist", 404, FaultKind.UNKNOWN_MODEL),
            ("ProviderModelNotFoundError", "x", None, FaultKind.UNKNOWN_MODEL),
            ("UnknownError", "Model not found: x", None, FaultKind.UNKNOWN_MODEL),
            ("ProviderAuthError", "no key", None, FaultKind.PERMANENT),
            ("ContextOverflowError", "long", 400, FaultKind.CONTEXT),
            ("MessageOutputLengthError", "long", None, FaultKind.LENGTH),
        ):
            error = {"name": name, "data": {"message": message, "statusCode": code}}
            (fault,) = transcript_of({"type": "error", "error": error}).faults
            self.assertIs(fault.kind, kind, (name, message, code))

    def test_a_fault_is_recovered_when_the_model_goes_on(self) -> None:
        self.writer.error("ContextOverflowError", "too long", 413)
        self.writer.step_finish("unknown", {})
        self.assertTrue(self.recorder.transcript().ended_in_fault)
        self.writer.step_finish("stop", TOKENS)
        self.assertFalse(self.recorder.transcript().ended_in_fault)
        self.writer.error("ContextOverflowError", "too long", 413)
        self.assertTrue(self.recorder.transcript().ended_in_fault)

    def test_events_in_strange_shapes_do_no_harm(self) -> None:
        transcript = Transcript()
        shapes: tuple[object, ...] = (None, 5, "x", [], {}, {"state": 1, "tokens": 2, "cost": "x"})
        for kind in ("text", "tool_use", "step_finish", "error", "new_kind", None, 5):
            for part in shapes:
                OpenCodeReader().take({"type": kind, "part": part, "error": part}, transcript)
        OpenCodeReader().take(
            {"type": "step_finish", "part": {"tokens": {"input": "1", "cache": 5}}}, transcript
        )
        OpenCodeReader().take(
            {"type": "error", "error": {"name": "N", "data": {"statusCode": "x"}}}, transcript
        )
        self.assertEqual(transcript.tokens, Tokens())
        self.assertEqual(transcript.faults[-1], Fault("N", "N"))
