"""The names of logs: predictable, in order, and none is ever written to twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from director.model.errors import StoppedError
from director.records.logs import (
    errors_of,
    log_called,
    new_call_log,
    new_log,
    prompt_of,
    recorded,
)
from tests.support.hermetic import TemporaryCase


class TestNewLog(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.tmp / "new" / "logs"

    def test_names_say_what_they_are_of_and_count_where_there_is_one(self) -> None:
        made = [new_log(self.folder, name).name for name in ("a.1.gate", "a.1.gate", "a.2.gate")]
        self.assertEqual(made, ["a.1.gate.log", "a.1.gate-2.log", "a.2.gate.log"])

    def test_they_are_for_the_owner_only(self) -> None:
        log = new_log(self.folder, "a")
        modes = [path.stat().st_mode & 0o777 for path in (log, self.folder)]
        self.assertEqual(modes, [0o600, 0o700])

    def test_what_was_there_before_is_left_alone(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "a.log").symlink_to(self.tmp / "elsewhere")
        (self.folder / "a-2.log").mkdir()
        (self.folder / "a-3.log").write_text("forged")
        self.assertEqual(new_log(self.folder, "a").name, "a-4.log")
        self.assertFalse((self.tmp / "elsewhere").exists())

    def test_side_by_side_everybody_gets_one_of_their_own(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: new_log(self.folder, "a"), range(64)))
        self.assertEqual(len(set(made)), 64)

    def test_any_name_becomes_one_that_a_file_can_have(self) -> None:
        for name in ("../../x", "tests of a, b", "é" * 300, "a\0b\n", "x" * 5000):
            with self.subTest(name[:9]):
                log = new_log(self.folder, name)
                self.assertEqual(log.parent, self.folder)
                self.assertTrue(log.is_file())

    def test_where_none_can_be_made_the_run_stops(self) -> None:
        (self.tmp / "new").mkdir()
        self.folder.touch()
        with self.assertRaises(StoppedError):
            new_log(self.folder, "a")


class TestCalls(TemporaryCase):
    def test_what_belongs_to_a_call_has_one_name(self) -> None:
        events = new_call_log(self.tmp, "a.3")
        names = [path.name for path in (events, prompt_of(events), errors_of(events))]
        self.assertEqual(names, ["a.3.agent.jsonl", "a.3.prompt.md", "a.3.agent.err"])

    def test_so_has_what_belongs_to_its_repetition(self) -> None:
        new_call_log(self.tmp, "a.3")
        events = new_call_log(self.tmp, "a.3")
        names = [path.name for path in (events, prompt_of(events), errors_of(events))]
        self.assertEqual(names, ["a.3.agent-2.jsonl", "a.3.prompt-2.md", "a.3.agent-2.err"])

    def test_a_prompt_is_never_written_through_what_is_there(self) -> None:
        (self.tmp / "a.3.prompt.md").symlink_to(self.tmp / "mine")
        self.assertEqual(new_call_log(self.tmp, "a.3").name, "a.3.agent-2.jsonl")

    def test_logs_of_earlier_versions_keep_their_names(self) -> None:
        events = Path("20250101T000000-a-executor-1-abcdef.jsonl")
        self.assertEqual(prompt_of(events).name, f"{events.stem}.prompt.md")


class TestRecorded(TemporaryCase):
    def test_records_name_them_relative_to_the_job(self) -> None:
        log = new_log(self.tmp / "logs", "a")
        self.assertEqual(recorded(log), "logs/a.log")
        self.assertEqual(log_called(self.tmp, recorded(log)), log)

    def test_what_earlier_versions_noted_is_found_too(self) -> None:
        for said in ("x.log", "/where/it/was/.director/logs/x.log"):
            self.assertEqual(log_called(self.tmp, said), self.tmp / "logs" / "x.log")
