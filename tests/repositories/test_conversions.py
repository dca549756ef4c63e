"""Which attributes leave the content of files as it is."""

from __future__ import annotations

import unittest

from director.repositories.conversions import Conversion, conversion_by


class TestConversionBy(unittest.TestCase):
    def test_nothing_said(self) -> None:
        for content in (b"", b"\n# *.py filter=x\n\n"):
            self.assertIs(conversion_by(content), Conversion.NONE)

    def test_line_ends_matter_where_there_are_others(self) -> None:
        for line in (
            b"* text=auto",
            b"*.sh text eol=lf\r",
            b"*.png binary",
            b"*.py diff=python -text",
        ):
            with self.subTest(line):
                self.assertIs(conversion_by(line), Conversion.LINE_ENDS)
        self.assertTrue(Conversion.LINE_ENDS.leaves(b"a\n"))
        self.assertFalse(Conversion.LINE_ENDS.leaves(b"a\r\n"))

    def test_all_else_is_gits(self) -> None:
        for line in (
            b"*.bin filter=lfs diff=lfs merge=lfs -text",
            b"*.py\ttext\tident",
            b"*.bat eol=crlf",
            b"*.txt working-tree-encoding=UTF-16",
            b'"a b" filter=x',
            b"[attr]mine filter=x",
            b"*.py\x0btext filter=x",
            b"* text=auto\n*.x mine",
        ):
            with self.subTest(line):
                self.assertIs(conversion_by(line), Conversion.ANY)
