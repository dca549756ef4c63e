"""What the journal tells of nodes, planning and the gates.

With it: ``log_view``, the words for it.
"""

from __future__ import annotations

import unittest
from typing import Any

from director.model.failure import Failure
from director.reporting.logs import log_view
from director.reporting.logs.node_log import (
    CallLog,
    FaultLog,
    GateLog,
    IntegrationLog,
    NodeLog,
    PlanLog,
    ReviewLog,
)
from director.reporting.terminal.cells import width_of
from director.reporting.terminal.style import Style

FAILURE = {"kind": "red", "command": "make", "exit_code": 1, "headline": "boom", "log": "logs/g"}


def event(kind: str, node: str | None = "a", **data: Any) -> dict[str, Any]:
    return {"ts": "2026-11-22T02:00:00Z", "kind": kind, "node": node, **data}


def call(kind: str, role: str = "executor", node: str | None = "a", **data: Any) -> dict[str, Any]:
    return event(f"call_{kind}", node, **{"role": role, "model": "m", "attempt": 1, **data})


def ended(role: str = "executor", node: str | None = "a", **data: Any) -> dict[str, Any]:
    told = {"outcome": "completed", "cost": 0.5, "tokens": 9, "wall_secs": 2, "log": "logs/x.jsonl"}
    return call("ended", role, node, **{**told, **data})


def taken(log: NodeLog, *events: dict[str, Any]) -> NodeLog:
    for one in events:
        log.take(one)
    return log


ATTEMPT = event("attempt_started", attempt=1, tier="executor", model="m")
RED = event("attempt_failed", attempt=1, outcome="red", lesson="no", failure=FAILURE)


class TestNodeLog(unittest.TestCase):
    def test_an_attempt_with_all_that_belongs_to_it(self) -> None:
        log = taken(
            NodeLog("a"),
            event("gate", purpose="tests", verdict="red"),
            event("gate", purpose="before", verdict="red", reason="exit code 1", log="b.log"),
            ATTEMPT,
            call("started"),
            ended(outcome="provider fault", reason="busy"),
            event("provider_fault", reason="busy"),
            call("started"),
            ended(),
            event("gate", purpose="candidate", verdict="green", log="c.log"),
            call("started", "reviewer"),
            ended("reviewer", log="logs/r.jsonl"),
            event("review", stage="two", blocked=True, summary="bad", findings=[{"file": "f"}, 5]),
            RED,
            event("node_ended", status="failed", error="no more"),
        )
        before, first = log.attempts
        self.assertEqual([one.purpose for one in before.gates], ["before"])
        kinds = [CallLog, FaultLog, CallLog, GateLog, CallLog, ReviewLog]
        self.assertEqual([type(one) for one in first.items], kinds)
        self.assertEqual([one.outcome for one in first.work], ["provider fault", "completed"])
        self.assertEqual(first.work[1].log, "x.jsonl")
        self.assertEqual((first.outcome, first.failure and first.failure.headline), ("red", "boom"))
        self.assertEqual((log.status, log.error), ("failed", "no more"))
        self.assertEqual(log.numbered, [first])

    def test_other_nodes_and_their_tests_are_passed_over(self) -> None:
        log = taken(NodeLog("a"), call("started", node="b"), call("started", "test_author"))
        self.assertEqual(log.attempts, [])

    def test_of_several_attempts_of_a_number_the_last_counts(self) -> None:
        log = taken(NodeLog("a"), ATTEMPT, RED, ATTEMPT)
        self.assertEqual([one.outcome for one in log.attempts], ["red", ""])
        self.assertIs(log.attempt(1), log.attempts[1])
        self.assertIsNone(log.attempt(2))

    def test_a_merge_makes_it_green_and_a_new_run_opens_the_node_again(self) -> None:
        log = taken(NodeLog("a"), ATTEMPT, event("merged"), event("node_ended", status="done"))
        self.assertEqual((log.attempts[0].outcome, log.status), ("green", "done"))
        self.assertEqual(taken(log, event("node_started")).status, "")

    def test_what_a_person_gives_is_an_attempt_too(self) -> None:
        gate = event("gate", purpose="candidate", verdict="red")
        refused = event("given", outcome="red", commit=None, lesson="no", failure=FAILURE)
        given = event("given", outcome="green", commit="c")
        taken_by = event("taken")
        log = taken(NodeLog("a"), ATTEMPT, RED, taken_by, gate, refused, gate, given)
        told = [(one.number, one.tier, one.outcome, len(one.gates)) for one in log.attempts]
        self.assertEqual(
            told,
            [(1, "executor", "red", 0), (2, "human", "red", 1), (3, "human", "green", 1)],
        )

    def test_planning_and_tests_are_one_story(self) -> None:
        log = taken(
            PlanLog("plan"),
            call("started", "explorer", None),
            ended("explorer", None),
            call("started", "test_author"),
            event("gate", purpose="tests", verdict="red"),
            call("started"),
            event("gate", purpose="before", verdict="red"),
        )
        roles = [one.role for one in log.attempts[0].calls]
        self.assertEqual(roles, ["explorer", "test_author"])
        self.assertEqual([one.purpose for one in log.attempts[0].gates], ["tests"])

    def test_of_integration_gates_those_of_the_last_run_count(self) -> None:
        gate = event("integration_gate", None, name="test", command="make", verdict="red")
        log = taken(IntegrationLog("integration"), gate, event("run_started", None), gate)
        (attempt,) = log.attempts
        self.assertEqual([(one.purpose, one.command) for one in attempt.gates], [("test", "make")])

    def test_strange_lines_do_no_harm(self) -> None:
        for kind in ("gate", "review", "attempt_started", "attempt_failed", "call_ended", "merged"):
            values: tuple[Any, ...] = (None, 5, "x", [], {})
            for value in values:
                odd = {"kind": kind, "node": "a", "failure": value, "findings": value,
                       "attempt": value, "cost": value, "log": value, "role": value}  # fmt: skip
                taken(NodeLog("a"), odd)


