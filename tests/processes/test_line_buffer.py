"""Lines, however the bytes arrive."""

from __future__ import annotations

import unittest

from director.processes.line_buffer import LineBuffer


class TestLineBuffer(unittest.TestCase):
    def test_lines_in_pieces(self) -> None:
        buffer = LineBuffer()
        self.assertEqual(buffer.add(b"on"), [])
        self.assertEqual(buffer.add(b"e\n\ntw"), [b"one", b""])
        self.assertEqual(buffer.add(b"o\nthree"), [b"two"])
        self.assertEqual(buffer.rest(), b"three")
        self.assertEqual(buffer.rest(), b"")

    def test_a_line_that_is_too_long_is_given_once_as_none(self) -> None:
        buffer = LineBuffer(longest=3)
        self.assertEqual(buffer.add(b"abcd"), [])
        self.assertEqual(buffer.add(b"efgh\nabc\n"), [None, b"abc"])
        self.assertEqual(buffer.add(b"abcd\n"), [None])
        self.assertEqual(buffer.add(b"abcd"), [])
        self.assertIsNone(buffer.rest())
