"""A file of events is followed line by line while it is written."""

from __future__ import annotations

import gc
import json
import tracemalloc
import weakref

from director.agents.events_file import EventsFollower
from director.agents.opencode.events import OpenCodeReader
from director.model.secrets import Redactor
from director.records.following import LONGEST_LINE
from tests.support.hermetic import TemporaryCase


class TestFollower(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "events.jsonl"
        self.follower = EventsFollower(self.path, OpenCodeReader())

    def append(self, data: bytes) -> bool:
        with self.path.open("ab") as stream:
            stream.write(data)
        return self.follower.poll()

    def test_no_file_yet_and_nothing_new(self) -> None:
        self.assertFalse(self.follower.poll())
        self.assertTrue(self.append(b"x"))
        self.assertFalse(self.follower.poll())

    def test_a_transcript_goes_with_the_last_that_uses_it(self) -> None:
        self.append(b'{"type": "text", "part": {"text": "long"}}\n')
        transcript = weakref.ref(self.follower.transcript)
        gc.disable()
        self.addCleanup(gc.enable)
        del self.follower
        self.assertIsNone(transcript())

    def test_no_secret_gets_into_the_transcript(self) -> None:
        value = 'se"cr\\et-4711'
        self.follower = EventsFollower(self.path, OpenCodeReader(), Redactor({"A_KEY": value}))
        told = {"type": "text", "part": {"text": f"it is {value}"}}
        used = {
            "type": "tool_use",
            "part": {"tool": "bash", "state": {"input": {"command": value}}},
        }
        self.append("".join(f"{json.dumps(event)}\n" for event in (told, used)).encode())
        self.assertEqual(self.follower.transcript.text, "it is [redacted A_KEY]")
        self.assertEqual(self.follower.transcript.tools[0].command, "[redacted A_KEY]")

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

    def test_nesting_beyond_all_bounds_is_no_event(self) -> None:
        self.follower = EventsFollower(
            self.path, OpenCodeReader(), Redactor({"A_KEY": "se-4711-x"})
        )
        for depth in (700, 100_000):
            self.append(b'{"type":"text","part":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}\n")
        self.append(b'{"type":"text","part":{"text":"a"}}\n')
        self.assertEqual(self.follower.transcript.text, "a")

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
