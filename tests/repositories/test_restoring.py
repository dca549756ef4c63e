"""A file is restored as one of its own: nothing is written through what stands in its place."""

from __future__ import annotations

import os

from director.repositories.restoring import own_content, restore_file
from tests.support.hermetic import HermeticCase


class TestRestoring(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.place = self.tmp / "folder" / "file"
        self.place.parent.mkdir()
        self.other = self.tmp / "other"
        self.other.write_text("ours")

    def test_whatever_is_there(self) -> None:
        for name in ("nothing", "another", "a link", "a second name", "a folder"):
            with self.subTest(name):
                if name == "another":
                    self.place.write_text("theirs")
                elif name == "a link":
                    self.place.symlink_to(self.other)
                elif name == "a second name":
                    os.link(self.other, self.place)
                elif name == "a folder":
                    (self.place / "deep").mkdir(parents=True)
                restore_file(self.place, b"ours")
                self.assertEqual(own_content(self.place), b"ours")
                self.assertEqual(self.place.lstat().st_nlink, 1)
                self.assertFalse(self.place.is_symlink())
                self.assertEqual(self.other.read_text(), "ours")
                restore_file(self.place, None)
                self.assertFalse(os.path.lexists(self.place))

    def test_one_that_is_as_it_was_is_left_alone(self) -> None:
        restore_file(self.place, b"ours")
        before = self.place.stat().st_ino, self.place.stat().st_mtime_ns
        restore_file(self.place, b"ours")
        self.assertEqual((self.place.stat().st_ino, self.place.stat().st_mtime_ns), before)

    def test_where_nothing_is_to_be_nothing_stays(self) -> None:
        for name in ("a file", "a link", "a link to nothing", "a folder", "a pipe"):
            with self.subTest(name):
                match name:
                    case "a file":
                        self.place.write_text("theirs")
                    case "a link":
                        self.place.symlink_to(self.other)
                    case "a link to nothing":
                        self.place.symlink_to("nothing")
                    case "a folder":
                        self.place.mkdir()
                    case "a pipe":
                        os.mkfifo(self.place)
                restore_file(self.place, None)
                self.assertFalse(os.path.lexists(self.place))
                self.assertEqual(self.other.read_text(), "ours")
