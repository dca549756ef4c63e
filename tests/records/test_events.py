"""Every listener hears every event, one at a time.

With it: their moments (``clock``).
"""

from __future__ import annotations

import json
import threading

from director.model.secrets import Redactor
from director.records import json_lines
from director.records.events import Event, Events, Kind, journal
from tests.support.hermetic import TemporaryCase


class TestEvents(TemporaryCase):
    def test_all_listeners_hear_in_order(self) -> None:
        first: list[Event] = []
        second: list[Event] = []
        events = Events([first.append, second.append])
        events.emit(Kind.NODE_STARTED, "a", attempt=1)
        events.emit(Kind.NOTICE, message="hello")
        self.assertEqual(first, second)
        self.assertEqual([event.kind for event in first], [Kind.NODE_STARTED, Kind.NOTICE])
        self.assertEqual((first[0].node, dict(first[0].data)), ("a", {"attempt": 1}))
        self.assertIsNone(first[1].node)
        self.assertRegex(first[0].ts, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_the_journal_keeps_what_lasts(self) -> None:
        events = Events([journal(self.tmp / "events.jsonl")])
        events.emit(Kind.CALL_PROGRESS, "a", tool="edit")
        events.emit(Kind.CALL_ENDED, "a")
        kinds = [line["kind"] for line in json_lines.read_lines(self.tmp / "events.jsonl")]
        self.assertEqual(kinds, ["call_ended"])

    def test_also_adds_a_listener_to_a_copy(self) -> None:
        old: list[Event] = []
        new: list[Event] = []
        events = Events([old.append])
        events.also(new.append).emit(Kind.NOTICE)
        events.emit(Kind.NOTICE)
        self.assertEqual((len(old), len(new)), (2, 1))

    def test_no_secret_is_told(self) -> None:
        heard: list[Event] = []
        events = Events([heard.append], Redactor({"A_KEY": "the-secret-value"}))
        events.emit(Kind.NOTICE, message="x the-secret-value", more=["the-secret-value", 1])
        events.also(heard.append).emit(Kind.NOTICE, message="the-secret-value")
        events.without(Redactor({"B_KEY": "x the-secret"})).emit(
            Kind.NOTICE, message="x the-secret-value"
        )
        first, *both, last = [dict(event.data) for event in heard]
        mark = "[redacted A_KEY]"
        self.assertEqual(first, {"message": f"x {mark}", "more": [mark, 1]})
        self.assertEqual(both, [{"message": mark}] * 2)
        self.assertEqual(last, {"message": "[redacted B_KEY]-value"})

    def test_listeners_hear_one_event_at_a_time(self) -> None:
        inside = 0
        most = 0

        def listener(_event: Event) -> None:
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.001)
            inside -= 1

        events = Events([listener])
        threads = [threading.Thread(target=events.emit, args=(Kind.NOTICE,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(most, 1)


class TestJournal(TemporaryCase):
    def test_events_are_lines_with_their_data_beside_kind_and_node(self) -> None:
        path = self.tmp / "events.jsonl"
        events = Events([journal(path)])
        events.emit(Kind.GATE, "a", verdict="red", code=1)
        events.emit(Kind.RUN_ENDED)
        first, second = json_lines.read_lines(path)
        self.assertEqual(first.pop("ts")[-1], "Z")
        self.assertEqual(first, {"kind": "gate", "node": "a", "verdict": "red", "code": 1})
        self.assertEqual((second["kind"], second["node"]), ("run_ended", None))

    def test_kinds_are_spelled_as_in_the_journal(self) -> None:
        for kind in Kind:
            self.assertEqual(kind.value, kind.name.lower())
            self.assertEqual(json.loads(json.dumps(Event(kind, "t").to_json()))["kind"], kind.value)
