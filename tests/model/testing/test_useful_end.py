"""The useful end of a failing run: place and error, in at most twelve lines, without noise."""

from __future__ import annotations

import unittest

from director.model.testing.useful_end import LONGEST_LINE, MOST_LINES, useful_end
from tests.model.testing.test_headline import EXPECTED, output_of


class TestUsefulEnd(unittest.TestCase):
    def test_place_and_error_of_a_unittest(self) -> None:
        shown = useful_end(output_of("unittest-import"), "/home/me/levels/py")
        self.assertEqual(
            shown, "tests/test_b.py:3\nModuleNotFoundError: No module named 'pkg.missing'"
        )

    def test_it_is_short_whatever_failed(self) -> None:
        for name in EXPECTED:
            with self.subTest(name):
                lines = useful_end(output_of(name)).splitlines()
                self.assertTrue(lines)
                self.assertLessEqual(len(lines), MOST_LINES)
                self.assertLessEqual(max(map(len, lines)), LONGEST_LINE)
