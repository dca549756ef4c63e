"""What ``status --watch`` draws again, and what it tells of changes."""

from __future__ import annotations

import io
import unittest

from director.job.stage import Stage
from director.model.state import NodeStatus
from director.reporting.status.status import Status
from director.reporting.status.watch import PAUSE_SECS, Redrawn, changes, watch
from tests.reporting.status.statuses import attempts, failed, failure, node, status, working


class TestWatch(unittest.TestCase):
    def test_until_no_process_works_on_the_job(self) -> None:
        stands = [working(node("a")), working(node("a")), status(node("a"))]
        waits: list[float] = []
        shown: list[Status] = []
        last = watch(iter(stands).__next__, shown.append, waits.append)
        self.assertEqual((last, shown), (stands[-1], stands))
        self.assertEqual(waits, [PAUSE_SECS] * 2)


class TestRedrawn(unittest.TestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.size = (40, 10)
        self.redrawn = Redrawn(self.stream, lambda: self.size)

    def drawn(self, text: str) -> str:
        self.stream.truncate(0)
        self.stream.seek(0)
        self.redrawn(text)
        return self.stream.getvalue()

    def test_each_time_in_the_place_of_the_last(self) -> None:
        self.assertEqual(self.drawn("a\nb"), "a\x1b[K\nb\x1b[K\n\x1b[J")
        self.assertEqual(self.drawn("c"), "\x1b[2A\rc\x1b[K\n\x1b[J")
        self.redrawn.clear()
        self.assertTrue(self.stream.getvalue().endswith("\x1b[1A\r\x1b[J"))

    def test_never_more_than_the_window_holds(self) -> None:
        shown = self.drawn("\n".join(map(str, range(50)))).splitlines()
        self.assertEqual(len(shown) - 1, 9)
        self.assertIn("(42 more lines", shown[8])

    def test_a_narrower_window_needs_more_lines(self) -> None:
        self.drawn("x" * 30)
        self.size = (10, 10)
        self.assertTrue(self.drawn("y").startswith("\x1b[3A\r"))

    def test_colours_take_no_room(self) -> None:
        self.drawn(f"\x1b[1;31m{'x' * 40}\x1b[0m")
        self.assertTrue(self.drawn("y").startswith("\x1b[1A\r"))


class TestChanges(unittest.TestCase):
    def test_nothing_is_new(self) -> None:
        self.assertEqual(list(changes(working(node("a")), working(node("a")))), [])

    def test_nodes_that_stand_differently(self) -> None:
        before = working(node("a", NodeStatus.RUNNING), node("b", NodeStatus.RUNNING))
        after = working(node("a"), failed("b"))
        self.assertEqual(
            list(changes(before, after)),
            ["✓ a done", "✗ b failed: ImportError: cannot import name 'f' from 'mod_001'"],
        )

    def test_attempts(self) -> None:
        before = working(node("a", NodeStatus.RUNNING))
        tries = attempts(failure("bad"))
        after = working(node("a", NodeStatus.RUNNING, past_attempts=tries, attempts=1))
        self.assertEqual(list(changes(before, after)), ["● a attempt 1 red: bad"])

    def test_stages_and_the_end(self) -> None:
        before = working(stage=Stage.SPEC)
        after = before._replace(stage=Stage.DECOMPOSE, process=None)
        said = list(changes(before, after))
        self.assertEqual(said, ["planning: decompose", "the command has ended"])
