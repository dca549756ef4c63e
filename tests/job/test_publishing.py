"""The branch is published beside the work, and once more at the end."""

from __future__ import annotations

import io
import threading
import unittest
from contextlib import redirect_stderr
from typing import Any, cast

from director.job.publishing import Publisher
from director.model.errors import StoppedError
from director.records.events import Event, Events, Kind
from director.repositories.job_repository import JobRepository


class Job:
    """A job repository that counts how often it is published, and can be held up."""

    branch = "director/job-1"

    def __init__(self) -> None:
        self.published = 0
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.problem: str | None = None
        self.error: Exception | None = None

    def tip(self) -> str:
        return "tip"

    def publish(self) -> str | None:
        self.begun.set()
        self.may_go_on.wait(10)
        self.published += 1
        if self.error:
            raise self.error
        return self.problem


class TestPublisher(unittest.TestCase):
    def setUp(self) -> None:
        self.job = Job()
        self.told: list[Event] = []
        self.publisher = self.publishing(pause_secs=0)

    def publishing(self, pause_secs: float) -> Publisher:
        events = Events([self.told.append])
        return Publisher(cast(JobRepository, self.job), events, pause_secs)

    def kinds(self) -> list[Any]:
        return [event.kind for event in self.told]

    def test_now_says_so(self) -> None:
        self.job.may_go_on.set()
        self.assertIsNone(self.publisher.now())
        self.assertEqual(self.kinds(), [Kind.PUBLISHED])

    def test_now_says_why_it_could_not(self) -> None:
        self.job.may_go_on.set()
        self.job.problem = "non-fast-forward"
        self.assertEqual(self.publisher.now(), "non-fast-forward")
        self.assertEqual(self.kinds(), [Kind.NOTICE])

    def test_nothing_waits_for_what_is_done_soon(self) -> None:
        self.publisher.soon()
        self.assertTrue(self.job.begun.wait(10))
        for _ in range(100):
            self.publisher.soon()
        self.assertEqual(self.job.published, 0)
        self.job.may_go_on.set()
        self.assertIsNone(self.publisher.close())
        # The one under way, the last, and perhaps one in between for the hundred.
        self.assertIn(self.job.published, (2, 3))

    def test_in_the_first_pause_nothing_is_published_but_the_last(self) -> None:
        self.job.may_go_on.set()
        publisher = self.publishing(pause_secs=3600)
        publisher.soon()
        self.assertFalse(self.job.begun.is_set())
        self.assertIsNone(publisher.close())
        self.assertEqual(self.job.published, 1)

    def test_what_is_wanted_in_a_pause_is_published_after_it(self) -> None:
        self.job.may_go_on.set()
        publisher = self.publishing(pause_secs=0.01)
        publisher.soon()
        self.assertTrue(self.job.begun.wait(10))
        publisher.close()

    def test_what_stops_it_beside_the_work_is_said_at_the_end(self) -> None:
        self.job.may_go_on.set()
        self.job.error = StoppedError("the job repository is gone", "run again")
        with redirect_stderr(io.StringIO()) as said:
            self.publisher.soon()
            self.assertTrue(self.job.begun.wait(10))
            with self.assertRaises(StoppedError):
                self.publisher.close()
        self.assertEqual(said.getvalue(), "")
