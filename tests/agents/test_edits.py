"""Edits as unified diffs, from whatever a CLI records of them."""

from __future__ import annotations

import unittest

from director.agents.edits import from_hunks, patched, relabelled, replaced, several, written


class TestEdits(unittest.TestCase):
    def test_a_replaced_part(self) -> None:
        self.assertEqual(
            replaced("a.py", "x\nold\ny", "x\nnew\ny"),
            "--- a.py\n+++ a.py\n@@\n x\n-old\n+new\n y",
        )

    def test_a_huge_part_is_not_compared(self) -> None:
        many = "\n".join(map(str, range(3000)))
        lines = replaced("a", many, "new").split("\n")
        self.assertEqual((len(lines), lines[2], lines[-1]), (3003, "-0", "+new"))

    def test_a_whole_file(self) -> None:
        self.assertEqual(written("a", "x\ny\n", new=True), "--- /dev/null\n+++ a\n+x\n+y")
        self.assertTrue(written("a", "x", new=False).startswith("--- a\n"))

    def test_a_patch(self) -> None:
        text = (
            "*** Begin Patch\n*** Update File: a\n@@ def f\n-x\n+y\n*** Add File: b\n+z\n"
            "*** Delete File: c\n*** End Patch"
        )
        self.assertEqual(
            patched(text),
            "--- a\n+++ a\n@@ def f\n-x\n+y\n--- /dev/null\n+++ b\n+z\n--- c\n+++ /dev/null",
        )

    def test_a_diff_gets_the_path_that_people_know(self) -> None:
        diff = "Index: /w/a\n====\n--- /w/a\n+++ /w/a\n@@ -1 +1 @@\n-x\n+y\n"
        self.assertEqual(relabelled("a", diff), "--- a\n+++ a\n@@ -1 +1 @@\n-x\n+y")
        self.assertEqual(relabelled("a", "+y\n"), "--- a\n+++ a\n+y")

    def test_hunks(self) -> None:
        hunk = {"oldStart": 3, "oldLines": 1, "newStart": 3, "newLines": 1, "lines": ["-x", "+y"]}
        self.assertEqual(from_hunks("a", [hunk]), "--- a\n+++ a\n@@ -3,1 +3,1 @@\n-x\n+y")
        for odd in (None, [], [1], 5, [{"lines": 5}]):
            self.assertEqual(from_hunks("a", odd), "")

    def test_several_edits(self) -> None:
        edits = [{"oldString": "a", "newString": "b"}, {"old_string": "c", "new_string": "d"}, 5]
        shown = several("f", edits)
        self.assertIn("-a\n+b", shown)
        self.assertIn("-c\n+d", shown)
