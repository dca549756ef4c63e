from __future__ import annotations

import json

from director.records.job_directory import JobDirectory
from director.records.lock import job_lock, read_holder
from director.reporting.status.live_process import read_process
from tests.support.hermetic import TemporaryCase

CALL = {"role": "executor", "tool": "bash", "argument": "ls"}


class TestProcess(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = JobDirectory(self.tmp)

    def nodes(self, **changed: object) -> list[str] | None:
        """Return the nodes that are worked on, with a live file of this process but ``changed``."""
        holder = read_holder(self.directory.lock)
        assert holder
        said = {**holder._asdict(), "lanes": 2, "nodes": {"a": CALL}, **changed}
        self.directory.live.write_text(json.dumps(said))
        process = read_process(self.directory)
        return list(process.calls) if process else None

    def test_no_command_works_on_a_job_without_a_lock(self) -> None:
        self.directory.live.write_text(json.dumps({"pid": 1, "nodes": {"a": CALL}}))
        self.assertIsNone(read_process(self.directory))

    def test_the_live_file_of_the_process_that_works_is_believed(self) -> None:
        with job_lock(self.directory.lock, "director run"):
            self.assertEqual(self.nodes(), ["a"])

    def test_what_a_killed_process_left_says_nothing_of_now(self) -> None:
        with job_lock(self.directory.lock, "director run"):
            self.assertEqual((self.nodes(pid=1), self.nodes(started=5)), ([], []))

    def test_neither_does_a_damaged_file(self) -> None:
        with job_lock(self.directory.lock, "director run"):
            broken: tuple[object, ...] = ([], "x", {"a": 7}, {"a": {"usd": "x"}}, None)
            for damaged in broken:
                self.assertIsNotNone(self.nodes(nodes=damaged), damaged)
            self.directory.live.write_text("{")
            process = read_process(self.directory)
            self.assertEqual(process.calls if process else None, {})
