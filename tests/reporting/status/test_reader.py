"""What is read of a job's records, and what is not.

With it: ``status.last_end``, ``status.live_process``, ``status.times``.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from director.model.cost import Cost
from director.model.errors import RequestError
from director.model.state import NodeStatus
from director.records.job_directory import JobDirectory
from director.records.lock import job_lock, read_holder
from director.reporting.status.as_json import status_json
from director.reporting.status.last_end import TAIL_BYTES
from director.reporting.status.reader import COUNTED_BYTES, read_status
from director.reporting.status.screen import View, render
from director.reporting.status.status import End, Standing, Status
from director.reporting.status.times import local, since
from tests.support.hermetic import TemporaryCase

TS = "2027-01-15T08:00:00.000Z"
LATER = "2027-01-15T08:00:09.000Z"
PLAN = {
    "job_id": "20270115-080000-abcd",
    "task": "add it",
    "base_commit": "b" * 40,
    "job_branch": "director/job-20270115-080000-abcd",
}


def planned(name: str, *depends_on: str) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"Make {name}",
        "spec": "make it",
        "files": [f"{name}.txt"],
        "depends_on": list(depends_on),
        "test_cmd": f"sh tests/{name}.sh",
        "tests": [f"tests/{name}.sh"],
    }


def call(node: str | None, cost: float | None, role: str = "executor") -> dict[str, Any]:
    tokens = dict.fromkeys(("input", "output", "cache_read", "cache_write", "reasoning"), 1)
    about = {"ts": TS, "role": role, "model": "m", "node": node, "attempt": 1, "ok": True}
    return {**about, **tokens, "cost": cost, "cost_source": "priced"}


class RecordsCase(TemporaryCase):
    """A job's directory, written by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.job = JobDirectory(self.tmp / ".director")
        self.job.path.mkdir()
        known = {"repo": str(self.tmp), "created_at": TS}
        nodes = [planned("a"), planned("b", "a")]
        self.write("plan.json", {**PLAN, **known, "nodes": nodes})
        self.write("plan_stage.json", {**PLAN, "created_at": TS, "stage": "ready"})

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        path = self.job.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value))

    def lines(self, name: str, *values: Mapping[str, Any]) -> None:
        with (self.job.path / name).open("a") as stream:
            stream.writelines(json.dumps(value) + "\n" for value in values)

    def state(self, **nodes: Mapping[str, Any]) -> None:
        self.write("state.json", {"job_id": PLAN["job_id"], "nodes": nodes})

    def event(self, kind: str, ts: str = TS, node: str | None = None, **data: Any) -> None:
        self.lines("events.jsonl", {"ts": ts, "kind": kind, "node": node, **data})

    def read(self) -> Status:
        return read_status(self.job, now=0.0)


