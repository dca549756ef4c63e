"""Events become one picture of the job. With it: ``taking_in``, ``stages``, ``time_left``."""

from __future__ import annotations

import unittest

from director.model.cost import Cost
from director.model.state import NodeStatus
from director.records.events import Kind
from director.reporting.live.progress import NodeProgress, Progress, Work
from director.reporting.live.taking_in import headline_of
from director.reporting.live.time_left import TimeLeft
from tests.support.told import (
    a_busy_run,
    a_run,
    answers,
    at,
    attempt,
    call,
    ends,
    event,
    opened,
    take,
    uses,
)


def doing(progress: Progress, name: str = "a") -> str:
    return progress.work[name].doing


class TestRun(unittest.TestCase):
    def test_a_node_is_followed_from_its_tests_to_its_end(self) -> None:
        run = take(a_run(a=()), event(Kind.NODE_STARTED, "a", 1, title="A"))
        self.assertEqual(doing(run), "tests first")
        self.assertEqual(run.counts()[NodeStatus.RUNNING], 1)
        take(run, attempt("a", 5), call("a", 6))
        self.assertEqual(doing(run), "asking the model")
        take(run, uses("a", 8, "edit", "src/a.py", cost=0.25))
        self.assertEqual((doing(run), run.cost), ("edit src/a.py", Cost(0.25)))
        take(run, answers("a", 9, 0.5))
        self.assertEqual((doing(run), run.cost), ("running the tests", Cost(0.5)))
        take(run, ends("a", 10))
        self.assertEqual((run.work, run.counts()[NodeStatus.DONE]), ({}, 1))
        self.assertEqual(run.nodes["a"].cost, Cost(0.5))

    def test_a_node_whose_worktree_is_set_up_says_so(self) -> None:
        agents, gates = ({"slot": 0, "worktrees": name} for name in ("agents", "gates"))
        run = take(a_run(a=(), b=()), event(Kind.NODE_STARTED, "a", 1, title="A"))
        take(run, event(Kind.NOTICE, None, 2, message="setup begins", **agents))
        take(run, event(Kind.NOTICE, None, 2, message="setup begins", **gates))
        self.assertEqual(doing(run), "setup of the worktree")
        take(run, event(Kind.SETUP, None, 3, verdict="green", **agents))
        take(run, event(Kind.NODE_STARTED, "b", 3, title="B"))
        self.assertEqual(doing(run, "b"), "setup of the worktree")
        take(run, event(Kind.SETUP, None, 4, verdict="green", **gates))
        self.assertEqual((doing(run), doing(run, "b")), ("tests first", "tests first"))

    def test_work_says_who_in_which_attempt_and_since_when(self) -> None:
        work = a_busy_run().work["anchors"]
        self.assertEqual((work.role, work.attempt, work.since), ("escalation", 4, at(60)))
        self.assertEqual(work.begun, at(0))

    def test_a_failed_attempt_is_quoted(self) -> None:
        failed = {"attempt": 1, "lesson": "\n Tests fail.\nMore", "failure": {"headline": "2 != 3"}}
        run = take(a_run(a=()), attempt("a", 1), event(Kind.ATTEMPT_FAILED, "a", 2, **failed))
        self.assertEqual(doing(run), "attempt 1 failed: 2 != 3")
        self.assertEqual(headline_of({"lesson": failed["lesson"]}), "Tests fail.")
        self.assertEqual(headline_of({"failure": None, "error": "\x1b[31mred\x1b[0m"}), "red")

    def test_what_waits_for_a_failed_node_is_blocked(self) -> None:
        run = a_busy_run()
        self.assertEqual(run.blocked(), {"links": ["cli", "readme"]})
        self.assertEqual(run.counts()[NodeStatus.BLOCKED], 2)

    def test_a_provider_that_rests_is_told(self) -> None:
        fault = event(Kind.PROVIDER_FAULT, "a", 3, reason="too many requests", pause_secs=8.0)
        self.assertEqual(
            doing(take(a_run(a=()), call("a", 1), fault)), "too many requests; retrying in 8.0 s"
        )

    def test_calls_without_a_price_are_counted(self) -> None:
        run = take(a_run(a=()), call("a", 1), answers("a", 2, None), call("a", 3))
        take(run, uses("a", 4, "read", "x", cost=0.1))
        self.assertEqual(run.cost, Cost(0.1, 1))

    def test_the_time_that_is_left_rests_on_nodes_that_are_done(self) -> None:
        self.assertIsNone(a_run(done=2, a=()).time_left(at(0)))
        run = take(a_run(done=3, a=(), b=("a",)), event(Kind.NODE_STARTED, "a", 0, title="A"))
        self.assertEqual(run.time_left(at(20)), TimeLeft(100.0, 3))
        take(run, ends("a", 60, "failed"))
        self.assertIsNone(run.time_left(at(60)))

    def test_what_agents_write_cannot_steer_the_terminal(self) -> None:
        run = take(a_run(a=()), call("a", 1), uses("a", 2, "bash", "\x1b[2Jls\n\x07"))
        self.assertEqual(doing(run), r"bash ls \x07")
        self.assertEqual(take(Progress("run"), opened(task="a\x1b[1mb\nc")).task, "ab c")

    def test_a_closed_job_has_no_work(self) -> None:
        run = take(a_busy_run(), event(Kind.CLOSED))
        self.assertEqual((run.is_open, run.work), (False, {}))

    def test_the_next_job_starts_from_nothing(self) -> None:
        run = take(a_busy_run(), event(Kind.CLOSED), opened(planned=False))
        self.assertEqual((run.nodes, run.is_run, run.is_open), ({}, False, True))


