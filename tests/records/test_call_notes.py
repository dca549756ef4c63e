"""What a killed run leaves noted is there for the next, until it is safe elsewhere."""

from director.records.call_notes import CallNote, CallNotes
from tests.support.hermetic import HermeticCase


class TestCallNotes(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.notes = CallNotes(self.tmp / "calls")
        self.note = CallNote("a-1", "/logs/x.jsonl", "/work", {"base": "c0ffee"})

    def test_a_note_outlives_the_process(self) -> None:
        self.assertIsNone(self.notes.get("a-1"))
        self.notes.begin(self.note)
        self.assertEqual(CallNotes(self.tmp / "calls").get("a-1"), self.note)
        self.assertIsNone(self.notes.get("a-2"))

    def test_how_it_ended_and_more_to_remember_are_added(self) -> None:
        self.notes.begin(self.note)
        self.notes.remember("a-1", tree="beef")
        self.notes.end("a-1", "completed", "why")
        memo = {"base": "c0ffee", "tree": "beef"}
        expected = CallNote("a-1", "/logs/x.jsonl", "/work", memo, "completed", "why")
        self.assertEqual(self.notes.get("a-1"), expected)

    def test_a_call_that_was_dropped_or_never_begun_stays_so(self) -> None:
        self.notes.begin(self.note)
        self.notes.drop("a-1", "never")
        self.notes.end("a-1", "completed", "")
        self.notes.remember("a-1", tree="beef")
        self.assertIsNone(self.notes.get("a-1"))

    def test_a_note_that_cannot_be_read_is_none(self) -> None:
        self.notes.begin(self.note)
        (path,) = (self.tmp / "calls").iterdir()
        for text in ("{", "[]", "{}", '{"name": "a-1", "other": 1}'):
            path.write_text(text)
            self.assertIsNone(self.notes.get("a-1"), text)
