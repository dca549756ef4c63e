from __future__ import annotations

import json
import threading
from typing import Any

from director.records.events import Event, Kind
from director.records.live_file import PLANNING, LiveFile, live_file
from director.records.lock import Holder
from tests.support.hermetic import TemporaryCase

HOLDER = Holder(4711, "director run", "2026-01-02T03:04:05.000Z", 99)


def event(kind: Kind, node: str | None = "a", ts: str = "now", **data: Any) -> Event:
    return Event(kind, ts, node, data)


class TestContent(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "live.json"
        self.live = LiveFile(self.path, HOLDER)

    def tell(self, *events: Event) -> dict[str, Any]:
        for one in events:
            self.live(one)
        return self.live.content()

    def test_it_says_who_works_on_the_job(self) -> None:
        found = self.tell(event(Kind.RUN_STARTED, None, parallel=3))
        self.assertEqual((found["pid"], found["started"], found["lanes"]), (4711, 99, 3))
        self.assertEqual((found["command"], found["since"]), (HOLDER.command, HOLDER.since))

    def test_it_says_what_each_node_is_at(self) -> None:
        call: dict[str, Any] = {"role": "executor", "model": "p/m", "attempt": 2}
        found = self.tell(
            event(Kind.NODE_STARTED),
            event(Kind.NODE_STARTED, "b"),
            event(Kind.ATTEMPT_STARTED, attempt=2, tier="executor", model="p/m"),
            event(Kind.CALL_STARTED, ts="then", **call),
            event(Kind.CALL_PROGRESS, **call, tool="bash", argument="ls", cost=0.5, tokens=7),
        )
        expected = {"attempt": 2, "tier": "executor", "usd": 0.5, "tool": "bash", "argument": "ls"}
        self.assertEqual(found["nodes"]["a"], {**call, **expected, "since": "then"})
        self.assertIsNone(found["nodes"]["b"]["attempt"])

    def test_what_has_ended_is_gone(self) -> None:
        found = self.tell(
            event(Kind.NODE_STARTED),
            event(Kind.CALL_STARTED, None, role="planner", model="p/m", attempt=None),
        )
        self.assertEqual(set(found["nodes"]), {"a", PLANNING})
        found = self.tell(event(Kind.NODE_ENDED), event(Kind.CALL_ENDED, None, cost=None))
        self.assertEqual(found["nodes"], {})

    def test_a_file_that_cannot_be_written_stops_no_command(self) -> None:
        LiveFile(self.tmp / "gone" / "live.json", HOLDER).write()
        self.assertFalse((self.tmp / "gone").exists())  # who removed the records meant it


class TestFile(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "live.json"

    def test_it_is_there_from_the_beginning_to_the_end_only(self) -> None:
        with live_file(self.path, HOLDER):
            self.assertEqual(json.loads(self.path.read_text())["command"], "director run")
        self.assertEqual(list(self.tmp.glob("*live*")), [])

    def test_it_is_gone_when_an_error_ends_the_work(self) -> None:
        with self.assertRaises(ZeroDivisionError), live_file(self.path, HOLDER):
            raise ZeroDivisionError
        self.assertFalse(self.path.exists())

    def test_news_are_written_by_themselves(self) -> None:
        written = threading.Event()

        class Noting(LiveFile):
            def write(self) -> None:
                super().write()
                written.set()

        live = Noting(self.path, HOLDER)
        keeper = threading.Thread(target=live.keep)
        keeper.start()
        live(event(Kind.NODE_STARTED))
        self.assertTrue(written.wait(30))
        live.end()
        keeper.join()
        self.assertEqual(list(json.loads(self.path.read_text())["nodes"]), ["a"])
