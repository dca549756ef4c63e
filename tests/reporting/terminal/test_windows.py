from __future__ import annotations

import io
import unittest

from director.reporting.terminal.style import Style
from director.reporting.terminal.windows import shows_unicode, style_for


class TestWindows(unittest.TestCase):
    def test_a_pipe_has_80_columns(self) -> None:
        self.assertEqual(style_for(io.StringIO(), {}, colour=True).width, 79)
        ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        self.assertEqual(style_for(ascii_only, {}, colour=False), Style(79, False, False))
        utf8 = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        self.assertEqual(style_for(utf8, {}, colour=False), Style(80, False, True))

    def test_columns_are_taken_within_reason(self) -> None:
        utf8 = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        for said, width in (("120", 120), ("7", 40), ("999", 200), ("x", 80), ("0", 80)):
            self.assertEqual(style_for(utf8, {"COLUMNS": said}, colour=False).width, width, said)

    def test_only_utf_8_shows_more_than_ascii(self) -> None:
        for name in ("utf-8", "UTF-8", "utf8", "UTF_8"):
            self.assertTrue(shows_unicode(name), name)
        others: tuple[str | None, ...] = ("", None)
        for encoding in (*others, "ascii", "latin-1", "cp1252", "ANSI_X3.4-1968"):
            self.assertFalse(shows_unicode(encoding), encoding)
