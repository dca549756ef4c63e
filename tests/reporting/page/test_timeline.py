"""What a journal tells of lanes: calls, gates, reviews, merges, and the waiting between them."""

from __future__ import annotations

import unittest
from typing import Any

from director.reporting.page.timeline import Doing, Row, sessions_in

START = 1_800_000_000


def at(secs: int, kind: str, node: str | None = None, **data: Any) -> dict[str, Any]:
    """Return an event so many seconds (below 3600) after the start, a full hour."""
    ts = f"2027-01-15T08:{secs // 60:02d}:{secs % 60:02d}.000Z"
    return {"ts": ts, "kind": kind, "node": node, **data}


def worked_on(name: str, begin: int, end: int) -> list[dict[str, Any]]:
    """Return the events of a node that a call, a gate and a merge bring to its end."""
    executor = {"role": "executor", "agent": "executor"}
    return [
        at(begin, "node_started", name),
        at(begin + 1, "call_started", name, **executor),
        at(end - 3, "call_ended", name, **executor, wall_secs=end - 4.0 - begin),
        at(end - 1, "gate", name, purpose="candidate", wall_secs=2.0),
        at(end, "merged", name),
        at(end, "node_ended", name),
    ]


class TestTimeline(unittest.TestCase):
    def only(self, *events: dict[str, Any], now: float | None = None) -> Row:
        (session,) = sessions_in(events, now)
        (row,) = session.rows
        return row

    def test_the_time_of_a_node_is_told_kind_by_kind(self) -> None:
        row = self.only(*worked_on("a", 0, 10))
        self.assertEqual((row.label, row.secs), ("a", 10.0))
        self.assertEqual(
            row.spent(),
            {Doing.CALL: 6, Doing.GATE: 2, Doing.MERGE: 1, Doing.REVIEW: 0, Doing.WAITING: 1},
        )

    def test_a_reader_is_a_review(self) -> None:
        reader = {"role": "reviewer", "agent": "reviewer"}
        row = self.only(
            at(0, "node_started", "a"),
            at(2, "call_started", "a", **reader),
            at(5, "call_ended", "a", **reader),
            at(6, "node_ended", "a"),
        )
        self.assertEqual(row.spent()[Doing.REVIEW], 3)

    def test_nodes_side_by_side_have_lanes_of_their_own(self) -> None:
        events = [*worked_on("a", 0, 10), *worked_on("b", 5, 20), *worked_on("c", 12, 30)]
        (session,) = sessions_in(sorted(events, key=lambda one: str(one["ts"])))
        self.assertEqual({row.label: row.lane for row in session.rows}, {"a": 0, "b": 1, "c": 0})
        self.assertEqual(session.lanes, 2)

    def test_calls_of_planning_are_rows(self) -> None:
        told = {"role": "planner", "agent": "brainstorm"}
        row = self.only(at(0, "call_started", **told), at(7, "call_ended", **told))
        self.assertEqual((row.label, row.node, row.secs), ("planning: brainstorm", "", 7.0))

    def test_a_pause_makes_another_session(self) -> None:
        found = sessions_in([*worked_on("a", 0, 10), *worked_on("b", 1000, 1010)])
        self.assertEqual([session.ended - session.began for session in found], [10, 10])

    def test_what_a_kill_left_ends_where_it_was_last_heard_of(self) -> None:
        begun = worked_on("a", 0, 10)[:4]
        found = sessions_in([*begun, at(60, "run_started"), *worked_on("a", 61, 70)])
        self.assertEqual([row.secs for one in found for row in one.rows], [9.0, 9.0])

    def test_what_is_under_way_lasts_until_now(self) -> None:
        ended = self.only(at(0, "node_started", "a"), at(1, "call_started", "a", role="executor"))
        self.assertEqual((ended.secs, ended.spent()[Doing.CALL]), (1.0, 0))
        now = ended.began + 20
        row = self.only(
            at(0, "node_started", "a"), at(1, "call_started", "a", role="executor"), now=now
        )
        self.assertEqual((row.secs, row.spent()[Doing.CALL]), (20.0, 19.0))

    def test_damaged_lines_are_passed_over(self) -> None:
        self.assertEqual(sessions_in([{"kind": "node_started"}, {"ts": "x"}, {}]), ())
