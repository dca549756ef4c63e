from __future__ import annotations

import unittest

from director.model.plan import Node
from director.reporting.approvals.changes import NodeChanges, node_changes, text_diff

A = Node("a", "Make a", "a", ("a.txt",), (), "sh a.sh", ("a.sh",), test_hashes={"a.sh": "0"})
B = A._replace(id="b")


class TestNodeChanges(unittest.TestCase):
    def test_each_kind_has_its_line(self) -> None:
        found = node_changes(
            [A, B, A._replace(id="old"), A._replace(id="same")],
            [
                A._replace(title="other", spec="other"),
                B._replace(test_hashes={"a.sh": "1"}),
                A._replace(id="new"),
                A._replace(id="same"),
            ],
        )
        self.assertEqual(
            found, NodeChanges(("new",), ("old",), (("a", ("title", "spec")),), ("b",))
        )
        self.assertEqual(
            found.in_words(),
            "new nodes: new\nremoved nodes: old\nchanged nodes: a (title, spec)\n"
            "tests written again: b",
        )

    def test_nothing_is_said_to_be_nothing(self) -> None:
        self.assertEqual(node_changes([A], [A]).in_words(), "nothing: the plan is as it was")


class TestTextDiff(unittest.TestCase):
    def test_it_can_be_printed(self) -> None:
        said = text_diff("one\ntwo\n", "one\n\x1b[31mthree\x07\n", "spec.md")
        self.assertEqual(
            said, "--- spec.md before\n+++ spec.md\n@@ -1,2 +1,2 @@\n one\n-two\n+three\\x07"
        )
        self.assertEqual(text_diff("one", "one", "spec.md"), "")
