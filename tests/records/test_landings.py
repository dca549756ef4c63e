"""What counts as landed: the work itself, all of it, and as it is now."""

from __future__ import annotations

from director.model.landed import Landed
from director.records.job_directory import JobDirectory
from director.records.landings import read_landed, recorded_landing, write_landed
from tests.support.hermetic import TemporaryCase

AT = "2026-11-22T04:00:00.000Z"
SQUASHED = Landed("main", "c" * 40, "squash", AT, tip="d" * 40)


class TestLandings(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = JobDirectory(self.tmp)

    def test_what_is_written_is_read(self) -> None:
        self.assertIsNone(read_landed(self.directory))
        write_landed(self.directory, SQUASHED)
        self.assertEqual(read_landed(self.directory), SQUASHED)
        found = recorded_landing(self.directory, SQUASHED.tip)
        self.assertEqual(found, ("main", SQUASHED.commit, "squash", AT))
        self.assertEqual(SQUASHED.in_words(), "landed on main as cccccccccc (squash)")

    def test_work_that_is_not_on_the_branch_is_not_landed(self) -> None:
        for one in (SQUASHED._replace(how="pr"), SQUASHED._replace(partial=True)):
            with self.subTest(one.in_words()):
                write_landed(self.directory, one)
                self.assertIsNone(recorded_landing(self.directory, SQUASHED.tip))
        write_landed(self.directory, SQUASHED)
        self.assertIsNone(recorded_landing(self.directory, "e" * 40), "the branch went further")

    def test_a_record_that_cannot_be_read_is_none(self) -> None:
        self.directory.landed.write_text("{")
        self.assertIsNone(read_landed(self.directory))
        self.assertIsNone(recorded_landing(self.directory))
