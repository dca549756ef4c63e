from __future__ import annotations

import json

from director.job.stage import PlanStage, Stage, read_stage, write_stage
from director.model.errors import RequestError
from director.records.job_directory import JobDirectory
from tests.support.hermetic import TemporaryCase

STAGE = PlanStage(
    Stage.PLAN_APPROVAL,
    "job",
    "task",
    "base",
    "director/job-job",
    "now",
    spec_feedback=("too vague",),
    plan_feedback={"a": "untested"},
    admitted={"a": "f00"},
)


class TestStage(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = JobDirectory(self.tmp)

    def test_comes_back_as_it_was_written(self) -> None:
        self.assertIsNone(read_stage(self.directory))
        write_stage(self.directory, STAGE)
        self.assertEqual(read_stage(self.directory), STAGE)

    def test_two_stages_wait_for_an_approval(self) -> None:
        awaited = {stage: stage.awaited for stage in Stage if stage.awaited}
        self.assertEqual(awaited, {Stage.SPEC_APPROVAL: "spec", Stage.PLAN_APPROVAL: "plan"})

    def test_each_stage_is_told_in_other_words(self) -> None:
        self.assertEqual(len({stage.words for stage in Stage}), len(Stage))

    def test_fields_of_a_later_version_are_left_out(self) -> None:
        write_stage(self.directory, STAGE)
        stored = json.loads(self.directory.stage.read_text())
        self.directory.stage.write_text(json.dumps({**stored, "moon_phase": "new"}))
        self.assertEqual(read_stage(self.directory), STAGE)

    def test_what_is_missing_or_unknown_is_refused(self) -> None:
        write_stage(self.directory, STAGE)
        stored = json.loads(self.directory.stage.read_text())
        without = {key: value for key, value in stored.items() if key != "task"}
        for wrong in (without, {**stored, "stage": "dreaming"}, {**stored, "stage": 7}):
            self.directory.stage.write_text(json.dumps(wrong))
            with self.assertRaises(RequestError):
                read_stage(self.directory)
