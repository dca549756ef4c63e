"""Records in files of their own: what is no record is an error, or none, as the caller wants."""

from __future__ import annotations

from director.model.codec.encoding import encode
from director.model.errors import RequestError
from director.model.landed import Landed
from director.records import files
from director.records.stored import read_stored, read_stored_quietly
from tests.support.hermetic import TemporaryCase

ADVICE = "restore it"


class TestStored(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "landed.json"

    def test_without_a_file_there_is_no_record(self) -> None:
        self.assertIsNone(read_stored(Landed, self.path, ADVICE))
        self.assertIsNone(read_stored_quietly(Landed, self.path))

    def test_a_record_is_read_as_its_class(self) -> None:
        landed = Landed("main", "c" * 40, "squash", "2026-11-22T04:00:00.000Z")
        files.write_json(self.path, encode(landed))
        self.assertEqual(read_stored(Landed, self.path, ADVICE), landed)
        self.assertEqual(read_stored_quietly(Landed, self.path), landed)

    def test_what_is_no_such_record_is_named_with_what_to_do(self) -> None:
        for text in ("{", "[]", '{"onto": 1}'):
            with self.subTest(text):
                self.path.write_text(text)
                with self.assertRaises(RequestError) as caught:
                    read_stored(Landed, self.path, ADVICE)
                self.assertIn(str(self.path), caught.exception.what)
                self.assertEqual(caught.exception.next_step, ADVICE)
                self.assertIsNone(read_stored_quietly(Landed, self.path))