class TestWords(unittest.TestCase):
    def test_ends_of_calls(self) -> None:
        done = CallLog("executor", "m", outcome="completed", cost=0.5, tokens=1234, secs=65)
        self.assertEqual(
            [*log_view.call_end(done, Style())],
            ["end: completed · 1,234 tokens · $0.5000 · 1 min 05 s"],
        )
        unpriced = CallLog("executor", "m", outcome="timed out", reason="900 s", tokens=1)
        (line,) = log_view.call_end(unpriced, Style())
        self.assertEqual(line, "end: timed out: 900 s · 1 tokens · unpriced")
        self.assertIn("under way", next(log_view.call_end(CallLog("e", "m"), Style())))

    def test_gates_reviews_and_attempts(self) -> None:
        log = taken(NodeLog("a"), ATTEMPT, event("gate", purpose="candidate", verdict="red",
                    reason="exit code 1", failure=FAILURE), RED)  # fmt: skip
        (attempt,) = log.attempts
        lines = [*log_view.gate_lines(attempt.gates[0], "logs/g", Style())]
        self.assertEqual(lines, [
            "gate on the candidate → red (exit code 1)", "  make", "  │ boom", "  output logs/g",
        ])  # fmt: skip
        self.assertEqual([*log_view.attempt_end(attempt, Style())], ["attempt 1: red"])
        attempt.items.clear()
        self.assertEqual([*log_view.attempt_end(attempt, Style())], ["attempt 1: red: boom"])
        review = ReviewLog("two", True, "bad", ({"severity": "critical", "problem": "leaks"},))
        said = [*log_view.review_lines(review, Style())]
        self.assertEqual(said, ["review blocks: bad", "  - critical: leaks"])
        self.assertEqual([*log_view.fault_lines(FaultLog("busy"), Style())],
                         ["provider fault: busy; asked again"])  # fmt: skip

    def test_headings_fill_the_window(self) -> None:
        attempt = taken(NodeLog("a"), ATTEMPT, RED).attempts[0]
        for width in (40, 80, 200):
            style = Style(width)
            self.assertEqual(width_of(log_view.attempt_heading(attempt, style)), width)
            self.assertEqual(width_of(log_view.ruled("日" * 300, style)), width)
        self.assertIn("attempt 1 · executor · m · red", log_view.attempt_heading(attempt, Style()))

    def test_records_are_harmless_too(self) -> None:
        evil = "\x1b[2J\u202e"
        gate = GateLog(evil, evil, "red", evil, "l", Failure("red", headline=evil))
        review = ReviewLog("two", True, evil, ({"problem": evil, "file": evil},))
        lines = [*log_view.gate_lines(gate, "l", Style()), *log_view.review_lines(review, Style())]
        self.assertNotRegex("\n".join(lines), "[\x1b\u202e]")
