"""director is stopped: it ends soon, leaves nothing, and continues later."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.cases import FaultCase, Running, bad, good
from tests.support.fake_opencode import finish, hang, mark, orphan, say, shell, write
from tests.support.hermetic import HermeticCase
from tests.support.jobs import SOURCE, marked_processes, node, script_of_test

SOON_SECS = 30.0  # TERM, a grace of one and two seconds, KILL; the rest is for a busy machine


class SignalCase(FaultCase):
    def setUp(self) -> None:
        super().setUp()
        self.on = self.tmp / "on"

    def hanging_run(self, *argv: str) -> Running:
        """Start a run whose agent has done half of its work and hangs, deaf to SIGTERM."""
        self.implement("a", *bad(), finish("tool-calls", input=800), mark(self.on),
                       hang(stubborn=True))  # fmt: skip
        running = self.start("run", *argv)
        self.until(self.on)
        return running


class TestBeginningAndEnd(HermeticCase):
    """Ctrl-C while director imports what it needs, or when it has said all that it has to say."""

    SCRIPT = """\
import posix, sys
sys.path.insert(0, {source!r})
class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            [posix.kill(posix.getpid(), 2) for _ in range({signals})]
sys.meta_path.insert(0, Interrupting())
sys.argv = ["director", "status", "--repo", {repo!r}, "--json"]
from director.__main__ import main
code = main()
if {module!r} == "":
    posix.kill(posix.getpid(), 2)
sys.exit(code)
"""

    def interrupted(self, module: str, signals: int = 1) -> subprocess.CompletedProcess[str]:
        """Run a command that gets SIGINT as it is about to import ``module``; "": at its end."""
        script = self.SCRIPT.format(
            source=str(SOURCE), module=module, signals=signals, repo=str(self.tmp)
        )
        (self.tmp / ".git").mkdir(exist_ok=True)
        words = (sys.executable, "-S", "-I", "-c", script)
        done = subprocess.run(words, env=self.env, capture_output=True, text=True)
        self.assertNotIn("Traceback", done.stderr)
        self.assertNotIn("Exception ignored", done.stderr)
        return done

    def test_an_import_that_is_interrupted_ends_the_command_in_good_order(self) -> None:
        for module in (
            "signal", "director.cli", "argparse", "director.commands.status",
            "director.command_line.context", "director.processes.cancellation",
        ):  # fmt: skip
            with self.subTest(module):
                done = self.interrupted(module)
                self.assertEqual(done.returncode, 130, done.stderr)
                self.assertIn("SIGINT", done.stderr)
                self.assertEqual(json.loads(done.stdout)["reason"], "interrupted")

    def test_a_second_ctrl_c_before_the_command_has_begun_ends_it_at_once(self) -> None:
        done = self.interrupted("director.cli", signals=2)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (130, "", ""))

    def test_a_ctrl_c_when_all_is_said_is_the_kernels(self) -> None:
        done = self.interrupted("")
        self.assertEqual(done.returncode, -signal.SIGINT)
        self.assertEqual(json.loads(done.stdout)["command"], "status")


class TestRun(SignalCase):
    """Signals to `director run`."""

    def test_ctrl_c_ends_the_run_and_the_next_run_goes_on(self) -> None:
        self.plan(node("a"))
        running = self.hanging_run()
        running.send(signal.SIGINT)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 130, done.err)
        self.assertIn("SIGINT", done.out + done.err)
        self.assertNotIn("Traceback", done.err)
        self.assertEqual(self.left_behind(), [])
        self.assertEqual(self.lines("costs.jsonl")[-1]["input"], 800)
        self.is_pending_and_resumable()

    def test_a_termination_ends_the_run_with_one_json_object(self) -> None:
        self.plan(node("a"))
        running = self.hanging_run("--json")
        running.send(signal.SIGTERM)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 143, done.err)
        said = json.loads(done.out)
        self.assertEqual(said["exit_code"], 143)
        self.assertEqual(self.left_behind(), [])
        self.is_pending_and_resumable()

    def test_a_closed_terminal_ends_the_run_like_a_termination(self) -> None:
        self.plan(node("a"))
        running = self.hanging_run()
        running.send(signal.SIGHUP)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 143, done.err)
        self.assertEqual(self.left_behind(), [])
        self.is_pending_and_resumable()

    def test_a_second_ctrl_c_ends_the_run_at_once(self) -> None:
        self.plan(node("a"))
        running = self.hanging_run()
        while running.process.poll() is None:  # two at once may arrive as one
            running.send(signal.SIGINT)
            time.sleep(0.05)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 130)
        self.assertNotIn("SIGINT", done.out + done.err)  # nothing was left to be said in order
        said = [line for line in self.lines("events.jsonl") if line["kind"] == "stopped"]
        self.assertEqual([(one["command"], one["exit_code"]) for one in said[-1:]], [("run", 130)])
        self.assertEqual(said[-1]["reason"], "interrupted")
        self.until(lambda: not marked_processes(self.tmp))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.left_behind(), [])
        self.only_the_work_is_merged()

    def test_a_second_ctrl_c_leaves_one_json_object(self) -> None:
        self.plan(node("a"))
        for flag in ("--json", "--events"):
            with self.subTest(flag):
                self.on.unlink(missing_ok=True)
                running = self.hanging_run(flag)
                while running.process.poll() is None:
                    running.send(signal.SIGINT)
                    time.sleep(0.05)
                *_, last = running.ended(SOON_SECS).out.splitlines()
                said = json.loads(last)
                self.assertEqual((said["ok"], said["exit_code"]), (False, 130))
                self.assertEqual(said["reason"], "interrupted")
                self.until(lambda: not marked_processes(self.tmp))
        self.ends(0, "clean")
        self.implement("a")
        self.ends(0, "run")

    def test_a_termination_in_the_middle_of_a_gate_ends_the_gate(self) -> None:
        slow = f"{script_of_test('a')}touch $TMPDIR/gate; exec sleep 600\n"
        self.plan(node("a"), tests={"a": slow})
        self.implement("a", *good())
        running = self.start("run")
        self.until(self.place / "home" / "tmp" / "gate")
        running.send(signal.SIGTERM)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 143, done.err)
        self.assertEqual(self.left_behind(), [])
        self.assertEqual(self.node_state("a")["status"], "pending")
        self.nothing_is_merged()
        self.assertEqual(self.lines("costs.jsonl")[-1]["ok"], True)

    def test_ctrl_c_with_two_lanes_ends_both_and_loses_neither(self) -> None:
        self.plan(node("a"), node("b"))
        for name in ("a", "b"):
            self.implement(name, finish("tool-calls", input=70), mark(self.tmp / name), hang())
        running = self.start("run", "--parallel", "2")
        self.until(self.tmp / "a")
        self.until(self.tmp / "b")
        running.send(signal.SIGINT)
        self.assertEqual(running.ended(SOON_SECS).code, 130)
        self.assertEqual([line["input"] for line in self.lines("costs.jsonl")[-2:]], [70, 70])
        for name in ("a", "b"):
            self.assertEqual(self.node_state(name)["status"], "pending")
            self.implement(name)
        self.ends(0, "run", "--parallel", "2")

    def test_a_pause_before_a_retry_ends_at_ctrl_c(self) -> None:
        self.plan(node("a"))
        self.configure("[limits]\nprovider_retries = 5\n")
        self.fake.always("executor", mark(self.on), say("x"), *[finish("unknown", 0, 0)] * 9)
        running = self.start("run")
        self.until(lambda: "provider_fault" in (self.home / "events.jsonl").read_text())
        running.send(signal.SIGINT)
        self.assertEqual(running.ended(SOON_SECS).code, 130)
        self.is_pending_and_resumable()


class TestGit(SignalCase):
    """Git does not answer when ctrl-C is pressed."""

    HANGS = """\
