"""What was lost is done again, in a fresh lane, and not for ever."""

from __future__ import annotations

import unittest
from types import SimpleNamespace
from typing import Any, cast

from director.job.context import JobContext
from director.job.retrying import MAX_ATTEMPTS, retry_where_lost
from director.model.errors import InterruptedRunError, LostError, StoppedError
from director.processes.cancellation import Cancellation
from director.records.events import Event, Events


class TestAgain(unittest.TestCase):
    def setUp(self) -> None:
        self.told: list[Event] = []
        self.pauses: list[float] = []
        self.cancellation = Cancellation()
        agents = SimpleNamespace(pause=self.pauses.append, cancellation=self.cancellation)
        events = Events([self.told.append])
        self.job = cast(JobContext, SimpleNamespace(agents=agents, events=events))

    def work(self, *ends: Any) -> Any:
        left = list(ends)

        def work() -> str:
            if isinstance(end := left.pop(0), Exception):
                raise end
            return str(end)

        return retry_where_lost(self.job, work, "a")

    def test_what_is_lost_is_done_again_and_that_is_said(self) -> None:
        lost = LostError("a gate is lost: power", "look")
        self.assertEqual(self.work(lost, lost, "done"), "done")
        messages = [one.data["message"] for one in self.told]
        self.assertEqual(
            messages, ["a gate is lost: power; it is done again in a fresh worktree"] * 2
        )
        self.assertEqual(len(self.pauses), 2)

    def test_not_for_ever(self) -> None:
        lost = [LostError("lost", "look") for _ in range(MAX_ATTEMPTS)]
        with self.assertRaises(LostError):
            self.work(*lost, "never")

    def test_other_errors_are_not_its_business(self) -> None:
        with self.assertRaises(StoppedError):
            self.work(StoppedError("full", "make room"), "never")
        self.assertEqual(self.told, [])

    def test_a_signal_ends_it(self) -> None:
        self.cancellation.cancel(15)
        with self.assertRaises(InterruptedRunError):
            self.work(LostError("lost", "look"), "never")
