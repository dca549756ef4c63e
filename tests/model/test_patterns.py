from __future__ import annotations

import re
import unittest

from director.model.patterns import lazy_pattern


class TestLazyPattern(unittest.TestCase):
    def test_it_does_what_a_pattern_does(self) -> None:
        ours, theirs = (by(r"(?P<word>[a-z]+)", re.IGNORECASE) for by in (lazy_pattern, re.compile))
        for ask in ("search", "match", "fullmatch"):
            found = [getattr(one, ask)("Word 2") for one in (ours, theirs)]
            self.assertEqual(found[0] and found[0].span(), found[1] and found[1].span(), ask)
        self.assertEqual(ours.findall("a B 3"), theirs.findall("a B 3"))
        self.assertEqual([one[0] for one in ours.finditer("a B 3")], ["a", "B"])
        self.assertEqual(ours.sub("x", "a B 3"), theirs.sub("x", "a B 3"))
        self.assertEqual(ours.split("1a2"), theirs.split("1a2"))
        self.assertEqual((ours.pattern, ours.flags), (theirs.pattern, theirs.flags))
        self.assertEqual(dict(ours.groupindex), dict(theirs.groupindex))

    def test_bytes(self) -> None:
        self.assertEqual(lazy_pattern(rb"[0-9]+").findall(b"1 a 22"), [b"1", b"22"])

    def test_it_is_compiled_at_its_first_use(self) -> None:
        broken = lazy_pattern("(")
        with self.assertRaises(re.error):
            broken.search("")

    def test_what_was_used_is_no_detour(self) -> None:
        pattern = lazy_pattern("a")
        pattern.search("a")
        self.assertIs(pattern.search, pattern.search)

    def test_no_such_attribute(self) -> None:
        with self.assertRaises(AttributeError):
            _ = lazy_pattern("a").no_such_thing  # type: ignore[attr-defined]
