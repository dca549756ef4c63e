"""A call is watched while it runs, and what it says is bounded."""

from __future__ import annotations

from pathlib import Path

from director.agents.calls import Outcome
from director.agents.events_file import EventsFollower
from director.agents.opencode.events import STREAM_ERRORS_TOLERATED, OpenCodeReader
from director.agents.transcript import Transcript
from director.agents.watching import MOST_BYTES, Watch
from tests.support.hermetic import TemporaryCase

STREAM_ERROR = 'level=ERROR message="stream error" error.error="Overloaded"\n'


class TestWatch(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.events, self.errors = self.tmp / "events.jsonl", self.tmp / "events.err"
        follower = EventsFollower(self.events, OpenCodeReader())
        self.watch = Watch(follower, self.errors, lambda _: None, stall_secs=300)

    def test_a_call_that_tells_too_much_is_ended_and_what_it_did_counts(self) -> None:
        self.ends_when_long(self.events)

    def test_so_is_one_that_complains_too_much(self) -> None:
        self.ends_when_long(self.errors)

    def ends_when_long(self, path: Path) -> None:
        path.touch()
        self.assertIsNone(self.watch())
        with path.open("r+b") as stream:
            stream.truncate(MOST_BYTES + 1)
        self.assertEqual(self.watch(), "OpenCode printed more than 64 MiB")
        self.assertIs(self.watch.outcome, Outcome.INCOMPLETE)

    def test_errors_of_the_stream_are_counted_once_each(self) -> None:
        for count in range(STREAM_ERRORS_TOLERATED):
            for part in (STREAM_ERROR[:40], STREAM_ERROR[40:]):
                self.assertIsNone(self.watch(), count)
                with self.errors.open("a") as stream:
                    stream.write(part)
        self.assertEqual(self.watch(), "the provider keeps failing: Overloaded")

    def test_whoever_looks_sees_the_transcript_each_time_also_when_nothing_is_new(self) -> None:
        seen: list[Transcript] = []
        follower = EventsFollower(self.events, OpenCodeReader())
        watch = Watch(follower, self.errors, lambda _: None, 300, seen.append)
        for _ in range(3):
            watch()
        self.assertEqual(seen, [follower.transcript] * 3)
