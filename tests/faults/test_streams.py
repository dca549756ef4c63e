"""The output is not read, the disk is full, a stream is closed: the exit code is still true."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import mark, wait_for
from tests.support.jobs import Done, node

FULL_DISK = "/dev/full"
NOISE = ("Exception ignored", "BrokenPipe", "lost sys.std")


class StreamCase(FaultCase):
    def shell(self, script: str) -> Done:
        """Run a script of a shell; nothing that it prints may be noise."""
        done = super().shell(script)
        for word in NOISE:
            self.assertNotIn(word, done.out + done.err)
        return done

    def a_job_that_fails(self) -> None:
        self.plan(node("a"))
        self.fake.always("executor", *bad())

    def a_job_that_succeeds(self) -> None:
        self.plan(node("a"))
        self.implement("a")


class TestClosedPipe(StreamCase):
    """The reader of a pipe has gone."""

    def test_the_exit_code_of_a_failed_job_is_not_lost(self) -> None:
        self.a_job_that_fails()
        for streams in ("2>&1", "2>/dev/null", "--json 2>&1", "--json 2>/dev/null"):
            done = self.shell(
                f"director run {streams} | head -1 >/dev/null; exit ${{PIPESTATUS[0]}}"
            )
            self.assertEqual(done.code, 1, streams)
        self.assertEqual(self.node_state("a")["status"], "failed")

    def test_a_result_that_is_not_read_is_no_failure(self) -> None:
        self.a_job_that_succeeds()
        for command in ("run", "status", "verify", "--help", "--version"):
            for closed in ("> >(exec true)", "2> >(exec true)", "> >(exec true) 2>&1"):
                done = self.shell(f"director {command} {closed}")
                self.assertEqual(done.code, 0, f"{command} {closed}: {done}")
        self.only_the_work_is_merged()

    def test_an_error_that_is_not_read_keeps_its_code(self) -> None:
        for command in ("run", "fly", "plan --continue --json"):
            done = self.shell(f"director {command} > >(exec true) 2>&1")
            self.assertEqual(done.code, 2, command)

    def test_the_run_goes_on_when_its_progress_is_not_read_any_more(self) -> None:
        self.plan(node("a"))
        gone, go = self.tmp / "gone", self.tmp / "go"
        self.implement("a", mark(gone), wait_for(go), *good())
        script = f"""
            director run 2>&1 | {{ head -1 >/dev/null; exec 0<&-
              until [ -e {gone} ]; do sleep 0.01; done; touch {go}; }}
            exit ${{PIPESTATUS[0]}}"""
        self.assertEqual(self.shell(script).code, 0)
        self.only_the_work_is_merged()
        kinds = [line["kind"] for line in self.lines("events.jsonl")]
        self.assertIn("run_ended", kinds)
        self.assertEqual(self.lines("metrics.jsonl")[-1]["done"], 1)


@unittest.skipUnless(Path(FULL_DISK).exists(), f"there is no {FULL_DISK} here")
class TestFullDisk(StreamCase):
    """What is printed cannot be written."""

    def test_the_exit_code_is_true_and_the_loss_is_said(self) -> None:
        self.a_job_that_fails()
        for flag in ("", "--json"):
            done = self.shell(f"director run {flag} >{FULL_DISK}")
            self.assertEqual(done.code, 1, flag)
            self.assertIn("director: the result could not be printed: No space left", done.err)
            self.assertIn("next: ", done.err.splitlines()[-1])

    def test_progress_that_cannot_be_printed_costs_nothing(self) -> None:
        self.a_job_that_succeeds()
        done = self.shell(f"director run --json 2>{FULL_DISK}")
        self.assertEqual((done.code, done.json["done"]), (0, 1))

    def test_neither_stream(self) -> None:
        self.a_job_that_succeeds()
        for command, code in (("run", 0), ("status", 0), ("--help", 0), ("fly", 2)):
            done = self.shell(f"director {command} >{FULL_DISK} 2>&1")
            self.assertEqual(done.code, code, command)


class TestClosedStreams(StreamCase):
    """Standard streams are closed before director starts."""

    def test_json_stands_alone_when_there_is_no_standard_error(self) -> None:
        self.a_job_that_fails()
        done = self.shell("director run --json 2>&-")
        self.assertEqual(done.code, 1)
        self.assertEqual(json.loads(done.out)["exit_code"], 1)
        self.assertEqual(done.out.count("\n"), 1)

    def test_no_record_gets_what_was_meant_for_a_closed_stream(self) -> None:
        self.a_job_that_succeeds()
        done = self.shell("director run <&- >&- 2>&-")
        self.assertEqual(done.code, 0)
        self.only_the_work_is_merged()
        for name in ("events.jsonl", "metrics.jsonl", "costs.jsonl", "receipts.jsonl"):
            self.lines(name)
        self.assertEqual(self.ends(0, "status", "--json").json["damaged_lines"], {})

    def test_every_command_ends_as_it_would_with_any_stream_closed(self) -> None:
        self.a_job_that_succeeds()
        for command, code in (("run", 0), ("status --json", 0), ("fly", 2), ("plan -", 2)):
            for closed in ("<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-"):
                done = self.shell(f"director {command} {closed}")
                self.assertEqual(done.code, code, f"{command} {closed}: {done}")