class TestReader(RecordsCase):
    def test_no_job(self) -> None:
        with self.assertRaises(RequestError) as caught:
            read_status(JobDirectory(self.tmp / "elsewhere"))
        self.assertIn("there is no job", caught.exception.what)

    def test_a_plan_that_is_none_is_refused_as_everywhere(self) -> None:
        self.write("plan.json", {**PLAN, "nodes": [{"id": "a"}]})
        with self.assertRaisesRegex(RequestError, "is not a valid plan"):
            self.read()

    def test_costs_are_those_of_the_job_and_of_each_node(self) -> None:
        self.lines("costs.jsonl", call(None, 0.5, "planner"), call("a", 0.25, "test_author"),
                   call("a", 0.125), call("a", None), call("b", None))  # fmt: skip
        status = self.read()
        self.assertEqual(status.cost, Cost(0.875, 2))
        self.assertEqual([node.cost for node in status.nodes], [Cost(0.125, 1), Cost(0.0, 1)])

    def test_the_time_is_that_of_all_runs(self) -> None:
        run = {"kind": "run", "wall_secs": 1.5, "parallel": 2, "integration_ok": True}
        self.lines("metrics.jsonl", run, {"kind": "node"}, {**run, "wall_secs": 2, "parallel": 3})
        status = self.read()
        self.assertEqual((status.runs, status.run_secs, status.lanes), (2, 3.5, 3))
        self.assertEqual(status.integration_words, "green")

    def test_questions_of_the_planner_wait_for_a_person(self) -> None:
        asked = {"question": "Which?", "options": ["a", "b"], "recommended": 1, "why": ""}
        stage = {**PLAN, "created_at": TS, "stage": "spec", "questions": [asked]}
        self.write("plan_stage.json", stage)
        status = self.read()
        self.assertIs(status.standing, Standing.DECIDING)
        self.assertEqual(status.questions[0].advice, "b")
        self.assertEqual(status_json(status)["questions"], [asked])

    def test_damaged_lines_are_counted(self) -> None:
        for name in ("costs.jsonl", "metrics.jsonl", "events.jsonl"):
            (self.job.path / name).write_text('{"kind": "ru')
        counts = dict.fromkeys(("costs.jsonl", "metrics.jsonl", "events.jsonl"), 1)
        self.assertEqual(self.read().damaged_lines, counts)

    def test_lines_are_counted_in_the_logs_of_what_failed(self) -> None:
        logs = self.job.path / "logs"
        logs.mkdir()
        for name, text in (("a", "1\n2\n3"), ("b", "1\n"), ("large", "x\n" * COUNTED_BYTES)):
            (logs / f"{name}.log").write_text(text)
        one = {"status": "failed", "failure": {"kind": "red", "log": "logs/a.log"}}
        done = {"status": "done", "failure": {"kind": "red", "log": "logs/b.log"}}
        self.state(a=one, b=done)
        self.assertEqual(self.read().log_lines, {"logs/a.log": 3})
        self.state(a={"status": "failed", "failure": {"kind": "red", "log": "logs/large.log"}})
        self.assertEqual(self.read().log_lines, {})
        self.state(a={"status": "failed", "failure": {"kind": "red", "log": "logs/none.log"}})
        self.assertEqual(self.read().log_lines, {})

    def test_only_json_is_told_of_attempts_at_nodes_that_are_done(self) -> None:
        red = {"role": "executor", "outcome": "red", "failure": {"kind": "red", "headline": "no"}}
        tries = {"attempts": 2, "tries": [red, red]}
        self.state(a={"status": "done", **tries}, b={"status": "failed", **tries})
        whole, less = self.read(), read_status(self.job, now=0.0, whole=False)
        self.assertEqual([len(node.state.past_attempts) for node in whole.nodes], [2, 2])
        self.assertEqual([len(node.state.past_attempts) for node in less.nodes], [0, 2])
        for everything in (False, True):
            view = View(everything=everything)
            self.assertEqual(render(less, view=view), render(whole, view=view))

    def test_the_command_that_ended_tells_what_stopped_it(self) -> None:
        self.event("run_ended", LATER)
        end = End("rate_limit", "no more", "wait", 3)
        status = read_status(self.job, end=end, unpublished="why", now=0.0)
        self.assertEqual(status.end, end._replace(at=LATER))
        self.assertEqual((status.standing, status.unpublished), (Standing.STOPPED, "why"))


class TestProcess(RecordsCase):
    def holder(self) -> dict[str, Any]:
        """Return what the live file says of the process that has the lock."""
        holder = read_holder(self.job.lock)
        assert holder is not None
        return {"pid": holder.pid, "started": holder.started, "command": holder.command}

    def test_no_command_works_on_it(self) -> None:
        self.write("lock", {"pid": 1, "command": "director run", "since": TS})  # left by a kill
        self.state(a={"status": "running"})
        status = self.read()
        self.assertIsNone(status.process)
        self.assertTrue(status.killed)

    def test_worktrees_that_were_not_put_in_order_were_left_by_a_kill(self) -> None:
        self.write("worktrees.json", {"folder": str(self.tmp)})
        self.assertIs(self.read().standing, Standing.KILLED)

    def test_who_works_on_it(self) -> None:
        self.state(a={"status": "running"})
        self.event("stopped", reason="rate_limit", exit_code=3)
        with job_lock(self.job.lock, "director run"):
            status = self.read()
            assert status.process is not None
            self.assertEqual(status.process[:2], (os.getpid(), "director run"))
            self.assertEqual((status.process.lanes, status.process.calls), (None, {}))
            self.assertEqual((status.end, status.killed), (None, False))

    def test_what_its_calls_are_at(self) -> None:
        calls = {"a": {"tool": "bash", "usd": 0.5, "model": None, "since": TS}, "b": 5}
        with job_lock(self.job.lock, "director run"):
            known = {**self.holder(), "lanes": 3}
            self.write("live.json", {**known, "nodes": calls})
            status = self.read()
            self.write("live.json", {**known, "pid": -1, "nodes": calls})
            self.assertIsNone(self.read().nodes[0].live)
        assert status.process is not None
        self.assertEqual(status.process.lanes, 3)
        first, second = status.nodes
        assert first.live is not None
        self.assertEqual((first.live.tool, first.cost), ("bash", Cost(0.5)))
        self.assertEqual(second.cost, Cost())
        self.assertEqual(status.cost, Cost(0.5))

    def test_a_call_that_is_on_record_is_not_counted_twice(self) -> None:
        self.lines("costs.jsonl", {**call("a", 0.5), "ts": LATER}, call(None, 0.25, "planner"))
        one = {"usd": 0.5, "since": TS, "tool": "edit"}
        with job_lock(self.job.lock, "director run"):
            known = self.holder()
            self.write("live.json", {**known, "nodes": {"a": one, "planning": one}})
            self.assertEqual(self.read().cost, Cost(0.75))
            later = {**one, "since": "2027-01-15T08:00:10.000Z"}
            self.write("live.json", {**known, "nodes": {"a": later}})
            self.assertEqual(self.read().cost, Cost(1.25))
            self.assertEqual(self.read().nodes[0].cost, Cost(1.0))
            self.state(a={"status": "done"})
            self.assertIsNone(self.read().nodes[0].live)


