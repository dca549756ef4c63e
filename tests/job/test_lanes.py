"""``--parallel auto``: enough lanes that the cores have work while calls wait, and no more."""

from __future__ import annotations

import unittest
from typing import Any
from unittest import mock

from director.agents.opencode.backend import OPENCODE
from director.job.lanes import (
    ASSUMED,
    MOST_LANES,
    Pace,
    choose_lanes,
    pace_of,
    pick_lanes,
    side_by_side,
)
from director.model.plan import Node
from director.processes.machine import SPARED_BYTES, Machine, Room, measure_machine
from tests.support.hermetic import TemporaryCase
from tests.support.jobs import JobCase, node

CALL = OPENCODE.lane_cost
PLENTY = 64 * CALL.memory_bytes
MANY = 100
MB = 10**6


def lanes(cores: int, pace: Pace, free_bytes: int | None = PLENTY, nodes: int = MANY) -> int:
    return choose_lanes(Machine(cores, free_bytes), pace, nodes, CALL).lanes


class TestChoice(unittest.TestCase):
    def test_the_longer_calls_wait_the_more_lanes(self) -> None:
        self.assertEqual(lanes(2, Pace(5, 95)), 2)  # gates alone: one lane per core
        self.assertEqual(lanes(2, Pace(105, 95)), 4)
        self.assertEqual(lanes(2, Pace(205, 95)), 6)
        self.assertEqual(lanes(1, Pace(0, 0)), 1)

    def test_more_cores_more_lanes(self) -> None:
        self.assertEqual(lanes(1, Pace(105, 95)), 2)
        self.assertEqual(lanes(4, Pace(105, 95)), 8)

    def test_never_more_than_providers_put_up_with(self) -> None:
        self.assertEqual(lanes(64, Pace(600, 1)), MOST_LANES)

    def test_never_more_than_fit_in_memory_but_one(self) -> None:
        self.assertEqual(lanes(8, ASSUMED, 3 * CALL.memory_bytes + 1), 3)
        self.assertEqual(lanes(8, ASSUMED, 0), 1)
        self.assertEqual(lanes(8, ASSUMED, None), lanes(8, ASSUMED))

    def test_never_more_than_there_are_nodes_for(self) -> None:
        self.assertEqual(lanes(8, ASSUMED, nodes=3), 3)
        self.assertEqual(lanes(8, ASSUMED, nodes=0), 1)

    def test_the_reason_names_what_it_rests_on(self) -> None:
        reason = choose_lanes(Machine(2, 7 * CALL.memory_bytes), ASSUMED, 3, CALL).reason
        self.assertIn("2 cores; assumed: 90 s in calls, 30 s in gates", reason)
        self.assertIn("3 nodes side by side", reason)
        self.assertIn("7 fit in memory", reason)

    def test_on_a_cluster_who_waits_keeps_a_place(self) -> None:
        choice = choose_lanes(Machine(6, None, cluster=True), ASSUMED, MANY, CALL)
        self.assertEqual(choice.lanes, 6)
        self.assertIn("6 places on the cluster; ", choice.reason)
        nowhere = choose_lanes(Machine(0, None, cluster=True), ASSUMED, MANY, CALL)
        self.assertEqual(nowhere.lanes, 1)  # it waits in the queue


class TestRoom(unittest.TestCase):
    """``lane_bytes`` and what is free, after what is spared for everything else."""

    room = Room(100 * MB, SPARED_BYTES + 350 * MB, prepared=1)

    def test_never_more_than_fit_on_the_disk_but_one(self) -> None:
        self.assertEqual(self.room.lanes, 4)  # one is there already
        machine = Machine(8, None)
        self.assertEqual(choose_lanes(machine, ASSUMED, MANY, CALL, self.room).lanes, 4)
        self.assertEqual(choose_lanes(machine, ASSUMED, MANY, CALL, Room(MB, 0)).lanes, 1)

    def test_the_line_says_what_it_will_take(self) -> None:
        reason = choose_lanes(Machine(2, None), ASSUMED, 3, CALL, self.room).reason
        self.assertIn("4 fit on the disk", reason)
        self.assertTrue(reason.endswith("; about 100 MB of disk each"), reason)

    def test_more_that_were_asked_for_are_worked_with_and_warned_of(self) -> None:
        heard: list[str] = []
        job = mock.Mock()
        job.pool.room.return_value = self.room
        job.events.notice = heard.append
        nodes = [Node("n", "", "", (), (), "", ())._replace(id=str(number)) for number in range(9)]
        for lanes, notices in ((1, 0), (4, 0), (5, 1)):
            heard.clear()
            self.assertEqual(pick_lanes(job, lanes, nodes, [one.id for one in nodes]), lanes)
            self.assertEqual(len(heard), notices)
        self.assertIn("5 lanes take about 100 MB of disk each, and", heard[0])


