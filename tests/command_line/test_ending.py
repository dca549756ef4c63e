"""Every end, through the real command line: one object, a reason, the next command, a trace.

With it: ``job.ending``, ``event_lines``, ``job.unpriced``.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from typing import Any

from tests.faults.cases import FaultCase, bad
from tests.support.fake_opencode import Step, answer, fail, finish, hang, mark, say
from tests.support.jobs import SOURCE, Done, JobCase, node

COMMON = (
    "schema", "command", "ok", "exit_code", "reason", "what", "next", "next_command", "job_id",
)  # fmt: skip
NO_RETRIES = "[limits]\nprovider_retries = 0\n"
SOON_SECS = 30.0


class EndCase(FaultCase):
    def said(self, done: Done, command: str, reason: str | None) -> dict[str, Any]:
        """Return the one object, after checking what all objects have in common."""
        self.assertEqual(done.out.count("\n"), 1, done.out)
        said = done.json
        self.assertEqual(tuple(said)[: len(COMMON)], COMMON)
        self.assertEqual(said["schema"], f"director.{command}/1")
        self.assertEqual((said["command"], said["reason"]), (command, reason), said)
        self.assertEqual((said["exit_code"], said["ok"]), (done.code, done.code == 0))
        if done.code:
            self.assertTrue(said["what"])
            self.assertTrue(said["next"])
        self.assertIsInstance(said["next_command"], list | None)
        return said

    def trace(self) -> dict[str, Any]:
        """Return the last line of the journal, which says how the last command ended."""
        last = self.lines("events.jsonl")[-1]
        self.assertEqual((last["kind"], last["node"]), ("stopped", None))
        return {key: last[key] for key in ("command", "reason", "what", "next", "exit_code")}

    def ends_on_record(self, done: Done, command: str, reason: str | None) -> dict[str, Any]:
        """Check that the journal says what the object says, and return the object."""
        said = self.said(done, command, reason)
        shared = ("command", "reason", "what", "next", "exit_code")
        self.assertEqual(self.trace(), {key: said[key] for key in shared})
        return said


class TestEveryCommand(EndCase):
    def test_a_success(self) -> None:
        self.script_planning(node("a"))
        said = self.ends_on_record(self.ends(0, "plan", "make a", "--json"), "plan", None)
        self.assertIn("approval", said["what"])
        self.assertEqual(said["next_command"], ["director", "plan", "--continue"])
        self.ends(0, "plan", "--continue")
        said = self.ends_on_record(self.ends(0, "plan", "--continue", "--json"), "plan", None)
        self.assertEqual(said["next_command"], ["director", "run"])
        self.assertEqual(said["job_id"], self.stored("plan.json")["job_id"])
        self.implement("a")
        said = self.ends_on_record(self.ends(0, "run", "--json"), "run", None)
        self.assertEqual(said["next_command"][:2], ["git", "diff"])
        self.assertEqual(said["done"], 1)
        for command in ("status", "verify"):
            found = self.said(self.ends(0, command, "--json"), command, None)
            self.assertEqual(found["job_id"], said["job_id"])
        self.ends_on_record(self.ends(0, "verify", "--rerun", "--json"), "verify", None)
        self.said(self.ends(0, "clean", "--json"), "clean", None)

    def test_a_request_that_is_refused(self) -> None:
        for command in ("run", "status", "verify"):
            said = self.said(self.ends(2, command, "--json"), command, "request")
            self.assertEqual(said["error"], said["what"])
            self.assertIsNone(said["next_command"])  # the task is a blank
        self.assertFalse((self.home / "events.jsonl").exists())

    def test_a_mistake_in_the_command_line(self) -> None:
        said = self.said(self.ends(2, "run", "--jsn", "--json"), "run", "usage")
        self.assertIn("--json", said["next"])
        said = self.said(self.ends(2, "rnu", "--json", "--parallel", "2"), "director", "usage")
        self.assertEqual(said["next_command"], ["director", "run", "--json", "--parallel", "2"])

    def test_a_bug(self) -> None:
        broken = self.tmp / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import tomllib\ntomllib.loads = lambda _: 1 / 0\n"
        )
        env = {**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"}
        done = self.command(sys.executable, "-m", "director", "plan", "x", "--json", env=env)
        self.assertEqual(done.code, 70)
        self.assertIn("bug-", self.said(done, "plan", "bug")["next"])

    def test_an_interrupt_before_anything_has_begun(self) -> None:
        broken = self.tmp / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import argparse\n"
            "def interrupted(*_): raise KeyboardInterrupt\n"
            "argparse.ArgumentParser.parse_known_args = interrupted\n"
        )
        env = {**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"}
        done = self.command(sys.executable, "-m", "director", "run", "--json", env=env)
        self.assertEqual(done.code, 130, done.err)
        self.said(done, "run", "interrupted")

    def test_a_pipe_that_breaks(self) -> None:
        """What is read of the object before the reader goes is its beginning."""
        done = self.shell("director status --json | head -c 9; exit ${PIPESTATUS[0]}")
        self.assertEqual((done.code, done.out), (2, '{"schema"'))


class TestWork(EndCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(NO_RETRIES)
        self.plan(node("a"))

    def test_a_failed_node(self) -> None:
        self.fake.always("executor", *bad())
        done = self.ends(1, "run", "--max-attempts", "1", "--json")
        said = self.ends_on_record(done, "run", "node_failed")
        self.assertEqual(said["next_command"], ["director", "run", "--retry-failed"])

    def test_a_red_integration_gate(self) -> None:
        self.configure(f'{NO_RETRIES}repair_attempts = 0\n[gates]\nall = "test ! -e a.txt"\n')
        self.implement("a")
        said = self.ends_on_record(self.ends(1, "run", "--json"), "run", "integration_red")
        self.assertEqual(said["next_command"][:2], ["git", "switch"])

    def test_a_gate_that_cannot_run(self) -> None:
        self.configure(f'{NO_RETRIES}repair_attempts = 0\n[gates]\nall = "no-such-program"\n')
        said = self.ends_on_record(self.ends(2, "run", "--json"), "run", "gate_broken")
        self.assertEqual(said["next_command"], ["director", "run", "--json"])

    def test_what_keeps_a_provider_from_answering(self) -> None:
        for steps, code, reason in (
            ((fail("APIError", "invalid key", 401),), 3, "auth"),
            ((fail("APIError", "slow down", 429),), 3, "rate_limit"),
            ((fail("APIError", "gone", 500),), 3, "provider"),
            ((fail("ProviderModelNotFoundError", "fake/cheap"),), 2, "model_unknown"),
        ):
            with self.subTest(reason):
                self.implement("a", *steps)
                said = self.ends_on_record(self.ends(code, "run", "--json"), "run", reason)
                self.assertEqual(said["job_id"], self.stored("plan.json")["job_id"])
                self.assertEqual(said["next_command"], ["director", "run", "--json"])

    def test_the_ceiling(self) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 0.0001\n")
        self.ends_on_record(self.ends(3, "run", "--json"), "run", "ceiling")

    def test_an_interrupt(self) -> None:
        on = self.tmp / "on"
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            self.implement("a", finish("tool-calls", input=8), mark(on), hang())
            running = self.start("run", "--json")
            self.until(on)
            running.send(number)
            done = running.ended(SOON_SECS)
            self.assertEqual(done.code, code)
            said = self.ends_on_record(Done(done.code, done.out, done.err), "run", "interrupted")
            self.assertEqual(said["next_command"], ["director", "run", "--json"])
            on.unlink()

    def test_a_run_that_another_holds_up_is_no_part_of_its_story(self) -> None:
        before = self.lines("events.jsonl")
        with (self.home / "lock").open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            self.said(self.ends(3, "run", "--json"), "run", "locked")
        self.assertEqual(self.lines("events.jsonl"), before)

    def test_a_bug_leaves_a_trace_too(self) -> None:
        broken = self.tmp / "broken"
        broken.mkdir()
        (broken / "sitecustomize.py").write_text(
            "import os\nurandom = os.urandom\n"
            "os.urandom = lambda n: urandom(n if n > 2 else 1 / 0)  # of the run's name\n"
        )
        env = {**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"}
        done = self.command(sys.executable, "-m", "director", "run", "--json", env=env)
        self.assertEqual(done.code, 70, done.err)
        self.ends_on_record(done, "run", "bug")

    def test_a_job_that_does_not_hold(self) -> None:
        self.implement("a")
        self.ends(0, "run")
        self.repo.git("update-ref", f"refs/heads/{self.branch}", "main")
        self.said(self.ends(1, "verify", "--json"), "verify", "not_verified")
        done = self.ends(1, "verify", "--rerun", "--json")
        self.ends_on_record(done, "verify", "not_verified")

    def test_commands_of_the_next_step_repeat_what_was_given(self) -> None:
        self.fake.always("executor", *bad())
        done = self.director(
            "run", "--max-attempts", "1", "--json", "--parallel", "2", "--repo", "repo",
            cwd=self.repo.root.parent,
        )  # fmt: skip
        said = self.ends_on_record(done, "run", "node_failed")
        again = "director run --repo repo --parallel 2 --retry-failed"
        self.assertIn(f"`{again}`", said["next"])
        self.assertEqual(said["next_command"], again.split())
        shown = self.director("run", "--repo", "repo", "--node", "a", cwd=self.repo.root.parent)
        self.assertEqual(shown.code, 2)
        self.assertIn("--retry-failed", shown.err)


class TestPlanning(EndCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(NO_RETRIES)

    def test_a_provider_that_is_down(self) -> None:
        self.fake.always("explorer", fail("APIError", "try later", 529))
        done = self.ends(3, "plan", "make a", "--json")
        said = self.ends_on_record(done, "plan", "rate_limit")
        self.assertEqual(said["next_command"], ["director", "plan", "make a", "--json"])

    def test_a_plan_that_is_invalid(self) -> None:
        self.script_planning(node("a"))
        self.fake.always("planner", answer({"nodes": []}), heading="Plan")
        done = self.ends(1, "plan", "make a", "--no-critique", "--json")
        said = self.ends_on_record(done, "plan", "plan_invalid")
        self.assertEqual(said["next_command"], ["director", "plan", "--continue"])

    def test_tests_that_are_refused(self) -> None:
        self.script_planning(node("a"))
        green: tuple[Step, ...] = (say("nothing written"),)
        self.fake.always("test-author", *green, node="a")
        done = self.ends(1, "plan", "make a", "--no-critique", "--json")
        self.ends_on_record(done, "plan", "tests_refused")

    def test_a_role_that_says_nothing(self) -> None:
        self.fake.always("explorer", say(" "))
        done = self.ends(1, "plan", "make a", "--json")
        self.ends_on_record(done, "plan", "no_answer")


class TestBench(EndCase):
    def test_each_profile_has_its_end_on_its_own_record(self) -> None:
        self.configure(NO_RETRIES)
        (self.home / "profiles").mkdir()
        for name in ("one", "two"):
            config = (self.home / "config.toml").read_text()
            (self.home / "profiles" / f"{name}.toml").write_text(config)
        self.script_planning(node("a"))
        for about in ("spec", "plan"):
            approved = answer({"verdict": "approve", "problems": []})
            self.fake.always("planner", approved, heading=f"Critique of the {about}")
        self.implement("a")
        self.implement("a", fail("APIError", "slow down", 429))
        done = self.ends(1, "bench", "make", "--profiles", "one,two", "--json")
        said = self.said(done, "bench", "rate_limit")
        self.assertIn("two", said["what"])
        self.assertEqual([row["reason"] for row in said["rows"]], [None, "rate_limit"])
        for name, reason in (
            ("runs/one", None),
            ("runs/two", "rate_limit"),
            ("plan", "rate_limit"),
        ):
            last = self.lines(f"bench/{name}/events.jsonl")[-1]
            self.assertEqual((last["kind"], last["reason"]), ("stopped", reason), name)


class TestEvents(EndCase):
    def test_events_come_as_they_happen_and_the_result_comes_last(self) -> None:
        self.plan(node("a"))
        go, on = self.tmp / "go", self.tmp / "on"
        self.implement("a", mark(on), {"do": "wait_for", "path": str(go)}, *self.good_work("a"))
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "run", "--events"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        with process, process.stdout as stream:
            seen = []
            while "call_started" not in seen:  # the agent is at work now, and waits
                seen.append(json.loads(stream.readline())["kind"])
            go.touch()
            lines = [json.loads(line) for line in stream]
        self.assertEqual(process.returncode, 0)
        self.assertNotIn("run_ended", seen)
        *events, result = lines
        kinds = [one["kind"] for one in events]
        self.assertIn("run_ended", kinds)
        self.assertEqual(kinds[-1], "stopped")
        self.assertEqual((result["schema"], result["done"]), ("director.run/1", 1))
        self.assertNotIn("schema", {key for one in events for key in one})

    def test_a_reader_that_goes_does_not_end_the_run(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        done = self.shell("director run --events | head -n 1; exit ${PIPESTATUS[0]}")
        self.assertEqual(done.code, 0)
        self.assertIn("kind", json.loads(done.out))
        self.assertEqual(self.node_state("a")["status"], "done")

    def test_the_last_line_is_the_object_at_other_ends_too(self) -> None:
        done = self.ends(2, "run", "--events")
        self.assertEqual(json.loads(done.out.splitlines()[-1])["reason"], "request")
        done = self.ends(2, "run", "--events", "--parallel", "no")
        self.said(done, "run", "usage")

    def test_what_a_provider_says_cannot_steer_the_terminal(self) -> None:
        self.configure(NO_RETRIES)
        self.plan(node("a"))
        self.implement("a", fail("APIError", "\x1b]0;mine\x07\x1b[2Jno\x07", 500))
        shown = self.ends(3, "run")
        self.assertNotRegex(shown.out, "[\x00-\x09\x0b-\x1f]")
        self.fake.always("explorer", fail("APIError", "\x1b[2Jno", 500))
        self.assertNotIn("\x1b[2J", self.ends(3, "plan", "x", "--new").err.splitlines()[-2])

    def test_no_secret_gets_out(self) -> None:
        self.configure(NO_RETRIES)
        self.plan(node("a"))
        self.implement("a", fail("APIError", "no such key: s3cr3t-value-1", 401))
        done = self.ends(3, "run", "--events", env={**self.env, "MY_API_KEY": "s3cr3t-value-1"})
        self.assertNotIn("s3cr3t", done.out + done.err)
        self.assertNotIn("s3cr3t", (self.home / "events.jsonl").read_text())


class TestMoney(EndCase):
    def test_what_is_known_is_told_beside_what_is_not(self) -> None:
        self.plan(node("a"), node("b"))
        planned = self.ends(0, "status", "--json").json["cost_total"]
        text = (self.home / "config.toml").read_text()
        unpriced = text.replace('[pricing."fake/cheap"]', '[pricing."fake/other"]')
        (self.home / "config.toml").write_text(unpriced)
        self.implement("a")
        self.implement("b")
        done = self.ends(0, "run")
        self.assertIn(f"${planned:.4f} + 2 unpriced · ", done.out)
        said = self.ends(0, "status", "--json").json
        wanted = (None, planned, 2)
        self.assertEqual((said["cost_total"], said["cost_known"], said["unpriced_calls"]), wanted)
        line = self.lines("metrics.jsonl")[-1]
        self.assertEqual((line["cost_total"], line["cost_known"], line["unpriced_calls"]), wanted)
        self.assertEqual((line["run_cost"], line["run_unpriced_calls"]), (None, 2))
        ended = [one for one in self.lines("events.jsonl") if one["kind"] == "node_ended"]
        self.assertEqual([(one["cost"], one["unpriced_calls"]) for one in ended], [(None, 1)] * 2)

    def test_whoever_sums_the_lines_counts_nothing_twice(self) -> None:
        self.plan(node("a"), node("b"))
        planned = self.ends(0, "status", "--json").json["cost_total"]
        self.implement("a", *bad())
        self.implement("a", *bad())
        self.fake.always("escalation", *bad())
        self.implement("b")
        self.ends(1, "run", "--max-attempts", "1")
        self.implement("a")
        self.ends(0, "run", "--retry-failed")
        lines = self.lines("metrics.jsonl")
        total = sum(one["cost"] for one in self.lines("costs.jsonl"))
        for kind in ("run", "node"):
            of_kind = [one for one in lines if one["kind"] == kind]
            spent = sum(one["run_cost"] for one in of_kind)
            self.assertAlmostEqual(spent + planned, total, msg=kind)
            self.assertEqual(len({one["run_id"] for one in of_kind}), 2, kind)
        self.assertAlmostEqual(lines[-1]["cost_total"], total)
        first, again = (one for one in lines if one.get("node") == "a")
        self.assertAlmostEqual(first["run_wall_secs"], first["wall_secs"])
        both = first["run_wall_secs"] + again["run_wall_secs"]
        self.assertAlmostEqual(both, again["wall_secs"], places=2)
        started = [one for one in self.lines("events.jsonl") if one["kind"] == "run_started"]
        runs = [one["run_id"] for one in lines if one["kind"] == "run"]
        self.assertEqual([one["run_id"] for one in started], runs)

    def test_amounts_have_six_digits(self) -> None:
        self.plan(node("a"))
        self.implement("a", finish("tool-calls", input=333), *self.good_work("a"))
        said = self.ends(0, "run", "--json").json
        for line in (*self.lines("costs.jsonl"), *self.lines("metrics.jsonl"), said):
            for key in ("cost", "cost_total", "cost_known", "cost_usd", "run_cost"):
                value = line.get(key)
                self.assertEqual(value, None if value is None else round(value, 6), key)

    def test_unpriced_models_are_told_once_per_job_in_one_line(self) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 5\n", pricing=False)
        self.script_planning(node("a"))
        done = self.ends(0, "plan", "make a")
        said = " ".join(done.err.split())
        self.assertEqual(said.count("no [pricing]"), 1)
        for model in ("fake/strong (planner)", "fake/cheap (executor)", "OpenCode"):
            self.assertIn(model, said.partition("no [pricing]")[2])
        for argv in (("plan", "--continue"), ("plan", "--continue"), ("run",)):
            self.implement("a")
            self.assertNotIn("no [pricing]", self.ends(0, *argv).err)
        changed = (self.home / "config.toml").read_text().replace("fake/cheap", "fake/new")
        (self.home / "config.toml").write_text(changed)
        self.assertIn("fake/new (executor)", self.ends(0, "run").err)


class TestFullDisk(EndCase):
    NO_ROOM = """\
