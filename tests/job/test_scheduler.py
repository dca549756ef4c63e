"""The scheduler in memory: plain values, no git, no processes."""

from __future__ import annotations

import threading
import unittest

from director.job.scheduler import Schedule, drive
from director.model.errors import StoppedError
from director.model.plan import Node


def made(name: str, *depends_on: str) -> Node:
    return Node(name, name, "spec", (f"{name}.py",), depends_on, "true", (f"t_{name}.py",))


def drain(schedule: Schedule) -> list[str]:
    """Return the order in which one lane that never fails works the nodes off."""
    order: list[str] = []
    while (node_id := schedule.take()) is not None:
        order.append(node_id)
        schedule.finish(node_id)
    return order


class TestSchedule(unittest.TestCase):
    def test_dependencies_come_first(self) -> None:
        nodes = [made("c", "b"), made("b", "a"), made("a")]
        self.assertEqual(drain(Schedule(nodes, ())), ["a", "b", "c"])

    def test_the_longest_remaining_path_goes_first(self) -> None:
        nodes = [made("short"), made("long"), made("then", "long"), made("last", "then")]
        schedule = Schedule(nodes, ())
        self.assertEqual([schedule.take(), schedule.take()], ["long", "short"])

    def test_a_node_waits_for_all_it_depends_on(self) -> None:
        schedule = Schedule([made("a"), made("b"), made("c", "a", "b")], ())
        self.assertEqual({schedule.take(), schedule.take()}, {"a", "b"})
        schedule.finish("a")
        self.assertIsNone(schedule.take())
        schedule.finish("b")
        self.assertEqual(schedule.take(), "c")

    def test_finished_nodes_are_not_given_out_and_unlock_others(self) -> None:
        self.assertEqual(drain(Schedule([made("a"), made("b", "a")], ["a"])), ["b"])

    def test_a_failure_blocks_all_that_depends_on_it_and_nothing_else(self) -> None:
        nodes = [made("a"), made("b", "a"), made("c", "b"), made("d")]
        schedule = Schedule(nodes, ())
        taken = {schedule.take(), schedule.take()}
        self.assertEqual(taken, {"a", "d"})
        self.assertEqual(schedule.fail("a"), {"b", "c"})
        schedule.finish("d")
        self.assertIsNone(schedule.take())

    def test_what_waits_for_a_failure_already_is_not_named_again(self) -> None:
        nodes = [made("a"), made("b"), made("c", "a", "b"), made("d", "c"), made("e", "b")]
        schedule = Schedule(nodes, ())
        self.assertEqual(schedule.fail("a"), {"c", "d"})
        self.assertEqual(schedule.fail("b"), {"e"})

    def test_only_wanted_nodes_are_given_out(self) -> None:
        self.assertEqual(drain(Schedule([made("a"), made("b"), made("c", "b")], (), ["b"])), ["b"])

    def test_a_closed_schedule_gives_out_nothing(self) -> None:
        schedule = Schedule([made("a"), made("b", "a")], ())
        schedule.take()
        schedule.close()
        schedule.finish("a")
        self.assertIsNone(schedule.take())


class TestDrive(unittest.TestCase):
    def test_a_drained_schedule_settles_what_runs_and_starts_nothing(self) -> None:
        schedule, settled = Schedule([made("a"), made("b", "a"), made("c")], ()), list[str]()

        def settle(node_id: str, _result: None) -> None:
            settled.append(node_id)
            schedule.finish(node_id)

        drive(schedule, 1, lambda _: None, settle, lambda: bool(settled))
        self.assertEqual(settled, ["a"])

    def test_lanes_work_side_by_side_and_settling_stays_in_one_thread(self) -> None:
        meeting = threading.Barrier(2, timeout=10)
        settled_in: set[int] = set()
        schedule = Schedule([made("a"), made("b"), made("c", "a", "b")], ())
        done: list[str] = []

        def work(node_id: str) -> str:
            if node_id != "c":
                meeting.wait()
            return node_id.upper()

        def settle(node_id: str, result: str) -> None:
            settled_in.add(threading.get_ident())
            done.append(result)
            schedule.finish(node_id)

        drive(schedule, 2, work, settle)
        self.assertEqual((sorted(done), done[-1]), (["A", "B", "C"], "C"))
        self.assertEqual(settled_in, {threading.get_ident()})

    def test_an_exception_is_raised_after_the_other_lanes_are_settled(self) -> None:
        failing = threading.Event()
        schedule = Schedule([made("bad"), made("good"), made("later", "good")], ())
        done: list[str] = []

        def work(node_id: str) -> None:
            if node_id == "bad":
                failing.set()
                raise RuntimeError("a bug")
            failing.wait(10)

        def settle(node_id: str, _result: None) -> None:
            done.append(node_id)
            schedule.finish(node_id)

        with self.assertRaisesRegex(RuntimeError, "a bug"):
            drive(schedule, 2, work, settle)
        self.assertEqual(done, ["good"])

    def test_a_lane_that_cannot_begin_loses_no_result_of_another(self) -> None:
        closed = threading.Event()
        settled: list[str] = []

        class Telling(Schedule):
            def close(self) -> None:
                super().close()
                closed.set()

        schedule = Telling([made("quick"), made("slow"), made("later", "quick")], ())

        def work(node_id: str) -> None:
            if node_id == "slow":
                closed.wait(10)

        def settle(node_id: str, _result: None) -> None:
            settled.append(node_id)
            schedule.finish(node_id)
            threading.stack_size(2**50)  # more than there is: the next thread cannot start

        self.addCleanup(threading.stack_size, threading.stack_size())
        with self.assertRaisesRegex(StoppedError, "later cannot begin: .*thread"):
            drive(schedule, 2, work, settle)
        self.assertEqual(settled, ["quick", "slow"])

    def test_an_error_while_a_result_is_settled_loses_no_other_result(self) -> None:
        settling = threading.Event()
        schedule = Schedule([made("bad"), made("worse"), made("slow"), made("later", "bad")], ())
        together = threading.Barrier(2, timeout=10)
        settled: list[str] = []

        def work(node_id: str) -> None:
            if node_id == "slow":
                settling.wait(10)
            else:
                together.wait()

        def settle(node_id: str, _result: None) -> None:
            settled.append(node_id)
            settling.set()
            schedule.finish(node_id)
            if node_id != "slow":
                raise RuntimeError(f"{settled[0]} was first")

        with self.assertRaises(RuntimeError) as caught:
            drive(schedule, 3, work, settle)
        self.assertEqual(sorted(settled), ["bad", "slow", "worse"])
        self.assertEqual(str(caught.exception), f"{settled[0]} was first")
