"""The transcript says what the events say, while they arrive and in whatever shape."""

from __future__ import annotations

import io
import json
import math
import tracemalloc
import unittest
from typing import Any

from director.agents.transcript import (
    LONGEST_LINE,
    AgentFault,
    ToolUse,
    Transcript,
    TranscriptFollower,
    watch_it_fail,
)
from director.demo.event_writer import EventWriter
from director.model.plan import Node
from director.model.secrets import Redactor
from director.model.state import WatchVerdict
from director.model.usage import Tokens, Usage
from tests.support.hermetic import HermeticCase

TOKENS = {"input": 10, "output": 2, "reasoning": 5, "cache": {"read": 3, "write": 4}}


class Recorder:
    """Events as OpenCode prints them, read into a transcript."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.writer = EventWriter(self.stream)

    def transcript(self) -> Transcript:
        transcript = Transcript()
        for line in self.stream.getvalue().splitlines():
            transcript.add(json.loads(line))
        return transcript


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
            transcript.add({"type": "step_finish", "part": {"tokens": good}})
            self.assertEqual(transcript.usage, Usage(Tokens(10, 1, 1, 1, 2), 0.0))
            transcript.add({"type": "step_finish", "part": {"tokens": tokens}})
            self.assertIsNone(transcript.usage.tokens, tokens)
            self.assertEqual(transcript.tokens, Tokens(10, 1, 1, 1, 2))

    def test_kinds_that_a_model_does_not_have_need_no_count(self) -> None:
        transcript = Transcript()
        transcript.add({"type": "step_finish", "part": {"tokens": {"input": 3, "output": 4.0}}})
        self.assertEqual(transcript.usage, Usage(Tokens(3, 4), 0.0))

    def test_an_amount_that_cannot_be_is_no_amount(self) -> None:
        tokens = {"input": 1, "output": 1}
        for cost in (-0.01, "1", math.nan, math.inf, True):
            transcript = Transcript()
            transcript.add({"type": "step_finish", "part": {"tokens": tokens, "cost": cost}})
            transcript.add({"type": "step_finish", "part": {"tokens": tokens, "cost": 0.5}})
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
                ToolUse("bash", {"command": "false"}, "completed", 1),
                ToolUse("write", {"filePath": "a"}, "error", None),
            ],
        )

    def test_faults(self) -> None:
        self.writer.error("APIError", "slow down", 429)
        transcript = self.recorder.transcript()
        self.assertEqual(transcript.faults, [AgentFault("APIError", "slow down", 429)])
        self.assertTrue(transcript.ended_in_fault)

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
                transcript.add({"type": kind, "part": part, "error": part})
        transcript.add({"type": "step_finish", "part": {"tokens": {"input": "1", "cache": 5}}})
        transcript.add({"type": "error", "error": {"name": "N", "data": {"statusCode": "x"}}})
        self.assertEqual(transcript.tokens, Tokens())
        self.assertEqual(transcript.faults[-1], AgentFault("N", "N", None))


class TestFollower(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "events.jsonl"
        self.follower = TranscriptFollower(self.path)

    def append(self, data: bytes) -> bool:
        with self.path.open("ab") as stream:
            stream.write(data)
        return self.follower.poll()

    def test_no_file_yet_and_nothing_new(self) -> None:
        self.assertFalse(self.follower.poll())
        self.assertTrue(self.append(b"x"))
        self.assertFalse(self.follower.poll())

    def test_no_secret_gets_into_the_transcript(self) -> None:
        value = 'se"cr\\et-4711'
        self.follower = TranscriptFollower(self.path, Redactor({"A_KEY": value}))
        told = {"type": "text", "part": {"text": f"it is {value}"}}
        used = {"type": "tool_use", "part": {"tool": "bash", "state": {"input": {"x": value}}}}
        self.append("".join(f"{json.dumps(event)}\n" for event in (told, used)).encode())
        self.assertEqual(self.follower.transcript.text, "it is [redacted A_KEY]")
        self.assertEqual(self.follower.transcript.tools[0].input, {"x": "[redacted A_KEY]"})

    def test_an_event_counts_when_its_line_is_whole(self) -> None:
        event = json.dumps({"type": "text", "part": {"text": "ü"}}, ensure_ascii=False).encode()
        for position in range(len(event)):
            self.append(event[position : position + 1])
            self.assertEqual(self.follower.transcript.texts, [])
        self.append(b"\n")
        self.assertEqual(self.follower.transcript.texts, ["ü"])
        self.follower.poll()
        self.assertEqual(self.follower.transcript.texts, ["ü"])

    def test_what_is_no_event_is_passed_over(self) -> None:
        self.append(b'\nhello\n[1]\n{"type"\n\xff\n"text"\n{"type":"text","part":{"text":"a"}}\n')
        self.assertEqual(self.follower.transcript.texts, ["a"])

    def test_a_line_without_end_is_passed_over_and_not_held(self) -> None:
        event = b'{"type":"text","part":{"text":"a"}}\n'
        self.append(event)
        tracemalloc.start()
        with self.path.open("ab") as stream:
            stream.truncate(self.path.stat().st_size + 4 * LONGEST_LINE)
        self.assertTrue(self.follower.poll())
        self.assertLess(tracemalloc.get_traced_memory()[1], LONGEST_LINE + 8 * 1024 * 1024)
        tracemalloc.stop()
        self.append(b"\n" + event)
        self.assertEqual(self.follower.transcript.texts, ["a", "a"])
        self.assertEqual(self.follower.size, self.path.stat().st_size)


class TestWatchItFail(unittest.TestCase):
    node = Node(
        "a", "t", "s", ("a.py",), (), "python3 -m unittest  tests.test_a", ("tests/test_a.py",)
    )

    def use(self, tool: str, command: str = "", code: int | None = None) -> ToolUse:
        return ToolUse(tool, {"command": command} if command else {}, "completed", code)

    def verdict(self, *uses: ToolUse) -> tuple[WatchVerdict, bool, bool]:
        found = watch_it_fail(uses, self.node)
        return found.verdict, found.ran_before_edit, found.observed_failure

    def test_seen_to_fail_before_the_first_edit(self) -> None:
        seen = (WatchVerdict.OBSERVED, True, True)
        for command in (
            "python3 -m unittest tests.test_a",
            "cd . && python3  -m unittest tests.test_a 2>&1 | tail",
            "pytest tests/test_a.py -q",
            "python -m pytest tests.test_a",
        ):
            uses = (self.use("bash", command, 1), self.use("write"), self.use("bash", command, 0))
            self.assertEqual(self.verdict(*uses), seen, command)

    def test_run_but_not_failed(self) -> None:
        test = "python3 -m unittest tests.test_a"
        expected = (WatchVerdict.NOT_OBSERVED, True, False)
        self.assertEqual(self.verdict(self.use("bash", test, 0), self.use("edit")), expected)
        self.assertEqual(self.verdict(self.use("bash", test, None)), expected)

    def test_not_run_before_the_first_edit(self) -> None:
        test = self.use("bash", "pytest tests/test_a.py", 1)
        expected = (WatchVerdict.NOT_OBSERVED, False, False)
        for tool in ("edit", "write", "apply_patch"):
            self.assertEqual(self.verdict(self.use(tool), test), expected)
        self.assertEqual(self.verdict(self.use("bash", "ls", 1), self.use("write")), expected)

    def test_an_edit_that_was_denied_is_none(self) -> None:
        denied = ToolUse("edit", {}, "error", None)
        test = self.use("bash", "pytest tests/test_a.py", 1)
        self.assertEqual(self.verdict(denied, test)[0], WatchVerdict.OBSERVED)

    def test_without_tools_nothing_is_known(self) -> None:
        self.assertEqual(self.verdict()[0], WatchVerdict.UNKNOWN)