class TestSideBySide(unittest.TestCase):
    def nodes(self, **depends_on: str) -> list[Node]:
        return [Node(n, "", "", (), tuple(d), "", ()) for n, d in depends_on.items()]

    def test_of_a_chain_one_at_a_time(self) -> None:
        chain = self.nodes(a="", b="a", c="b")
        self.assertEqual(side_by_side(chain, "abc"), 1)
        self.assertEqual(side_by_side(chain, "bc"), 1)

    def test_what_is_independent_goes_together(self) -> None:
        self.assertEqual(side_by_side(self.nodes(a="", b="", c=""), "abc"), 3)
        diamond = self.nodes(a="", b="a", c="a", d="bc")
        self.assertEqual(side_by_side(diamond, "abcd"), 2)
        self.assertEqual(side_by_side(diamond, "bcd"), 2)

    def test_nothing_open(self) -> None:
        self.assertEqual(side_by_side(self.nodes(a=""), ""), 0)


class TestPace(unittest.TestCase):
    def test_means_per_call(self) -> None:
        call: dict[str, Any] = {"kind": "call_ended", "node": "a", "wall_secs": 30.0}
        gate: dict[str, Any] = {"kind": "gate", "node": "a", "wall_secs": 4}
        others: list[dict[str, Any]] = [
            {"kind": "call_ended", "node": None, "wall_secs": 500.0},  # planning
            {"kind": "gate", "node": "a", "purpose": "tests"},
            {"kind": "notice"},
        ]
        pace = pace_of([call, call, call, *[gate] * 6, *others])
        self.assertEqual(pace, Pace(30.0, 8.0))

    def test_too_little_is_known(self) -> None:
        self.assertIsNone(pace_of([]))
        self.assertIsNone(pace_of([{"kind": "call_ended", "node": "a", "wall_secs": 1.0}] * 2))


class TestMachine(TemporaryCase):
    def test_this_one(self) -> None:
        machine = measure_machine()
        self.assertGreaterEqual(machine.cores, 1)
        self.assertGreater(machine.free_bytes or 1, 0)

    def test_a_container_limits_it(self) -> None:
        proc, cgroup = self.tmp / "proc", self.tmp / "cgroup"
        proc.mkdir()
        cgroup.mkdir()
        (proc / "meminfo").write_text("MemTotal: 99 kB\nMemAvailable:    9000 kB\n")
        limits = {"cpu.max": "max 100000", "memory.max": "max", "memory.current": "5000"}
        for name, text in limits.items():
            (cgroup / name).write_text(f"{text}\n")
        (cgroup / "memory.stat").write_text("anon 4\ninactive_file 1000\nactive_file 2\n")
        self.assertEqual(measure_machine(proc, cgroup).free_bytes, 9000 * 1024)
        (cgroup / "memory.max").write_text("8000\n")
        (cgroup / "cpu.max").write_text("50000 100000\n")
        self.assertEqual(measure_machine(proc, cgroup), Machine(1, 4000))


class TestAuto(JobCase):
    def test_the_choice_is_told_and_on_record(self) -> None:
        self.script_planning(node("a"), node("b"))
        self.ends(0, "plan", "make things", "--no-critique", "--parallel", "auto")
        for name in "ab":
            self.implement(name)
        done = self.ends(0, "run", "--parallel", "auto", "--json")
        (started,) = [e for e in self.lines("events.jsonl") if e["kind"] == "run_started"]
        chosen = started["parallel"]
        self.assertIn(chosen, (1, 2))  # two nodes; little memory may leave one lane
        self.assertEqual(done.json["parallel"], chosen)
        self.assertEqual(self.lines("metrics.jsonl")[-1]["parallel"], chosen)
        told = [line for line in done.err.splitlines() if "2 nodes side by side" in line]
        self.assertEqual(len(told), 1, done.err)

    def test_a_chain_has_one_lane(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        for name in "ab":
            self.implement(name)
        done = self.ends(0, "run", "--parallel", "auto")
        self.assertRegex(done.err, r"  1 lane: .*; about \d+ kB of disk each")

    def test_anything_else_is_refused(self) -> None:
        for value in ("many", "0", "-1", "1.5", ""):
            self.assertIn("whole number of 1 or more", self.ends(2, "run", "--parallel", value).err)
