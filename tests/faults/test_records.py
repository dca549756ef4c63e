"""The records are torn, foreign, unwritable or in use: said in a sentence, corrected by hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path
from typing import Any

from director.records import json_lines
from tests.faults.cases import FaultCase, good
from tests.support.fake_opencode import mark, say, wait_for, write
from tests.support.jobs import Done, node

FEW_BYTES = 40_000
SOON_SECS = 60.0  # on a busy machine


class RecordCase(FaultCase):
    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"))

    def change(self, name: str, **values: Any) -> dict[str, Any]:
        """Put values into a JSON record, and return it as it was."""
        stored = self.stored(name)
        (self.home / name).write_text(json.dumps({**stored, **values}))
        return stored

    def refused(self, *words: str) -> Done:
        """Demand that `run` and `status` refuse, exit code 2, with ``words`` in one sentence."""
        for command in ("run", "status"):
            done = self.ends(2, command, "--json")
            for word in words:
                self.assertIn(word, done.json["error"])
            self.assertTrue(done.json["next"])
        self.assertEqual(self.executor_calls(), 0)
        return done

    def runs_to_its_end(self) -> None:
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()


class TestDamage(RecordCase):
    """Files are not as director left them."""

    def test_a_torn_last_line_is_skipped_and_said(self) -> None:
        names = ("costs.jsonl", "events.jsonl", "metrics.jsonl", "receipts.jsonl")
        known = len(self.lines("costs.jsonl"))
        for name in names:
            with (self.home / name).open("ab") as stream:
                stream.write(b'{"ts": "2026-01-01", "role": "exe\xc3')
        self.runs_to_its_end()
        said = self.ends(0, "status").out
        for name in names[:3]:
            self.assertIn(f"1 damaged line in {name}", said)
        status = self.ends(0, "status", "--json").json
        calls = sum(group["calls"] for group in status["by_role"].values())
        self.assertEqual(calls, known + 1)

    def test_lines_of_another_tool_are_no_calls_and_no_reason_to_fail(self) -> None:
        known = len(self.lines("costs.jsonl"))
        line = self.lines("costs.jsonl")[0]
        foreign = (
            {**line, "cost": "much"}, {**line, "input": None}, {**line, "role": ["x"]},
            {**line, "cost": True, "model": 3}, {"cost": 5}, [1], 7,
        )  # fmt: skip
        with (self.home / "costs.jsonl").open("a") as stream:
            stream.writelines(json.dumps(one) + "\n" for one in foreign)
            stream.write("[" * 5000 + "\n")
            stream.write(json.dumps({**line, "new_field": 1}) + "\n")
        status = self.ends(0, "status", "--json").json
        calls = sum(group["calls"] for group in status["by_role"].values())
        self.assertEqual(calls, known + 1)
        self.runs_to_its_end()

    def test_a_record_that_is_no_json_is_named(self) -> None:
        for name in ("plan.json", "plan_stage.json"):
            path = self.home / name
            kept = path.read_bytes()
            for content in (b"", b"\xff\xfe", b"[]", b"[" * 5000):
                path.write_bytes(content)
                self.refused(name)
            path.write_bytes(kept)
        self.runs_to_its_end()

    def test_a_damaged_state_is_put_aside_and_rebuilt_from_the_branch(self) -> None:
        self.runs_to_its_end()
        calls = self.executor_calls()
        path = self.home / "state.json"
        for content in (b"", b"[]", b"[" * 5000):
            path.write_bytes(content)
            self.assertIn("state.json", self.ends(2, "status", "--json").json["error"])
            self.assertIn("rebuilt", self.ends(0, "run").err)
            self.assertEqual(self.node_state("a")["status"], "done")
        self.assertEqual(self.executor_calls(), calls)

    def test_a_damaged_note_of_the_worktrees_is_no_bug_and_removes_nothing(self) -> None:
        mine = self.tmp / "mine"
        mine.mkdir()
        for content in ("{", "{}", json.dumps({"folder": str(mine)}), json.dumps({"folder": 1})):
            (self.home / "worktrees.json").write_text(content)
            self.assertIn(self.director("run", "--node", "none").code, (2, 3))
        self.assertTrue(mine.exists())
        (self.home / "worktrees.json").unlink(missing_ok=True)
        self.runs_to_its_end()

    def test_a_state_of_another_job_is_refused(self) -> None:
        (self.home / "state.json").write_text('{"job_id": "20200101-000000-aaaa", "nodes": {}}')
        self.refused("state.json", "20200101-000000-aaaa")
        (self.home / "state.json").unlink()
        self.runs_to_its_end()


class TestVersions(RecordCase):
    """Records of another version."""

    def test_unknown_fields_are_no_reason_to_stop(self) -> None:
        job = self.stored("plan.json")["job_id"]
        state = {"job_id": job, "new": 1, "nodes": {"a": {"status": "pending", "new": 1}}}
        (self.home / "state.json").write_text(json.dumps(state))
        self.change("plan_stage.json", new=1)
        self.change("plan.json", new=1)
        self.runs_to_its_end()

    def test_missing_fields_get_their_defaults_or_are_named(self) -> None:
        job = self.stored("plan.json")["job_id"]
        (self.home / "state.json").write_text(json.dumps({"job_id": job, "nodes": {"a": {}}}))
        self.ends(0, "status")
        stored = self.stored("plan.json")
        for name in ("job_branch", "base_commit", "nodes"):
            rest = {key: value for key, value in stored.items() if key != name}
            (self.home / "plan.json").write_text(json.dumps(rest))
            self.refused("plan.json", name)
        (self.home / "plan.json").write_text(json.dumps(stored))
        stage = self.stored("plan_stage.json")
        (self.home / "plan_stage.json").write_text(json.dumps({"stage": "ready"}))
        self.refused("plan_stage.json")
        (self.home / "plan_stage.json").write_text(json.dumps(stage))
        self.runs_to_its_end()

    def test_values_that_this_version_does_not_know_are_refused(self) -> None:
        job = self.stored("plan.json")["job_id"]
        for values in (
            {"status": "paused"},
            {"tier_used": "middle"},
            {"attempts": "two"},
            {"attempts": None},
            {"wall_secs": "long"},
            {"cost_usd": "much"},
            {"tries": [{"role": "executor", "outcome": "purple"}]},
            {"tries": 3},
            {"commit": 3},
        ):
            state = {"job_id": job, "nodes": {"a": values}}
            (self.home / "state.json").write_text(json.dumps(state))
            self.refused("state.json")
        for nodes in ("[]", '{"a": 3}', '"x"'):
            (self.home / "state.json").write_text(f'{{"job_id": "{job}", "nodes": {nodes}}}')
            self.refused("state.json")
        (self.home / "state.json").unlink()
        stage = self.change("plan_stage.json", stage="thinking")
        self.refused("plan_stage.json")
        self.change("plan_stage.json", stage=stage["stage"])
        self.runs_to_its_end()


class TestShortWrite(RecordCase):
    """The system takes a part of a line only."""

    def test_a_cost_is_on_record_whole_or_the_run_stops(self) -> None:
        costs = self.home / "costs.jsonl"
        before = len(self.lines("costs.jsonl"))
        room = 256 * 1024 - costs.stat().st_size - 100
        with costs.open("a") as stream:
            stream.write("{}" + " " * (room - 3) + "\n")
        self.implement("a")
        limited = self.shell("ulimit -f 256; director run --json")
        self.assertEqual(limited.code, 3, limited)
        said = json.loads(limited.out)
        self.assertIn("costs.jsonl: File too large", said.get("error") or said["what"])
        self.assertEqual(costs.stat().st_size, 256 * 1024)
        costs.write_text(costs.read_text().replace("{}" + " " * (room - 3) + "\n", ""))
        self.runs_to_its_end()
        self.assertEqual(self.executor_calls(), 1)  # its answer counts, and its cost
        self.assertEqual(len(json_lines.read_lines(costs)), before + 1)


class TestSettling(FaultCase):
    """A result cannot be put on record when a lane ends."""

    def test_the_results_of_other_lanes_are_not_lost(self) -> None:
        self.plan(node("a"), node("b"))
        for name in "ab":
            held_up = (mark(self.tmp / f"{name}-on"), wait_for(self.tmp / f"{name}-go"))
            self.implement(name, *held_up, write(f"{name}.txt", "good\n"))
        running = self.start("run", "--parallel", "2", "--json")
        self.until(self.tmp / "a-on")
        self.until(self.tmp / "b-on")
        metrics = self.home / "metrics.jsonl"
        metrics.mkdir()
        (self.tmp / "a-go").touch()
        self.until(lambda: "merged" in [line["kind"] for line in self.lines("events.jsonl")])
        (self.tmp / "b-go").touch()
        done = running.ended()
        self.assertEqual(done.code, 3, done)
        self.assertIn(f"cannot write {metrics}", done.json["error"])
        for name in "ab":
            self.assertEqual(self.node_state(name)["status"], "done", name)
            self.assertGreater(self.node_state(name)["tokens"], 0, name)
        metrics.rmdir()
        self.ends(0, "run")
        self.assertEqual(self.executor_calls(), 2)
        told = [line["node"] for line in self.lines("metrics.jsonl") if line["kind"] == "node"]
        self.assertEqual(told, ["a", "b"])


class TestByteOrderMark(FaultCase):
    """Some editors on Windows put a mark before the text of every file."""

    def mark(self, path: Path, text: str | None = None) -> None:
        """Save a file as such an editor does."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() if text is None else text, encoding="utf-8-sig")

    def test_what_a_user_edits_is_read(self) -> None:
        self.commit_files(
            {
                "opencode.json": "\ufeff{}",
                ".opencode/agents/executor.md": "\ufeff---\nsteps: 9\n---\nDo it.\n",
            }
        )
        self.mark(self.home / "config.toml")
        self.script_planning(node("a"))
        self.mark(self.tmp / "task", "make a")
        self.ends(0, "plan", "--file", str(self.tmp / "task"))
        self.assertEqual(self.stored("plan_stage.json")["task"], "make a")
        self.mark(self.home / "spec.md")
        self.ends(0, "plan", "--continue")
        self.assertNotIn("\ufeff", "".join(call.prompt for call in self.fake.calls()))
        self.mark(self.home / "plan.json")
        self.ends(0, "plan", "--continue")
        self.implement("a")
        self.ends(0, "run")
        call = self.fake.calls()[-1].agents["executor"]
        self.assertEqual((call["prompt"], call["steps"]), ("Do it.", 9))

    def test_a_task_on_standard_input(self) -> None:
        self.script_planning(node("a"))
        self.ends(0, "plan", "-", stdin="\ufeffmake a")
        self.assertEqual(self.stored("plan_stage.json")["task"], "make a")

    def test_a_mark_and_nothing_else_is_no_task(self) -> None:
        self.ends(2, "plan", "-", stdin="\ufeff\n")

    def test_a_profile(self) -> None:
        self.mark(self.home / "profiles" / "cheap.toml", "[tiers]\nplanner = 5\n")
        said = self.ends(2, "bench", "x", "--profiles", "cheap").err
        self.assertIn("tiers.planner (line 2) must be a string", said)


