from __future__ import annotations

import unittest

from director.reporting.terminal.canvas import LEAVE, Canvas
from tests.support.screen import Screen


class CanvasCase(unittest.TestCase):
    def setUp(self) -> None:
        self.screen = Screen(40, 10)
        self.screen.write("$ director run\r\n")
        self.canvas = Canvas()

    def draw(self, *lines: str, above: tuple[str, ...] = ()) -> list[str]:
        self.screen.write(self.canvas.draw(lines, self.screen.width, above))
        return self.screen.text[1:]


class TestCanvas(CanvasCase):
    def test_a_block_takes_the_place_of_the_one_before(self) -> None:
        self.assertEqual(self.draw("one", "two"), ["one", "two"])
        self.assertEqual(self.draw("a", "b", "c"), ["a", "b", "c"])
        self.assertEqual(self.draw("long line"), ["long line"])
        self.assertEqual(self.draw("x"), ["x"])

    def test_what_stays_is_above_and_is_never_touched_again(self) -> None:
        self.draw("one", "two")
        self.assertEqual(self.draw("one", above=("done a", "done b")), ["done a", "done b", "one"])
        self.assertEqual(self.draw("1", "2"), ["done a", "done b", "1", "2"])

    def test_colours_take_no_cells(self) -> None:
        self.draw("\x1b[31m" + "x" * 39 + "\x1b[0m", "b")
        self.assertEqual(self.draw("c"), ["c"])

    def test_the_cursor_is_hidden_while_there_is_a_block(self) -> None:
        self.draw("one")
        self.assertFalse(self.screen.cursor_is_visible)
        self.screen.write(self.canvas.erase(40, ["done a"]))
        self.assertTrue(self.screen.cursor_is_visible)
        self.assertEqual(self.screen.text[1:], ["done a", ""])

    def test_a_block_that_was_left_stays(self) -> None:
        self.draw("one", "two")
        self.screen.write(LEAVE)
        self.assertTrue(self.screen.cursor_is_visible)
        self.canvas = Canvas()
        self.assertEqual(self.draw("three"), ["one", "two", "three"])

    def test_without_a_block_only_what_stays_is_written(self) -> None:
        self.assertEqual(self.canvas.erase(40), "")
        self.assertEqual(self.canvas.erase(40, ["a"]), "a\r\n")


class TestResize(CanvasCase):
    def test_a_narrower_window_breaks_lines_which_go_all_the_same(self) -> None:
        for width in (39, 20, 13, 11):
            with self.subTest(width):
                self.setUp()
                self.draw("x" * 38, "世界" * 9, "y")
                self.screen.resize(width, 10)
                self.assertEqual(self.draw("a", "b"), ["a", "b"])

    def test_a_wider_window_joins_nothing(self) -> None:
        self.draw("x" * 38, "y")
        self.screen.resize(100, 10)
        self.assertEqual(self.draw("a"), ["a"])

    def test_rows_that_were_broken_are_cleared_before_they_are_written_again(self) -> None:
        self.draw("x" * 38, "y")
        drawn = self.canvas.draw(["a", "b"], 15, ["done"])
        self.assertIn("\x1b[Kdone\x1b[K\r\n\x1b[Ka\x1b[K\r\n\x1b[Kb", drawn)
        self.assertNotIn("\x1b[Ka", self.canvas.draw(["a", "b"], 15))

    def test_at_the_end_too(self) -> None:
        self.draw("x" * 38, "y")
        self.screen.resize(15, 10)
        self.screen.write(self.canvas.erase(15, ["done"]))
        self.assertEqual(self.screen.text[1:], ["done", ""])
