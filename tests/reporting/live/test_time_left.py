from __future__ import annotations

import unittest
from collections.abc import Sequence

from director.reporting.live.time_left import TimeLeft, Todo, time_left


def todo(**waits_for: Sequence[str]) -> dict[str, Todo]:
    return {name: Todo(tuple(names)) for name, names in waits_for.items()}


class TestTimeLeft(unittest.TestCase):
    def test_two_nodes_say_nothing_of_the_others(self) -> None:
        self.assertIsNone(time_left([10.0, 20.0], todo(a=()), 1))
        self.assertEqual(time_left([10.0, 20.0, 90.0], todo(a=()), 1), TimeLeft(20.0, 3))

    def test_lanes_share_what_does_not_wait(self) -> None:
        self.assertEqual(time_left([10.0] * 3, todo(a=(), b=(), c=(), d=()), 2), TimeLeft(20.0, 3))

    def test_there_is_no_end_before_the_longest_chain(self) -> None:
        chain = todo(a=(), b="a", c="b", d=())
        self.assertEqual(time_left([10.0] * 4, chain, 8), TimeLeft(30.0, 4))

    def test_what_is_done_is_not_waited_for(self) -> None:
        self.assertEqual(time_left([10.0] * 3, todo(c=("a", "b")), 2), TimeLeft(10.0, 3))

    def test_work_under_way_counts(self) -> None:
        running = {"a": Todo((), 4.0), "b": Todo(("a",))}
        self.assertEqual(time_left([10.0] * 3, running, 1), TimeLeft(16.0, 3))
        late = {"a": Todo((), 400.0)}
        self.assertEqual(time_left([10.0] * 3, late, 1), TimeLeft(0.0, 3))

    def test_nothing_is_left_of_nothing(self) -> None:
        self.assertIsNone(time_left([10.0] * 5, {}, 1))
