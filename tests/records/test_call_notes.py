"""What a killed run leaves noted is there for the next, until it is safe elsewhere."""

from collections.abc import Callable
from pathlib import Path

from director.records.call_notes import CallNote, CallNotes, forget_places, written_places
from tests.support.hermetic import TemporaryCase


class TestCallNotes(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.notes = CallNotes(self.tmp / "calls")
        self.note = CallNote("a-1", "/logs/x.jsonl", "/work", {"base": "c0ffee"})

    def test_a_note_outlives_the_process(self) -> None:
        self.assertIsNone(self.notes.get("a-1"))
        self.notes.begin(self.note)
        self.assertEqual(CallNotes(self.tmp / "calls").get("a-1"), self.note)
        self.assertIsNone(self.notes.get("a-2"))

    def test_where_it_worked_is_forgotten_by_who_cannot_know_what_is_there(self) -> None:
        self.notes.begin(self.note)
        forget_places(self.tmp / "calls")
        self.assertEqual(CallNotes(self.tmp / "calls").get("a-1"), self.note._replace(cwd=""))

    def test_how_it_ended_and_more_to_remember_are_added(self) -> None:
        self.notes.begin(self.note)
        self.notes.remember("a-1", tree="beef")
        self.notes.end("a-1", "completed", "why")
        memo = {"base": "c0ffee", "tree": "beef"}
        expected = CallNote("a-1", "/logs/x.jsonl", "", memo, "completed", "why")
        self.assertEqual(self.notes.get("a-1"), expected)

    def test_a_folder_is_named_while_what_was_written_there_is_nowhere_else(self) -> None:
        written = self.note._replace(writes=True)
        self.notes.begin(written)
        self.assertEqual(written_places(self.tmp / "calls"), {Path("/work")})
        self.notes.end("a-1", "timed out", "", counts=True)
        self.assertEqual(written_places(self.tmp / "calls"), {Path("/work")})
        settling: list[Callable[[], None]] = [
            lambda: self.notes.end("a-1", "cancelled", "", counts=False),
            lambda: self.notes.remember("a-1", drafted="beef"),
            lambda: self.notes.forget_place("a-1"),
            lambda: forget_places(self.tmp / "calls"),
        ]
        for settle in settling:
            self.notes.begin(written)
            settle()
            self.assertEqual(written_places(self.tmp / "calls"), set())

    def test_a_call_that_was_dropped_or_never_begun_stays_so(self) -> None:
        self.notes.begin(self.note)
        self.notes.drop("a-1", "never")
        self.notes.end("a-1", "completed", "")
        self.notes.remember("a-1", tree="beef")
        self.assertIsNone(self.notes.get("a-1"))

    def test_a_note_that_cannot_be_read_is_none(self) -> None:
        self.notes.begin(self.note)
        (path,) = (self.tmp / "calls").iterdir()
        strange = ('{"name": "a-1", "log": 1, "cwd": "", "memo": {}}', '{"name": "a-1"}')
        for text in ("{", "[]", "{}", '{"name": "a-1", "other": 1}', *strange):
            path.write_text(text)
            self.assertIsNone(CallNotes(self.tmp / "calls").get("a-1"), text)

    def test_what_others_write_meanwhile_is_no_note(self) -> None:
        self.notes.begin(self.note)
        (path,) = (self.tmp / "calls").iterdir()
        forged = path.read_text().replace("c0ffee", "forged")
        path.write_text(forged)
        path.with_name("a-2.json").write_text(forged.replace("a-1", "a-2"))
        self.assertEqual(self.notes.get("a-1"), self.note)
        self.assertIsNone(self.notes.get("a-2"))
        self.notes.remember("a-1", tree="beef")
        self.assertNotIn("forged", path.read_text())

    def test_a_note_counts_under_its_own_name_only(self) -> None:
        self.notes.begin(self.note)
        (path,) = (self.tmp / "calls").iterdir()
        path.rename(path.with_name("a-2.json"))
        notes = CallNotes(self.tmp / "calls")
        self.assertEqual((notes.get("a-1"), notes.get("a-2")), (None, None))
