from __future__ import annotations

import io
import unittest
from typing import Any

from director.model.reason import Reason
from director.records.events import Event, Kind
from director.reporting.live.lines import (
    QUIET_SECS,
    WIDTH,
    Lines,
    Workflow,
    going_on,
    printing,
)
from director.reporting.live.live_progress import following
from director.reporting.live.progress import Progress
from director.reporting.terminal.cells import width_of
from tests.reporting.live.test_workflow_commands import is_command
from tests.support.told import answers, attempt, call, ends, event, opened, uses

FAILURE = {"headline": "test_a: 1 != 2", "log": "logs/a.1.gate.log"}


class LinesCase(unittest.TestCase):
    github = False

    def setUp(self) -> None:
        self.out = io.StringIO()
        self.time = 0.0
        self.progress = Progress("run")
        self.lines = Lines(self.out, self.progress, lambda: self.time, lambda: "12:00:00")
        on_github = Workflow(self.lines, self.progress).take
        take = on_github if self.github else self.lines.take
        self.listen = printing(self.lines, following(self.progress, take))
        self.addCleanup(self.lines.end)

    def told(self, *events: Event) -> list[str]:
        """Tell events, and return what was printed, without the times of day."""
        self.out.truncate(self.out.seek(0))
        for one in (events[0] if events[:1] else opened(), *events[1:]):
            self.listen(one)
        return [self.untimed(line) for line in self.out.getvalue().splitlines()]

    def untimed(self, line: str) -> str:
        return line[10:] if line[2:3] == ":" and not line.startswith("::") else line


class TestLines(LinesCase):
    def setUp(self) -> None:
        super().setUp()
        self.listen(opened(directory="/r/.director"))

    def test_calls_are_told_when_they_begin(self) -> None:
        self.assertEqual(
            self.told(call("a", 1), call("a", 2, "escalation", 4), call(None, 3, "planner", None)),
            [
                "a: executor begins, attempt 1 of 3 (p/m)",
                "a: escalation begins, attempt 4 (p/m)",
                "planner begins a critique (p/m)",
            ],
        )
        stage = event(Kind.STAGE_ENTERED, stage="decompose")
        self.assertEqual(
            self.told(stage, call(None, 3, "planner", None))[-1], "planner begins (p/m)"
        )

    def test_failed_attempts_are_quoted_with_their_log(self) -> None:
        failed = {"attempt": 1, "tier": "executor", "outcome": "red", "lesson": "long\nstory"}
        said = self.told(event(Kind.ATTEMPT_FAILED, "a", 1, **failed, failure=FAILURE))
        log = "a: see .director/logs/a.1.gate.log"
        self.assertEqual(said, ["a: attempt 1 failed: test_a: 1 != 2", log])
        said = self.told(event(Kind.ATTEMPT_FAILED, "a", 1, **failed, failure=None))
        self.assertEqual(said, ["a: attempt 1 failed: long"])

    def test_merges_and_ends_are_told(self) -> None:
        self.assertEqual(
            self.told(
                event(Kind.MERGED, "a", 1, commit="c" * 40, tier="executor"),
                ends("a", 2),
                ends("b", 3, "failed", attempts=3, failure=FAILURE),
            ),
            [
                "a: merged as cccccccccc",
                "a: DONE [executor tier, 1 attempt, $0.0100, 1 min 00 s]",
                "b: FAILED: test_a: 1 != 2 [executor tier, 3 attempts, $0.0100, 1 min",
                "          00 s]",
                "b: see .director/logs/a.1.gate.log",
            ],
        )

    def test_what_is_for_the_live_view_only_is_not_told(self) -> None:
        quiet = (attempt("a", 1), uses("a", 2, "bash", "ls"), answers("a", 3), event(Kind.CLOSED))
        self.assertEqual(self.told(*quiet), [])

    def test_lines_fit_and_no_word_is_broken(self) -> None:
        words = [f"wörd{number}" for number in range(80)]
        self.told(event(Kind.NOTICE, message=" ".join(words)))
        lines = self.out.getvalue().splitlines()
        self.assertTrue(all(width_of(line) <= WIDTH for line in lines))
        self.assertEqual(" ".join(line[10:] for line in lines).split(), words)

    def test_a_reader_that_is_gone_is_no_reason_to_stop(self) -> None:
        self.out.close()
        self.listen(call("a", 1))


