"""The size of a change: files, and lines as a diff counts them."""

from __future__ import annotations

import unittest

from director.model.diff_size import DiffSize, diff_size

LINES = b"".join(b"%d\n" % number for number in range(9))


class TestDiffSize(unittest.TestCase):
    def test_new_changed_and_removed_files_count(self) -> None:
        changes = [(b"", b"a\nb\n"), (b"a\nb\nc\n", b"a\nx\ny\nc\n"), (b"a\n", b"")]
        self.assertEqual(diff_size(changes), DiffSize(files=3, added=4, removed=2))

    def test_nothing_is_nothing(self) -> None:
        self.assertEqual(diff_size([]), DiffSize(0, 0, 0))
        self.assertEqual(diff_size([(LINES, LINES)]), DiffSize(1, 0, 0))

    def test_what_moves_is_added_and_removed(self) -> None:
        moved = b"8\n" + LINES.removesuffix(b"8\n")
        self.assertEqual(diff_size([(LINES, moved)]), DiffSize(1, 1, 1))

    def test_binary_files_have_no_lines(self) -> None:
        self.assertEqual(diff_size([(b"\0\n", b"\0\n\n\n")]), DiffSize(1, 0, 0))

    def test_of_very_many_lines_order_does_not_count(self) -> None:
        many = [b"%d\n" % number for number in range(20_000)]
        old, new = b"".join(many), b"".join([b"new\n", *reversed(many[1:])])
        self.assertEqual(diff_size([(old, new)]), DiffSize(1, 1, 1))
