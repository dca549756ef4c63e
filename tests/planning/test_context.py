"""What a stage came to is on disk before what it used is forgotten, and before the next begins."""

from __future__ import annotations

from unittest import mock

from director.job.stage import PlanStage, Stage, read_stage
from director.planning.context import Done, Planning, PlanOptions
from director.records.events import Event, Events
from director.records.job_directory import JobDirectory
from tests.support.hermetic import HermeticCase


class TestSettling(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.told: list[Event] = []
        self.directory = JobDirectory(self.tmp / "job")
        job = mock.Mock(directory=self.directory, events=Events([self.told.append]))
        stage = PlanStage(Stage.SPEC, "job", "task", "base", "branch", "now")
        self.planning = Planning(job, mock.Mock(), stage, PlanOptions())
        self.seen: list[PlanStage | None] = []

    def settle(self, then: Stage) -> None:
        done = Done({"spec_feedback": ("vague",)}, lambda: self.seen.append(self.stored))
        self.planning.settle(done, then)

    @property
    def stored(self) -> PlanStage | None:
        return read_stage(self.directory)

    def test_the_record_is_on_disk_before_calls_are_forgotten(self) -> None:
        self.settle(Stage.SPEC_APPROVAL)
        (found,) = self.seen
        assert found is not None
        self.assertEqual((found.stage, found.spec_feedback), (Stage.SPEC_APPROVAL, ("vague",)))
        self.assertEqual(found, self.planning.stage)
        self.assertEqual([event.data for event in self.told], [{"stage": "gate_spec"}])

    def test_a_stage_that_goes_on_is_not_entered_again(self) -> None:
        self.settle(Stage.SPEC)
        self.assertEqual((len(self.seen), self.told), (1, []))
