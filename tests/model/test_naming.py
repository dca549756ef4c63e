from __future__ import annotations

import unittest

from director.model.errors import RequestError
from director.model.naming import known_node, node_called
from director.model.plan import Node, Plan

NODES = tuple(Node(name, name, "", (), (), "true", ()) for name in ("parser", "parse-all", "toc"))
PLAN = Plan("job", "task", "/repo", "base", "now", "branch", NODES)


class TestKnownNode(unittest.TestCase):
    def test_an_id_or_what_only_one_begins_with(self) -> None:
        self.assertEqual(known_node(PLAN, "parser").id, "parser")
        self.assertEqual(known_node(PLAN, "t").id, "toc")
        self.assertEqual(node_called("a", ["a", "ab"]), "a")

    def test_what_several_begin_with_names_them(self) -> None:
        with self.assertRaises(RequestError) as caught:
            known_node(PLAN, "pars")
        self.assertEqual(caught.exception.what, "pars is the beginning of 2 nodes")
        self.assertEqual(caught.exception.next_step, "name one of them: parser, parse-all")

    def test_what_is_nearly_right_is_guessed(self) -> None:
        with self.assertRaises(RequestError) as caught:
            known_node(PLAN, "parsre")
        self.assertEqual(caught.exception.what, "node not found: parsre")
        self.assertIn("did you mean parser?", caught.exception.next_step)

    def test_nothing_is_no_beginning(self) -> None:
        with self.assertRaises(RequestError):
            known_node(PLAN, "")