class TestPlanning(unittest.TestCase):
    def setUp(self) -> None:
        self.plan = take(Progress("plan"), opened(planned=False))

    def at(self, stage: str) -> int:
        return take(self.plan, event(Kind.STAGE_ENTERED, None, 1, stage=stage)).stage

    def test_stages_follow_each_other(self) -> None:
        self.assertEqual(self.at("spec"), 0)
        self.assertEqual(take(self.plan, call(None, 2, "explorer", None)).stage, 0)
        self.assertEqual(list(self.plan.work), ["explorer"])
        take(self.plan, answers(None, 3, agent="explorer", role="explorer"))
        self.assertEqual(self.plan.work, {})
        asked = event(Kind.CALL_STARTED, None, 4, role="planner", agent="brainstorm", model="p/m")
        self.assertEqual(take(self.plan, asked).stage, 1)
        self.assertEqual((self.at("gate_spec"), self.at("decompose")), (2, 2))
        self.assertEqual(take(self.plan, call("a", 5, "test_author")).stage, 3)
        self.assertEqual((self.at("gate_plan"), self.at("ready")), (4, 4))

    def test_a_rejected_spec_goes_back(self) -> None:
        self.at("gate_spec")
        self.assertEqual(self.at("spec"), 0)

    def test_tests_are_counted_when_they_are_admitted(self) -> None:
        self.plan.know(NodeProgress(name) for name in "abc")
        self.plan.nodes["a"].admitted = True
        take(self.plan, call("b", 1, "test_author"), call("c", 1, "test_author"))
        take(self.plan, event(Kind.TESTS_ADMITTED, "b", 2, tests=["t"]))
        self.assertEqual((self.plan.admitted(), list(self.plan.work)), (2, ["c"]))
        take(self.plan, event(Kind.TESTS_REJECTED, "c", 3, problem="they pass\nalready"))
        self.assertEqual(doing(self.plan, "c"), "tests sent back: they pass")

    def test_each_call_begins_its_own_time(self) -> None:
        take(self.plan, call("a", 5, "test_author"), call("a", 50, "test_author", 2))
        self.assertEqual((self.plan.work["a"].since, self.plan.work["a"].attempt), (at(50), 2))


class TestWork(unittest.TestCase):
    def test_a_tool_says_more_than_a_phase(self) -> None:
        work = Work("a", 0.0)
        work.phase = "running the tests"
        self.assertEqual(work.doing, "running the tests")
        work.tool = "list"
        self.assertEqual(work.doing, "list")
