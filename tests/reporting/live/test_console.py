"""Everything that happens is a line. With it: ``words``."""

from __future__ import annotations

import io
import os
import re
import time
import unittest
from pathlib import Path

from director.job.stage import Stage
from director.records.events import Event, Events, Kind
from director.reporting.live.console import console, line_of

SOURCE = Path(__file__).resolve().parents[3] / "director"


class TestConsole(unittest.TestCase):
    def setUp(self) -> None:
        zone = os.environ.get("TZ")
        self.addCleanup(time.tzset)
        self.addCleanup(lambda: os.environ.update(TZ=zone) if zone else os.environ.pop("TZ", None))
        os.environ["TZ"] = "XST-2"  # two hours before UTC
        time.tzset()

    def test_a_line_has_the_time_the_node_and_what_happened(self) -> None:
        event = Event(Kind.MERGED, "2026-01-02T03:04:05.678Z", "slug", {"commit": "a" * 40})
        self.assertEqual(line_of(event), "05:04:05  slug: merged as aaaaaaaaaa")

    def test_events_that_need_not_be_seen_have_no_line(self) -> None:
        event = Event(Kind.PUBLISHED, "2026-01-02T03:04:05.678Z", None, {"branch": "b"})
        self.assertIsNone(line_of(event))

    def test_many_lines_become_one(self) -> None:
        event = Event(Kind.NOTICE, "2026-01-02T03:04:05.678Z", None, {"message": "a\n  \x1b[31mb"})
        self.assertEqual(line_of(event), "05:04:05  a b")

    def test_gates_and_outcomes_are_told_in_words(self) -> None:
        gate = {"verdict": "red", "reason": "exit code 1"}
        for purpose in ("tests", "before", "scope", "candidate", "again", "merged", "rebuilt"):
            event = Event(Kind.GATE, "2026-01-02T03:04:05.678Z", "a", {"purpose": purpose, **gate})
            self.assertNotIn(f"a: {purpose}:", str(line_of(event)))
        tried = {"attempt": 2, "lesson": "None of the files you may change was changed."}
        for outcome, words in (("unchanged", "changed nothing"), ("no_test_ran", "no test ran")):
            data = {**tried, "outcome": outcome}
            event = Event(Kind.ATTEMPT_FAILED, "2026-01-02T03:04:05.678Z", "a", data)
            self.assertIn(f"attempt 2 {words}: None of", str(line_of(event)))

    def test_no_word_of_the_inside_reaches_a_person(self) -> None:
        moment = "2026-01-02T03:04:05.678Z"
        inside = re.compile(r"gate_|decompose|gate again|objects|stage \w+")
        for stage in Stage:
            said = line_of(Event(Kind.STAGE_ENTERED, moment, None, {"stage": stage}))
            self.assertNotRegex(str(said), inside)
            self.assertIn("planning: ", str(said))
        for blocked in (True, False):
            review = {"stage": 2, "blocked": blocked, "summary": "."}
            self.assertNotRegex(str(line_of(Event(Kind.REVIEW, moment, "a", review))), inside)
        gate = {"purpose": "again", "verdict": "red", "reason": "exit code 1"}
        self.assertNotRegex(str(line_of(Event(Kind.GATE, moment, "a", gate))), inside)

    def test_a_closed_terminal_does_not_stop_the_work(self) -> None:
        stream = io.StringIO()
        stream.close()
        Events([console(stream)]).emit(Kind.NOTICE, message="not heard")

    def test_every_kind_of_event_is_told_somewhere(self) -> None:
        source = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
        for kind in Kind:
            used = len(re.findall(rf"Kind\.{kind.name}\b", source))
            self.assertGreater(used, 0, kind)
