"""Which lines mark a conflict, and which only look like it."""

from __future__ import annotations

import unittest

from director.landing.markers import conflicts_in, left_markers

OURS, THEIRS = b"a\nours\nb\n", b"a\ntheirs\nb\n"
MARKED = b"a\n<<<<<<< target\nours\n||||||| 123\nold\n=======\ntheirs\n>>>>>>> job\nb\n"


class TestLeft(unittest.TestCase):
    def left(self, text: bytes, marked: bytes = MARKED, *sides: bytes) -> list[str]:
        return left_markers(text, marked, sides or (OURS, THEIRS))

    def test_all_that_git_wrote_is_found(self) -> None:
        said = ["<<<<<<< target", "||||||| 123", "=======", ">>>>>>> job"]
        self.assertEqual(self.left(MARKED), said)
        self.assertEqual(self.left(MARKED.replace(b"\n", b"\r\n")), said)

    def test_each_line_alone_is_one(self) -> None:
        for line in (b"<<<<<<< HEAD", b">>>>>>> other", b"|||||||", b"======="):
            with self.subTest(line):
                self.assertEqual(self.left(b"a\n" + line + b"\nb\n"), [line.decode()])

    def test_what_is_resolved_has_none(self) -> None:
        self.assertEqual(self.left(b"a\nours and theirs\nb\n"), [])
        self.assertEqual(self.left(b"x = a << 3\n==\n> quoted\n| table |\n"), [])

    def test_headings_and_quotations_of_a_side_stay(self) -> None:
        heading = b"Heading\n=======\n"
        self.assertEqual(self.left(heading + b"both\n", heading + MARKED, heading, heading), [])

    def test_the_size_of_markers_can_be_set(self) -> None:
        wide = MARKED.replace(b"<" * 7, b"<" * 12).replace(b"=" * 7, b"=" * 12)
        self.assertEqual(self.left(b"=" * 12, wide), ["=" * 12])


class TestShown(unittest.TestCase):
    def test_conflicts_have_line_numbers_and_their_surroundings(self) -> None:
        text = "\n".join([*map(str, range(20)), MARKED.decode()])
        shown = conflicts_in(text)
        self.assertTrue(shown.startswith("@@ line 19 @@\n18\n19\na\n<<<<<<< target"), shown)
        self.assertTrue(shown.endswith(">>>>>>> job\nb"), shown)