class TestHeartbeat(LinesCase):
    def setUp(self) -> None:
        super().setUp()
        self.listen(opened())

    def beat(self, secs: float) -> tuple[str, float]:
        """Let seconds pass, and return what is printed then, and when to ask again."""
        self.out.truncate(self.out.seek(0))
        self.time += secs
        again = self.lines.beat()
        return self.out.getvalue(), again

    def test_after_a_while_without_a_line_there_is_one(self) -> None:
        self.told(call("a", 1))
        self.assertEqual(self.beat(QUIET_SECS - 1), ("", 1.0))
        said, again = self.beat(1)
        self.assertTrue(said.startswith("12:00:00  still running: a (executor, attempt 1, "), said)
        self.assertEqual(again, QUIET_SECS)
        self.assertEqual(self.beat(QUIET_SECS / 2)[0], "")

    def test_it_names_the_last_tool_of_each_node(self) -> None:
        self.told(call("a", 1), call("b", 1), uses("b", 2, "bash", "make \x07 " + "x" * 90))
        said = going_on(self.progress)
        self.assertIn("a (executor, attempt 1, ", said)
        self.assertIn(r": bash make \x07 xxx", said)
        self.assertIn("…)", said)

    def test_each_line_puts_it_off(self) -> None:
        self.told(call("a", 1))
        self.time += 40
        self.told(call("b", 41))
        self.assertEqual(self.beat(40), ("", 20.0))

    def test_before_there_is_work_it_says_what_is_done(self) -> None:
        self.assertIn("still at work: preparing", self.beat(QUIET_SECS)[0])


class TestGitHub(LinesCase):
    github = True

    def run_started(self, lanes: int) -> Event:
        data: dict[str, Any] = {"nodes": 2, "done": 0, "confinement": "Landlock"}
        return event(Kind.RUN_STARTED, None, 0, **data, parallel=lanes, job_id="j")

    def told(self, *events: Event) -> list[str]:
        return [line for line in super().told(*events) if line.startswith("::")]

    def test_one_lane_folds_each_node(self) -> None:
        self.assertEqual(
            self.told(
                opened(),
                self.run_started(1),
                event(Kind.NODE_STARTED, "a", 1, title="Add: a"),
                ends("a", 2),
                event(Kind.NODE_STARTED, "b", 3, title="Add b"),
                ends("b", 4),
                event(Kind.CLOSED),
            ),
            [
                "::group::run: 2 nodes, 0 done, 1 lane; confined: Landlock",
                "::endgroup::",
                "::group::node a: Add: a",
                "::endgroup::",
                "::group::node b: Add b",
                "::endgroup::",
            ],
        )

    def test_several_lanes_are_one_fold(self) -> None:
        said = self.told(
            opened(),
            self.run_started(2),
            event(Kind.NODE_STARTED, "a", 1, title="A"),
            ends("a", 2),
            event(Kind.CLOSED),
        )
        self.assertEqual([line[:9] for line in said], ["::group::", "::endgrou"])

    def test_what_failed_is_annotated(self) -> None:
        gate: dict[str, Any] = {
            "name": "lint",
            "command": "x",
            "verdict": "red",
            "reason": "exit code 1",
        }
        said = self.told(
            opened(),
            ends("a", 2, "failed", failure={"headline": "50 % of\nit: ::error::x"}),
            event(Kind.INTEGRATION_GATE, **gate, log="l", nodes=[]),
        )
        self.assertEqual(said[0], "::error title=node a failed::50 %25 of it: ::error::x")
        self.assertEqual(said[-1], "::error title=integration gate lint is red::exit code 1")

    def test_so_is_what_stopped_a_run_unless_it_was_told_before(self) -> None:
        for reason, number in ((Reason.RATE_LIMIT, 1), (Reason.NODE_FAILED, 0), (None, 0)):
            stopped = event(Kind.STOPPED, reason=reason, what="no", next="x", exit_code=3)
            told = [line for line in self.told(stopped) if line.startswith("::error")]
            self.assertEqual(told, ["::error title=director stopped::no"] * number)

    def test_no_text_of_an_agent_is_a_command(self) -> None:
        mean = "x\n::error::gotcha\r::add-mask::a ##[error]b"
        long = " ".join(["::set-output name=a::b"] * 30)
        self.listen(opened())
        for text in (mean, long):
            for one in (
                event(Kind.NOTICE, message=text),
                event(Kind.TESTS_REJECTED, "a", problem=text),
                event(Kind.REVIEW, "a", stage=2, blocked=True, summary=text),
                event(Kind.ATTEMPT_FAILED, "a", attempt=1, lesson=text, outcome="red"),
                uses("a", 1, "bash", text),
            ):
                self.listen(one)
        self.time += QUIET_SECS
        self.lines.beat()
        for line in self.out.getvalue().splitlines():
            self.assertFalse(is_command(line), line)