#!/bin/sh
case " $* " in *{words}*)
  if [ -e {armed} ]; then [ {times} = once ] && rm {armed}; touch {on}; sleep 600; fi;;
esac
exec {git} "$@"
"""

    def hang_git(self, words: str, *, once: bool = False) -> None:
        """Let a git with ``words`` among its arguments hang from now on, or the first time."""
        self.armed = self.tmp / "armed"
        self.armed.touch()
        program = self.fake.program.with_name("git")
        program.write_text(
            self.HANGS.format(
                words=f"'{words}'", armed=self.armed, on=self.on, git=shutil.which("git"),
                times="once" if once else "always",
            )
        )  # fmt: skip
        program.chmod(0o755)

    def interrupted(self, *argv: str, signals: int = 1, also: Path | None = None) -> None:
        """Start a command, send SIGINT when git hangs; it has to end within SOON_SECS.

        ``also``: what has to be there before, besides.
        """
        running = self.start(*argv)
        self.until(self.on)
        self.until(also or self.on)
        for _ in range(signals):
            running.send(signal.SIGINT)
            time.sleep(0.2 if signals > 1 else 0)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 130, done.err)
        self.assertNotIn("Traceback", done.err)

    def test_ctrl_c_ends_it_and_the_next_run_goes_on(self) -> None:
        self.repo.write(".gitattributes", "*.txt ident\n")  # so that files are git's to convert
        self.repo.commit("expand keywords")
        self.plan(node("a"))
        for words in ("read-tree", "ls-files", "update-index", "cat-file"):
            with self.subTest(words):
                self.implement("a")
                self.hang_git(words)
                self.interrupted("run")
                self.armed.unlink()
                self.on.unlink()
                self.assertEqual(self.left_behind(), [])
                self.assertEqual(self.node_state("a")["status"], "pending")
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_ctrl_c_while_the_branch_is_published_leaves_it_right(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.implement("b", mark(self.tmp / "b"), hang())
        before = self.repo.git("rev-parse", self.branch)
        self.hang_git("fetch", once=True)
        self.interrupted("run", also=self.tmp / "b")
        self.assertEqual(self.left_behind(), [])
        self.assertNotEqual(self.repo.git("rev-parse", self.branch), before)
        self.implement("b")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("b.txt"), "good")

    def test_one_that_hangs_at_the_very_end_too_is_ended(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.hang_git("fetch")
        self.interrupted("run")
        self.assertEqual(self.left_behind(), [])
        self.armed.unlink()
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_a_second_ctrl_c_kills_it(self) -> None:
        self.plan(node("a"))
        self.hang_git("fetch")
        self.implement("a")
        self.interrupted("run", signals=2)
        self.until(lambda: not marked_processes(self.tmp))
        self.armed.unlink()
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_ctrl_c_before_there_is_a_job(self) -> None:
        self.hang_git("rev-parse")
        self.interrupted("plan", "make a")
        self.until(lambda: not marked_processes(self.tmp))


class TestPlan(SignalCase):
    """Signals to `director plan`."""

    def test_ctrl_c_ends_planning_and_the_same_command_goes_on(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("planner", mark(self.on), hang(stubborn=True), heading="Plan")
        running = self.start("plan", "make a", "--no-critique", "--json")
        self.until(self.on)
        running.send(signal.SIGINT)
        done = running.ended(SOON_SECS)
        self.assertEqual(done.code, 130, done.err)
        self.assertEqual(json.loads(done.out)["exit_code"], 130)
        self.assertEqual(self.left_behind(), [])
        self.ends(0, "plan", "make a", "--no-critique")
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual(headings, ["Recon", "Spec", "Plan", "Plan", "Tests"])


class TestTimeOuts(SignalCase):
    """Something takes too long."""

    def test_a_gate_that_never_ends_is_ended_with_all_it_started(self) -> None:
        self.configure("[limits]\nnode_timeout_secs = 1\n")
        endless = (
            f"{script_of_test('a')}setsid sleep 600 &\n"
            "(trap '' TERM HUP; sleep 600; sleep 600) &\nwait\n"
        )
        self.plan(node("a"), tests={"a": endless})
        for _ in range(2):
            self.implement("a", *good())
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("no end within 1 s", done.out)
        self.assertEqual(self.outcomes(), ["red", "red"])
        self.nothing_is_merged()

    def test_a_grandchild_that_holds_the_output_does_not_hold_up_the_gate(self) -> None:
        holds = f"setsid sleep 600 &\n{script_of_test('a')}"
        self.plan(node("a"), tests={"a": holds})
        self.implement("a", *good())
        began = time.monotonic()
        self.ends(0, "run")
        self.assertLess(time.monotonic() - began, 60)

    def test_an_agent_that_runs_out_of_time_spends_its_attempt_and_keeps_its_work(self) -> None:
        self.configure("[limits]\nnode_timeout_secs = 1\n")
        self.plan(node("a"))
        self.implement("a", *bad(), finish("tool-calls", input=600), hang())
        self.implement("a", shell("grep -q bad a.txt"), write("a.txt", "good\n"), hang())
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        calls = self.lines("costs.jsonl")
        self.assertEqual((calls[-2]["input"], calls[-2]["ok"]), (600, False))
        uses = list((self.home / "logs").glob("a.2.agent*.jsonl"))
        self.assertIn('"exit": 0', uses[0].read_text())
        self.only_the_work_is_merged()


class TestKill(SignalCase):
    """Director is killed without a word."""

    def test_what_a_killed_run_left_is_swept_by_the_next(self) -> None:
        self.plan(node("a"))
        self.implement("a", *bad(), orphan("exec sleep 600"), mark(self.on), hang(stubborn=True))
        running = self.start("run")
        self.until(self.on)
        running.send(signal.SIGKILL)
        running.ended(SOON_SECS)
        self.assertNotEqual(self.left_behind(), [])
        self.assertEqual(self.node_state("a")["status"], "running")
        self.implement("a")
        done = self.ends(0, "run")
        self.assertIn("that a killed run left behind", done.err)
        self.assertEqual(self.left_behind(), [])
        self.only_the_work_is_merged()
        self.assertFalse(self.node_state("a")["escalated"])
