"""A file of lines is followed while it is written."""

from __future__ import annotations

import os

from director.records.following import LinesFollower
from tests.support.hermetic import TemporaryCase


class TestLinesFollower(TemporaryCase):
    def test_each_whole_line_is_given_once(self) -> None:
        path, taken = self.tmp / "lines", list[bytes]()
        follower = LinesFollower(path, taken.append)
        self.assertFalse(follower.poll())
        path.write_bytes(b"one\ntw")
        self.assertTrue(follower.poll())
        self.assertEqual(taken, [b"one"])
        with path.open("ab") as stream:
            stream.write(b"o\n\nthree")
        follower.poll()
        self.assertEqual(taken, [b"one", b"two", b""])
        self.assertFalse(follower.poll())
        self.assertEqual(follower.size, 14)

    def test_what_is_no_file_has_no_lines(self) -> None:
        (self.tmp / "folder").mkdir()
        (self.tmp / "file").touch()
        os.mkfifo(self.tmp / "pipe")
        for name in ("folder", "file/below", "pipe", "nothing"):
            taken = list[bytes]()
            self.assertFalse(LinesFollower(self.tmp / name, taken.append).poll())
            self.assertEqual(taken, [])