import errno, os
whole = os.{function}
def full(path, *how, **more):
    if any(str(one).endswith({ending!r}) for one in (path, *how)):
        raise OSError(errno.ENOSPC, 'No space left on device', path)
    return whole(path, *how, **more)
os.{function} = full
"""

    def test_no_room_is_a_reason_of_its_own_wherever_something_is_written(self) -> None:
        self.plan(node("a"))
        broken = self.tmp / "broken"
        broken.mkdir()
        for function, ending in (
            ("fsync", ""), ("mkdir", "/agents"), ("mkdir", "/slot-1"), ("replace", "/owner.json"),
        ):  # fmt: skip
            with self.subTest(function=function, ending=ending):
                text = self.NO_ROOM.format(function=function, ending=ending)
                (broken / "sitecustomize.py").write_text(text)
                env = {**self.env, "PYTHONPATH": f"{broken}{os.pathsep}{SOURCE}"}
                done = self.command(sys.executable, "-m", "director", "run", "--json", env=env)
                self.assertEqual(done.code, 3, done.err)
                self.ends_on_record(done, "run", "disk_full")
                self.assertEqual(self.left_behind(), [])


class TestSyncAgents(JobCase):
    def test_it_says_to_programs_what_it_did_to_each_file(self) -> None:
        said = self.ends(0, "sync-agents", "--json").json
        self.assertEqual((said["schema"], said["ok"]), ("director.sync-agents/1", True))
        self.assertEqual(said["files"][".opencode/agents/planner.md"], "written")
        self.assertEqual(said["files"][".director/config.toml"], "kept (edited)")
