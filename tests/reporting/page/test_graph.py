"""Where nodes are drawn, and how: colour and shape say the same.

With it: ``page.marks``.
"""

from __future__ import annotations

import unittest

from director.model.secrets import NOTHING_SECRET
from director.model.state import NodeStatus
from director.reporting.page.elements import written
from director.reporting.page.graph import NAMED, graph, layout
from director.reporting.page.marks import MARKS
from tests.reporting.page.pages import example, node, part
from tests.reporting.status import statuses


class TestLayout(unittest.TestCase):
    def test_what_a_node_waits_for_is_to_its_left(self) -> None:
        found = layout([node("a"), node("b", "a"), node("c", "a", "b")]).places
        self.assertLess(found["a"].x, found["b"].x)
        self.assertLess(found["b"].x, found["c"].x)

    def test_no_two_nodes_are_in_one_place_and_none_is_outside(self) -> None:
        for count in (30, 1000):
            nodes = [node(f"n{i}", *([f"n{i // 3}"] if i else [])) for i in range(count)]
            found = layout(nodes)
            self.assertEqual(len(set(found.places.values())), count)
            for place in found.places.values():
                self.assertLess(place.x + found.scale.width, found.width)
                self.assertLess(place.y + found.scale.height, found.height)

    def test_a_wide_layer_is_folded(self) -> None:
        self.assertLess(layout([node(f"n{i}") for i in range(1000)]).height, 800)


class TestGraph(unittest.TestCase):
    def test_every_node_is_a_link_that_says_what_it_is(self) -> None:
        html = written(graph(example().nodes), NOTHING_SECRET)
        self.assertIn('href="#node-b"', html)
        self.assertIn('aria-label="b: failed, module b"', html)

    def test_each_status_has_a_shape_and_colour_of_its_own(self) -> None:
        looks = {(mark.colour, mark.shape, mark.over) for mark in MARKS.values()}
        shapes = {(mark.shape, mark.over) for mark in MARKS.values()}
        self.assertEqual((len(looks), len(shapes)), (len(NodeStatus), len(NodeStatus)))
        self.assertEqual(len({mark.sign for mark in MARKS.values()}), len(NodeStatus))

    def test_many_nodes_are_drawn_without_names(self) -> None:
        parts = [part(node(f"n{i}"), statuses.node(f"n{i}")) for i in range(NAMED + 1)]
        self.assertNotIn("<text", written(graph(parts), NOTHING_SECRET))
        self.assertIn("<text", written(graph(parts[:-1]), NOTHING_SECRET))