class TestEvents(RecordsCase):
    def test_how_the_last_command_ended(self) -> None:
        self.event("run_started")
        self.event("run_ended", LATER)
        self.event("stopped", TS, reason="ceiling", what="no money", next="more", exit_code=3)
        self.assertEqual(self.read().end, End("ceiling", "no money", "more", 3, LATER))

    def test_a_command_that_began_since_has_not_ended(self) -> None:
        self.event("stopped", reason="ceiling", exit_code=3)
        self.event("notice", message="hello")
        self.assertIsNotNone(self.read().end)
        self.event("run_started", LATER)
        status = self.read()
        self.assertEqual((status.end, status.last_event), (None, LATER))

    def test_who_was_refused_by_the_lock_has_not_ended_anything(self) -> None:
        self.event("stopped", reason="ceiling", exit_code=3)
        for reason in ("locked", "usage"):
            self.event("stopped", reason=reason, exit_code=3)
        end = self.read().end
        self.assertEqual(end and end.reason, "ceiling")

    def test_the_work_explains_itself(self) -> None:
        self.state(a={"status": "failed"})
        self.event("run_ended")
        self.event("stopped", reason="node_failed", exit_code=1)
        self.assertIs(self.read().standing, Standing.FAILED)

    def test_gates_are_those_of_the_last_run(self) -> None:
        log = str(self.job.logs / "integration.unit.log")
        gate = {"name": "unit", "command": "make", "verdict": "red", "reason": "r", "log": log}
        self.event("integration_gate", **{**gate, "name": "old"})
        self.event("run_started")
        self.event("integration_gate", **gate, failure={"kind": "red", "headline": "bad"})
        self.event("blame", node="a", name="unit", note="by a", red_before=False)
        self.event("integration_gate", **{**gate, "name": "odd"}, failure={"kind": 5}, nodes=["a"])
        unit, odd = self.read().gates
        self.assertEqual((unit.name, unit.culprit, unit.note), ("unit", "a", "by a"))
        self.assertEqual(unit.log, "logs/integration.unit.log")
        assert unit.failure is not None
        self.assertEqual(unit.failure.headline, "bad")
        self.assertEqual((odd.failure, odd.nodes), (None, ("a",)))

    def test_of_a_long_journal_only_the_end_is_read(self) -> None:
        self.event("gate", lesson="x" * TAIL_BYTES)
        self.event("stopped", reason="ceiling", exit_code=3)
        with (self.job.path / "events.jsonl").open("r+b") as stream:
            stream.write(b"damaged")  # would be counted
        status = self.read()
        self.assertEqual(status.damaged_lines, {})
        self.assertIs(status.standing, Standing.STOPPED)

    def test_nodes_without_a_record_are_pending(self) -> None:
        self.assertEqual(len(self.read().of(NodeStatus.PENDING)), 2)


class TestTimes(TemporaryCase):
    def test_a_moment_in_local_time(self) -> None:
        moment = datetime(2027, 1, 15, 8, tzinfo=UTC)
        expected = time.localtime(moment.timestamp())
        self.assertEqual(local(TS, moment.timestamp() + 1), time.strftime("%H:%M:%S", expected))
        days_later = moment.timestamp() + 3 * 86400
        self.assertEqual(local(TS, days_later), time.strftime("%Y-%m-%d %H:%M", expected))
        self.assertEqual(local("", 0.0), "")

    def test_how_long_ago(self) -> None:
        began = datetime(2027, 1, 15, 8, tzinfo=UTC).timestamp()
        known = {5: "0:05", 108: "1:48", 3731: "1:02:11", -5: "0:00"}
        for secs, words in known.items():
            self.assertEqual(since(TS, began + secs), words)
        self.assertEqual(since("yesterday", 0.0), "–")
