"""``director logs`` as people use it: what it prints of a job's records.

With it: ``log_parts``, ``job_logs``, ``logs.printer``, ``logs.as_json``, ``failed_view``,
``following``.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.support.fake_opencode import finish, mark, say, shell, wait_for, write
from tests.support.jobs import NO_REPAIR, SOURCE, JobCase, node

EVIL = "\x1b[2Jred\x07 \u202eoops"


class TestLogs(JobCase):
    def failed(self) -> None:
        """Make a job whose node ``a`` fails after two attempts."""
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a", shell("sh tests/a.sh"), write("a.txt", "bad\n"), say("All tests pass."))
        self.fake.queue("executor", write("a.txt", f"worse {EVIL}\n"), say(f"I {EVIL}"), node="a")
        self.ends(1, "run", "--max-attempts", "1")

    def test_all_attempts_in_order_step_by_step(self) -> None:
        self.failed()
        shown = self.ends(0, "logs", "a").out
        first, second = shown.split("── attempt 2 · escalation · fake/big · red")
        self.assertIn("gate before the work → red", first)
        self.assertIn("── attempt 1 · executor · fake/cheap · red ─", first)
        self.assertRegex(first, r"\d\d:\d\d:\d\d bash sh tests/a.sh → exit 1")
        self.assertIn("  │ no good a", first)
        self.assertRegex(first, r"write a.txt\n  --- a.txt\n  \+\+\+ a.txt\n  \+bad\n")
        self.assertRegex(first, r"says:\n  All tests pass.\nend: completed · [\d,]+ tokens · \$")
        self.assertRegex(first, r"gate on the candidate → red \(exit code 1\)\n  sh tests/a.sh")
        self.assertIn(
            "  │ no good a\n  output .director/logs/a.1.gate.log\nattempt 1: red\n", first
        )
        self.assertIn("worse", second)

    def test_one_attempt(self) -> None:
        self.failed()
        shown = self.ends(0, "logs", "a", "--attempt", "2").out
        self.assertIn("attempt 2", shown)
        self.assertNotIn("attempt 1", shown)
        said = self.ends(2, "logs", "a", "--attempt", "7")
        self.assertIn("a has no attempt 7", said.err)
        self.assertIn("there are: 1, 2", said.err)

    def test_what_agents_wrote_does_not_steer_the_terminal(self) -> None:
        self.failed()
        for argv in (["a"], ["a", "--gate"], ["a", "--prompt"], ["--failed"]):
            shown = self.ends(0, "logs", *argv).out
            self.assertNotRegex(shown, "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", argv)

    def test_raw_is_what_the_cli_wrote(self) -> None:
        self.failed()
        shown = self.ends(0, "logs", "a", "--raw", "--attempt", "1").out
        (log,) = (one["log"] for one in self.lines("costs.jsonl") if one["attempt"] == 1
                  and one["role"] == "executor")  # fmt: skip
        self.assertEqual(shown, (self.home / log).read_text())

    def test_the_gate_and_the_prompt_of_the_last_attempt_or_of_one(self) -> None:
        self.failed()
        self.assertEqual(self.ends(0, "logs", "a", "--gate").out, "no good a\n")
        prompt = self.ends(0, "logs", "a", "--prompt", "--attempt", "1").out
        self.assertTrue(prompt.startswith("# Implement"), prompt)
        self.assertNotEqual(self.ends(0, "logs", "a", "--prompt").out, prompt)
        self.assertIn("no gate is on record for b", self.ends(2, "logs", "b", "--gate").err)

    def test_failed_nodes_in_short(self) -> None:
        self.failed()
        shown = self.ends(0, "logs", "--failed").out
        self.assertRegex(shown, r"^1 node failed\n\n✗ a · attempt 2: red\n  no good a\n")
        self.assertIn("it says:", shown)
        self.assertNotIn("✗ b", shown)
        (said,) = self.ends(0, "logs", "--failed", "--json").json["failed"]
        self.assertEqual((said["node"], said["headline"]), ("a", "no good a"))
        self.assertTrue((self.home / said["log"]).exists())

    def test_planning(self) -> None:
        self.plan(node("a"))
        shown = self.ends(0, "logs", "plan").out
        heads = [line for line in shown.splitlines() if line.startswith("── ")]
        self.assertEqual([head.split(" · ")[0] for head in heads],
                         ["── explorer", "── planner", "── planner", "── test author"])  # fmt: skip
        self.assertIn("tests of a", heads[3])
        self.assertIn("the recon", shown)
        prompts = self.ends(0, "logs", "plan", "--prompt").out
        self.assertEqual(prompts.count("──── "), 4)

    def test_the_integration_gates(self) -> None:
        self.configure(
            NO_REPAIR + '[gates]\nall = "! test -e a.txt || { echo how bad; exit 3; }"\n'
        )
        self.plan(node("a"))
        self.assertIn("have not run", self.ends(0, "logs", "integration").out)
        self.implement("a")
        self.ends(1, "run")
        shown = self.ends(0, "logs", "integration").out
        self.assertIn("gate all → red (exit code 3)", shown)
        self.assertIn("  │ how bad", shown)

    def test_json_is_one_object(self) -> None:
        self.failed()
        said = self.ends(0, "logs", "a", "--json").json
        self.assertEqual(said["schema"], "director.logs/1")
        self.assertEqual([one["outcome"] for one in said["attempts"]], ["red", "red"])
        (call,) = said["attempts"][0]["calls"]
        kinds = [step["kind"] for step in call["steps"]]
        self.assertEqual(kinds, ["shell", "edit", "text"])
        self.assertTrue(
            (self.home / call["log"]).exists() and (self.home / call["prompt"]).exists()
        )
        self.assertEqual(said["attempts"][0]["gates"][0]["failure"]["headline"], "no good a")
        gate = self.ends(0, "logs", "a", "--gate", "--json").json["gate"]
        self.assertEqual(gate["text"], "no good a")

    def test_names(self) -> None:
        self.plan(node("alpha"), node("beta"), node("beton"))
        self.implement("alpha")
        self.ends(0, "run", "--node", "alpha")
        self.assertIn("attempt 1", self.ends(0, "logs", "al").out)
        self.assertIn("the beginning of 2 nodes", self.ends(2, "logs", "bet").err)
        said = self.ends(2, "logs", "alhpa").err
        self.assertIn("node not found: alhpa", said)
        self.assertIn("did you mean alpha?", said)
        self.assertIn("nothing on record yet", self.ends(0, "logs", "beta").out)

    def test_flags_that_do_not_go_together(self) -> None:
        self.plan(node("a"))
        for argv in (
            [], ["a", "--failed"], ["plan", "--attempt", "1"], ["a", "--json", "--follow"],
            ["plan", "--gate"], ["integration", "--raw"], ["a", "--raw", "--json"],
        ):  # fmt: skip
            self.assertEqual(self.director("logs", *argv).code, 2, argv)

    def test_without_a_job(self) -> None:
        self.assertIn("there is no job", self.ends(2, "logs", "a").err)
        self.assertIn("director plan", self.ends(2, "logs", "a").err)

    def test_an_archived_job(self) -> None:
        self.failed()
        job = self.stored("plan.json")["job_id"]
        self.script_planning(node("c"))
        self.ends(0, "plan", "another", "--new")
        shown = self.ends(0, "logs", "a", "--job", job).out
        self.assertIn("attempt 2", shown)
        self.assertIn(f"output .director/jobs/{job}/logs/", shown)

    def test_logs_as_an_earlier_version_named_them(self) -> None:
        self.failed()
        for name in ("events.jsonl", "costs.jsonl"):
            path = self.home / name
            path.write_text(path.read_text().replace('"logs/', '"').replace("agent.jsonl", "jsonl"))
        for log in (self.home / "logs").glob("a.*.agent.jsonl"):
            log.rename(log.with_name(log.name.replace("agent.jsonl", "jsonl")))
        self.assertIn("bash sh tests/a.sh → exit 1", self.ends(0, "logs", "a").out)

    def test_without_a_journal_the_ledger_tells_of_calls(self) -> None:
        self.failed()
        (self.home / "events.jsonl").unlink()
        shown = self.ends(0, "logs", "a").out
        self.assertIn("attempt 1 · executor · fake/cheap", shown)
        self.assertIn("bash sh tests/a.sh → exit 1", shown)

    def test_a_secret_of_the_environment_is_not_shown(self) -> None:
        self.failed()
        with next((self.home / "logs").glob("a.1.agent.jsonl")).open("a") as log:
            told = {"type": "text", "part": {"text": "the key is sk-abcdef1234567890"}}
            log.write(f"{json.dumps(told)}\n")
        env = {**self.env, "SOME_API_KEY": "sk-abcdef1234567890"}
        for flags in ([], ["--raw"], ["--json"]):
            shown = self.ends(0, "logs", "a", *flags, env=env).out
            self.assertNotIn("sk-abcdef", shown)
            self.assertIn("[redacted SOME_API_KEY]", shown)


class TestFollow(JobCase):
    def following(self, *argv: str) -> subprocess.Popen[str]:
        """Start ``director logs … --follow``; its output is a pipe."""
        return subprocess.Popen(
            [sys.executable, "-m", "director", "logs", *argv, "--follow"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def read_until(self, process: subprocess.Popen[str], text: str) -> str:
        """Return what a process prints, up to the line with ``text``."""
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if text in line:
                return seen
        raise AssertionError(f"{text} is not in {seen}")

    def running(self) -> tuple[subprocess.Popen[bytes], Path]:
        """Return a run whose first call has begun, and waits for the file that is returned."""
        self.plan(node("a"))
        begun, release = self.tmp / "begun", self.tmp / "release"
        self.fake.queue(
            "executor", shell("sh tests/a.sh"), finish("tool-calls"), mark(begun),
            wait_for(release), write("a.txt", "bad\n"), say("first"), node="a",
        )  # fmt: skip
        self.implement("a")
        run = self.started("run")
        self.addCleanup(run.wait)
        while not begun.exists():
            self.assertIsNone(run.poll())
            time.sleep(0.02)
        return run, release

    def test_it_prints_what_comes_until_the_node_ends(self) -> None:
        _, release = self.running()
        process = self.following("a")
        seen = self.read_until(process, "bash sh tests/a.sh")
        self.assertIn("attempt 1", seen)
        release.touch()
        seen = self.read_until(process, "attempt 2")
        self.assertIn("attempt 1: red", seen)
        rest = self.read_until(process, "a done")
        self.assertIn("+good", rest)
        self.assertEqual(process.wait(), 0)
        process.communicate()

    def test_ctrl_c_ends_it_and_not_the_run(self) -> None:
        run, release = self.running()
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "director", "logs", "a", "--follow"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE), "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        seen = b""
        while b"sh tests/a.sh" not in seen.partition(b"attempt 1")[2]:
            seen += os.read(ours, 65536)
        os.write(ours, b"\x03")
        self.assertEqual(process.wait(), 130)
        self.assertIn(b"\x1b[", seen)
        os.close(ours)
        self.assertIsNone(run.poll())
        release.touch()

    def test_it_ends_when_its_output_is_not_read_any_more(self) -> None:
        run, release = self.running()
        process = self.following("a")
        self.read_until(process, "bash sh tests/a.sh")
        assert process.stdout
        process.stdout.close()
        self.assertEqual(process.wait(), 0)
        self.assertIsNone(run.poll())
        release.touch()

    def test_where_nothing_runs_it_ends_with_what_there_is(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        shown = self.ends(0, "logs", "a", "--follow").out
        self.assertIn("attempt 1", shown)
        self.assertTrue(shown.endswith("a done\n"), shown)

    def test_a_call_that_was_killed_shows_how_far_it_came(self) -> None:
        run, _ = self.running()
        with self.following("a") as follower:
            self.read_until(follower, "bash sh tests/a.sh")
            run.kill()
            run.wait()
        shown = self.ends(0, "logs", "a").out
        self.assertIn("bash sh tests/a.sh → exit 1", shown)
        self.assertIn("no end on record", shown)
