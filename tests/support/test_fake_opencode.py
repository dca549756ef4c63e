"""The fake OpenCode does, prints and records what a test told it to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from director.agents.opencode.events import OpenCodeReader
from director.agents.transcript import Transcript
from tests.support.fake_opencode import (
    FakeOpenCode,
    answer,
    exit_with,
    fail,
    finish,
    hang,
    mark,
    orphan,
    raw,
    say,
    shell,
    silent_shell,
    stderr,
    wait_for,
    write,
)
from tests.support.hermetic import HermeticCase


class FakeCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.fake = FakeOpenCode(self.tmp / "opencode")
        self.path = self.fake.install(self.env)
        self.work = self.tmp / "work"
        self.work.mkdir()

    def start(self, agent: str, **env: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            ["opencode", "run", "--dir", str(self.work), "--agent", f"director-{agent}"],
            cwd=self.tmp,
            env={**self.path, **env},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )

    def close(self, process: subprocess.Popen[str]) -> None:
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()

    def call(
        self, agent: str, prompt: str = "", **env: str
    ) -> tuple[int, list[dict[str, Any]], str]:
        process = self.start(agent, **env)
        out, err = process.communicate(prompt)
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return process.returncode, events, err


class TestPlayback(FakeCase):
    def test_steps_are_played_in_order_in_the_folder_of_the_call(self) -> None:
        self.fake.queue(
            "executor",
            shell("pwd; exit 3"),
            finish("tool-calls", input=5),
            write("sub/a.py", "A = 2\n"),
            say("done"),
            finish(input=7, output=2, cache_read=3, cache_write=4, reasoning=1, cost=0.5),
        )
        code, events, _ = self.call("executor")
        self.assertEqual(code, 0)
        self.assertEqual((self.work / "sub/a.py").read_text(), "A = 2\n")
        reader, transcript = OpenCodeReader(), Transcript()
        for event in events:
            reader.take(event, transcript)
        self.assertEqual([use.name for use in transcript.tools], ["bash", "write"])
        self.assertEqual([use.exit_code for use in transcript.tools], [3, None])
        self.assertEqual(transcript.tools[1].paths, (str(self.work / "sub/a.py"),))
        self.assertEqual(events[1]["part"]["state"]["output"].strip(), str(self.work))
        self.assertEqual((transcript.text, transcript.last_finish), ("done", "stop"))
        self.assertEqual((transcript.tokens.input, transcript.tokens.total), (12, 122))
        self.assertEqual(transcript.reported_usd, 0.5)

    def test_a_finish_is_added_where_none_ends_the_behaviour(self) -> None:
        for steps in ([answer({"a": 1})], []):
            self.fake.queue("planner", *steps)
            _, events, _ = self.call("planner")
            self.assertEqual(events[-1]["part"]["reason"], "stop")
        for last in (exit_with(0), fail("APIError", "down")):
            self.fake.queue("planner", last)
            _, events, _ = self.call("planner")
            self.assertNotIn("step_finish", [event["type"] for event in events])

    def test_faults_exit_codes_and_raw_output(self) -> None:
        self.fake.queue("planner", fail("APIError", "too many", 429))
        code, events, _ = self.call("planner")
        self.assertEqual(code, 1)
        self.assertEqual(events[-1]["error"]["data"]["statusCode"], 429)
        self.fake.queue("planner", stderr("oh"), raw("{not json"), exit_with(7))
        process = self.start("planner")
        out, err = process.communicate("")
        self.assertEqual((process.returncode, err), (7, "oh\n"))
        self.assertEqual(out.splitlines()[-1], "{not json")

    def test_a_silent_command_leaves_no_event(self) -> None:
        self.fake.queue("executor", silent_shell("touch here"))
        _, events, _ = self.call("executor")
        self.assertTrue((self.work / "here").exists())
        self.assertEqual([event["type"] for event in events], ["step_start", "step_finish"])

    def test_an_orphan_outlives_the_call_in_another_session(self) -> None:
        self.fake.queue("executor", orphan("echo $$ > pid; mv pid told; exec sleep 60"))
        self.assertEqual(self.call("executor")[0], 0)
        wait_until(self.work / "told")
        pid = int((self.work / "told").read_text())
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.assertEqual(os.getsid(pid), pid)

    def test_hang_ends_with_a_signal_and_marks_synchronise(self) -> None:
        self.fake.queue("executor", wait_for("go"), mark("gone"), hang())
        process = self.start("executor")
        assert process.stdin is not None
        process.stdin.close()
        self.assertFalse((self.work / "gone").exists())
        (self.work / "go").touch()
        wait_until(self.work / "gone")
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.close(process)

    def test_a_stubborn_hang_survives_sigterm(self) -> None:
        self.fake.queue("executor", hang(stubborn=True))
        process = self.start("executor")
        ignored = 1 << (signal.SIGTERM - 1)
        status = Path(f"/proc/{process.pid}/status")
        assert process.stdin is not None
        process.stdin.close()
        while not int(status.read_text().split("SigIgn:")[1].split()[0], 16) & ignored:
            time.sleep(0.01)
        process.terminate()
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.close(process)

    def test_version(self) -> None:
        said = subprocess.check_output(["opencode", "--version"], env=self.path, text=True)
        self.assertEqual(said, "1.18.33\n")


class TestMatching(FakeCase):
    def played(self, agent: str, prompt: str) -> int | None:
        self.call(agent, prompt)
        return self.fake.calls()[-1].behaviour

    def test_first_in_first_out_among_what_matches(self) -> None:
        other = self.fake.queue("planner")
        for_b = self.fake.queue("executor", node="b")
        plain = self.fake.queue("executor")
        default = self.fake.always("executor")
        self.assertEqual(self.played("executor", "# Implement\n\nNode: a\n"), plain)
        self.assertEqual(self.played("executor", "# Implement\n\nNode: a\n"), default)
        self.assertEqual(self.played("executor", "# Implement\n\nNode: b\n"), for_b)
        self.assertEqual(self.played("executor", "# Implement\n\nNode: b\n"), default)
        self.assertEqual(self.fake.unplayed(), [other])

    def test_the_heading_is_the_first_line(self) -> None:
        plan = self.fake.queue("planner", heading="Plan")
        critique = self.fake.queue("planner", heading="Critique")
        self.assertEqual(self.played("planner", "# Critique\n\n# Plan\n"), critique)
        self.assertEqual(self.played("planner", "# Plan\n"), plan)

    def test_the_last_default_wins(self) -> None:
        self.fake.always("reviewer")
        second = self.fake.always("reviewer")
        self.assertEqual(self.played("reviewer", ""), second)

    def test_no_behaviour_is_an_error_that_says_so(self) -> None:
        self.fake.queue("executor", node="a")
        code, events, err = self.call("executor", "Node: b\n")
        self.assertEqual(code, 1)
        self.assertEqual(events[-1]["type"], "error")
        self.assertIn("no behaviour is queued", err)
        self.assertIn("'node': 'b'", err)
        self.assertIsNone(self.fake.calls()[-1].behaviour)

    def test_simultaneous_calls_share_nothing_and_lose_nothing(self) -> None:
        count = 6
        for number in range(count):
            self.fake.queue("executor", mark(f"there-{number}"), wait_for("all"))
        running = [self.start("executor") for _ in range(count)]
        for process in running:
            assert process.stdin is not None
            process.stdin.close()
        for number in range(count):
            wait_until(self.work / f"there-{number}")
        (self.work / "all").touch()
        for process in running:
            self.assertEqual(process.wait(), 0)
            self.close(process)
        self.assertEqual(sorted(c.behaviour or 0 for c in self.fake.calls()), list(range(count)))


class TestRecord(FakeCase):
    def test_a_call_is_recorded_as_it_came(self) -> None:
        self.fake.always("executor")
        config = {"agent": {"director-executor": {"mode": "primary"}}}
        prompt = "# Implement\n\nNode: a\n\nNode: b\nümlaut\n"
        self.call("executor", prompt, OPENCODE_CONFIG_CONTENT=json.dumps(config), SECRET="x")
        call = self.fake.calls()[0]
        self.assertEqual((call.agent, call.node, call.heading), ("executor", "a", "Implement"))
        self.assertEqual((call.prompt, call.cwd, call.config), (prompt, self.work, config))
        self.assertEqual(call.option("--agent"), "director-executor")
        self.assertEqual(call.env["HOME"], self.env["HOME"])
        self.assertNotIn("SECRET", call.env)
        self.assertNotIn("PYTHONPATH", call.env)

    def test_a_call_is_recorded_when_it_starts(self) -> None:
        self.fake.queue("executor", mark("started"), hang())
        process = self.start("executor")
        assert process.stdin is not None
        process.stdin.close()
        wait_until(self.work / "started")
        self.assertEqual([call.agent for call in self.fake.calls()], ["executor"])
        process.kill()
        process.wait()
        self.close(process)


def wait_until(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)