class TestTwoAtOnce(RecordCase):
    """Two directors on one job."""

    def test_a_second_run_says_who_is_at_work_and_touches_nothing(self) -> None:
        self.implement("a", mark(self.tmp / "on"), wait_for(self.tmp / "go"), *good())
        running = self.start("run")
        self.until(self.tmp / "on")
        for argv in (("run",), ("plan", "something else", "--no-critique")):
            done = self.ends(3, *argv, "--json")
            self.assertIn(f"process {running.process.pid}", done.json["error"])
            self.assertIn("director run", done.json["error"])
        self.ends(0, "status", "--json")
        (self.tmp / "go").touch()
        self.assertEqual(running.ended().code, 0)
        self.only_the_work_is_merged()


@unittest.skipUnless(hasattr(os, "geteuid") and os.geteuid() == 0, "mounting needs root")
class TestDisk(FaultCase):
    """The disk under `.director` is full, or cannot be written."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"))
        aside = self.tmp / "aside"
        self.home.rename(aside)
        self.home.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "director-test", str(self.home)],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            self.skipTest(f"cannot mount a small disk here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(self.home)], check=True)
        shutil.copytree(aside, self.home, symlinks=True, dirs_exist_ok=True)

    def fill(self, left: int) -> Path:
        """Fill the disk but for ``left`` bytes."""
        filler = self.home / "filler"
        room = os.statvfs(self.home)
        free = room.f_bavail * room.f_bsize
        filler.write_bytes(b"x" * max(0, free - left))
        return filler

    def test_a_full_disk_stops_the_run_in_one_sentence_and_it_goes_on_when_there_is_room(
        self,
    ) -> None:
        for left in (0, 8_192, FEW_BYTES):
            filler = self.fill(left)
            self.implement("a", say("x" * 2 * FEW_BYTES), *good())
            done = self.director("run", "--json")
            self.assertEqual(done.code, 3, f"{left}: {done.out}{done.err}")
            self.assertEqual(len(done.out.splitlines()), 1)
            said = done.json.get("error") or done.json["what"]
            self.assertIn("free disk space", f"{said} {done.json['next']}")
            filler.unlink()
            self.nothing_is_merged()
        self.fake.always("executor", *good())
        self.ends(0, "run")
        self.only_the_work_is_merged()
        self.assertEqual(self.ends(0, "status", "--json").json["done"], 1)

    def test_records_that_cannot_be_written_stop_the_run_before_anything_is_paid(self) -> None:
        remount = ["mount", "-o", "remount,ro", str(self.home)]
        subprocess.run(remount, check=True, capture_output=True)
        for argv in (("run",), ("plan", "another")):
            done = self.ends(3, *argv, "--json")
            self.assertIn("cannot write", done.json["error"])
        self.assertEqual(self.executor_calls(), 0)
        self.ends(0, "status", "--json")
        subprocess.run([*remount[:2], "remount,rw", str(self.home)], check=True)
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()


class TestPipes(FaultCase):
    """A pipe in place of what is read or removed would keep its reader waiting forever."""

    def ends_soon(self, code: int, *argv: str) -> None:
        running = self.start(*argv)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, code, done.err)

    def test_no_command_waits_for_one(self) -> None:
        self.plan(node("a"), node("b"))
        for name in ("a", "b"):
            self.implement(name)
        self.ends(0, "run", "--node", "a")
        for log in (self.home / "logs").glob("a.*"):
            log.unlink()
            os.mkfifo(log)
        for name in ("tests", "rebasing"):
            os.mkfifo(self.home / name)
        self.ends_soon(0, "status", "--node", "a")
        self.ends_soon(0, "logs", "a")
        self.ends_soon(0, "amend", "b")
        self.ends_soon(0, "amend", "b", "--cancel")
        os.mkfifo(self.home / "tests")
        self.ends_soon(0, "run")
