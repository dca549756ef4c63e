"""Processes end when they must, with everything they started, and nothing they said is lost.

With it: ``process_table``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from director.processes import processes
from director.processes.cancellation import Cancellation
from director.processes.processes import (
    MARKER,
    Command,
    Dialogue,
    Ended,
    Ending,
    Processes,
    Watch,
    capture,
    run_attached,
)
from tests.support.hermetic import HermeticCase
from tests.support.process_table import alive

LONG = 300.0
SOURCE = str(Path(__file__).resolve().parents[2])
OWNER = """
import os, sys, time
from pathlib import Path
from director.processes.cancellation import Cancellation
from director.processes.processes import Command, Processes
place = Path(sys.argv[1])
script = "echo $$ > pid.new; mv pid.new pid; exec sleep 300"
command = Command(["/bin/sh", "-c", script], place, dict(os.environ), place / "out", 1.0)
service = Processes("owner", Cancellation()).start(command)
time.sleep(300)
"""
DAEMON = "sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300'"


class ProcessCase(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.processes = Processes(f"test-{self.tmp.name}", self.cancellation)
        self.out = self.tmp / "out"

    def run_shell(
        self, script: str, watch: Watch | None = None, timeout_secs: float = LONG
    ) -> Ended:
        return self.processes.run(self.command(script, timeout_secs), watch)

    def command(self, script: str, timeout_secs: float = LONG) -> Command:
        return Command(["/bin/sh", "-c", script], self.tmp, self.env, self.out, timeout_secs)

    def daemon_pid(self, name: str) -> int:
        pid = int((self.tmp / name).read_text())
        self.addCleanup(kill_if_alive, pid)
        return pid

    def assert_ended(self, pid: int) -> None:
        self.assertFalse(alive(pid), f"process {pid} is still running")


class TestRun(ProcessCase):
    def test_exit_code_and_both_streams_in_one_file(self) -> None:
        ended = self.run_shell("echo out; echo err >&2; exit 3")
        self.assertEqual((ended.ending, ended.code, ended.reason), (Ending.EXITED, 3, ""))
        self.assertEqual(self.out.read_text(), "out\nerr\n")

    def test_streams_apart_and_standard_input_from_a_file(self) -> None:
        given, err = self.tmp / "in", self.tmp / "err"
        given.write_text("hello")
        script = ["/bin/sh", "-c", "cat; echo oops >&2"]
        command = Command(script, self.tmp, self.env, self.out, LONG, stderr=err, stdin=given)
        self.assertEqual(self.processes.run(command).code, 0)
        self.assertEqual((self.out.read_text(), err.read_text()), ("hello", "oops\n"))

    def test_without_input_standard_input_is_empty(self) -> None:
        self.assertEqual(self.run_shell("cat").code, 0)
        self.assertEqual(self.out.read_text(), "")

    def test_gets_the_given_environment_and_the_marker_only(self) -> None:
        command = Command(["/usr/bin/env"], self.tmp, {"A": "1"}, self.out, LONG)
        self.processes.run(command)
        lines = dict(line.split("=", 1) for line in self.out.read_text().splitlines())
        marker = lines.pop(MARKER)
        self.assertEqual(lines, {"A": "1"})
        self.assertTrue(marker.startswith(f"{self.processes.label}:"))

    def test_a_signal_shows_as_a_negative_code(self) -> None:
        self.assertEqual(self.run_shell("kill -KILL $$").code, -signal.SIGKILL)

    def test_what_cannot_start_is_a_result(self) -> None:
        no_program = Command([str(self.tmp / "none")], self.tmp, self.env, self.out, LONG)
        no_folder = Command(["/bin/true"], self.tmp / "none", self.env, self.out, LONG)
        for command in (no_program, no_folder):
            ended = self.processes.run(command)
            self.assertEqual((ended.ending, ended.code), (Ending.NOT_STARTED, None))
            self.assertIn("No such file", ended.reason)

    def test_output_is_appended(self) -> None:
        self.out.write_text("before\n")
        self.run_shell("echo after")
        self.assertEqual(self.out.read_text(), "before\nafter\n")


class TestEndings(ProcessCase):
    def test_time_out_ends_the_process_and_says_the_bound(self) -> None:
        ended = self.run_shell("sleep 300", timeout_secs=0.25)
        self.assertEqual(ended.ending, Ending.TIMED_OUT)
        self.assertEqual(ended.reason, "no end within 0.25 s")
        self.assertEqual(ended.code, -signal.SIGTERM)

    def test_time_out_ends_an_orphan_in_a_session_of_its_own(self) -> None:
        script = f"setsid {DAEMON.format('pid')} & sleep 300"
        ended = self.run_shell(script, until(self.tmp / "pid"), timeout_secs=1)
        self.assertEqual(ended.ending, Ending.TIMED_OUT)
        self.assert_ended(self.daemon_pid("pid"))

    def test_exit_ends_an_orphan_in_a_session_of_its_own(self) -> None:
        ended = self.run_shell(f"setsid {DAEMON.format('pid')} & {wait('pid')}; exit 5")
        self.assertEqual((ended.ending, ended.code), (Ending.EXITED, 5))
        self.assert_ended(self.daemon_pid("pid"))

    def test_exit_ends_a_process_of_the_group_that_dropped_its_environment(self) -> None:
        script = f"env -i PATH=$PATH {DAEMON.format('pid')} & {wait('pid')}; exit 0"
        self.run_shell(script)
        self.assert_ended(self.daemon_pid("pid"))

    def test_a_grandchild_with_the_output_open_does_not_hold_up(self) -> None:
        ended = self.run_shell(f"{DAEMON.format('pid')} & {wait('pid')}; echo said")
        self.assertEqual((ended.ending, ended.code), (Ending.EXITED, 0))
        self.assertEqual(self.out.read_text(), "said\n")
        self.assert_ended(self.daemon_pid("pid"))

    def test_cancellation_ends_it(self) -> None:
        def cancel() -> None:
            until(self.tmp / "ready")()
            self.cancellation.cancel(signal.SIGTERM)

        ended = self.run_shell("echo kept; touch ready; sleep 300", watch=cancel)
        self.assertEqual(ended.ending, Ending.CANCELLED)
        self.assertEqual(self.out.read_text(), "kept\n")

    def test_the_watch_ends_it_with_its_sentence(self) -> None:
        def watch() -> str | None:
            text = self.out.read_text()
            return "enough said" if "enough" in text else None

        ended = self.run_shell("echo enough; sleep 300", watch)
        self.assertEqual((ended.ending, ended.reason), (Ending.STOPPED, "enough said"))

    def test_what_ignores_sigterm_is_killed(self) -> None:
        def watch() -> str | None:
            return "stop" if (self.tmp / "ready").exists() else None

        script = "trap '' TERM; touch ready; while :; do sleep 1; done"
        ended = self.run_shell(script, watch)
        self.assertEqual((ended.ending, ended.code), (Ending.STOPPED, -signal.SIGKILL))

    def test_a_command_may_name_the_signal_that_it_tidies_up_at(self) -> None:
        script = "trap 'echo tidy; exit 4' INT; touch ready; while :; do sleep 0.05; done"
        command = replace(self.command(script), first_signal=signal.SIGINT)
        ready = self.tmp / "ready"
        ended = self.processes.run(command, lambda: "enough" if ready.exists() else None)
        self.assertEqual((ended.code, self.out.read_text()), (4, "tidy\n"))

    def test_a_process_may_tidy_up_on_sigterm(self) -> None:
        def watch() -> str | None:
            return "stop" if (self.tmp / "ready").exists() else None

        script = "trap 'echo tidy; exit 4' TERM; touch ready; while :; do sleep 0.05; done"
        self.assertEqual(self.run_shell(script, watch).code, 4)
        self.assertIn("tidy\n", self.out.read_text())

    def test_an_exception_in_the_watch_ends_the_process_all_the_same(self) -> None:
        def watch() -> str | None:
            until(self.tmp / "pid")()
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            self.run_shell(DAEMON.format("pid"), watch)
        self.assert_ended(self.daemon_pid("pid"))

    def test_one_call_does_not_end_what_another_has_started(self) -> None:
        def other() -> None:
            self.run_shell(f"{DAEMON.format('pid')} & {wait('go')}; kill %1; echo whole")

        thread = threading.Thread(target=other)
        thread.start()
        until(self.tmp / "pid")()
        quick = Command(["/bin/true"], self.tmp, self.env, self.tmp / "quick", LONG)
        self.assertEqual(self.processes.run(quick).code, 0)
        self.assertTrue(alive(self.daemon_pid("pid")))
        (self.tmp / "go").touch()
        thread.join()


class TestSweep(ProcessCase):
    def test_ends_what_a_killed_run_of_the_job_has_left(self) -> None:
        label = self.processes.label
        left = self.start_marked(f"{label}:earlier:call")
        other = self.start_marked(f"{label}0:earlier:call")
        self.assertEqual(self.processes.sweep(), 1)
        self.assertEqual(left.wait(), -signal.SIGKILL)
        self.assertIsNone(other.poll())
        self.assertEqual(self.processes.sweep(), 0)

    def test_kill_all_ends_what_runs_now(self) -> None:
        result: list[Ended] = []
        script = f"setsid {DAEMON.format('pid')} & {DAEMON.format('second')}"
        thread = threading.Thread(target=lambda: result.append(self.run_shell(script)))
        thread.start()
        until(self.tmp / "pid")()
        until(self.tmp / "second")()
        self.processes.kill_all()
        thread.join()
        self.assertEqual((result[0].ending, result[0].code), (Ending.EXITED, -signal.SIGKILL))
        self.assert_ended(self.daemon_pid("pid"))

    def start_marked(self, marker: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["sleep", "300"], env={**self.env, MARKER: marker})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process


class TestShortCommands(ProcessCase):
    def test_capture_keeps_the_streams_apart(self) -> None:
        done = capture(["sh", "-c", "cat; echo e >&2; exit 2"], self.tmp, self.env, b"\xff\0")
        self.assertEqual((done.code, done.out, done.err), (2, b"\xff\0", b"e\n"))

    def test_capture_has_a_session_of_its_own(self) -> None:
        done = capture(["sh", "-c", "echo $$; ps -o sid= -p $$"], self.tmp, self.env)
        pid, session = done.out.split()
        self.assertEqual(pid, session)

    def test_capture_raises_what_cannot_start(self) -> None:
        with self.assertRaises(OSError):
            capture([str(self.tmp / "none")], self.tmp, self.env)

    def attached(self, script: str) -> int:
        return run_attached(["sh", "-c", script], self.tmp, self.env, self.cancellation)

    def test_run_attached_returns_the_code(self) -> None:
        self.assertEqual(self.attached("exit 9"), 9)

    def test_run_attached_passes_a_sigterm_on(self) -> None:
        def cancel() -> None:
            until(self.tmp / "ready")()
            self.cancellation.cancel(signal.SIGTERM)

        thread = threading.Thread(target=cancel)
        thread.start()
        script = "trap 'exit 7' TERM; touch ready; while :; do sleep 0.05; done"
        self.assertEqual(self.attached(script), 7)
        thread.join()


def until(path: Path) -> Callable[[], None]:
    """Return a watch that waits for ``path`` and ends nothing."""

    def watch() -> None:
        while not path.exists():
            time.sleep(0.01)

    return watch


class TestGarbage(ProcessCase):
    def test_a_dialogue_that_is_collected_while_a_process_is_started_ends(self) -> None:
        dialogue = Dialogue(["cat"], self.tmp, self.env)

        def start_one() -> None:
            with processes._CHILDREN.turn:  # the collector runs in whoever holds it
                dialogue.end()

        starting = threading.Thread(target=start_one, daemon=True)
        starting.start()
        starting.join(30)
        self.assertFalse(starting.is_alive())


class TestServices(ProcessCase):
    def test_it_runs_until_it_is_ended(self) -> None:
        script = f"{DAEMON.format('pid')} & {wait('pid')}; echo up; exec sleep 300"
        service = self.processes.start(self.command(script))
        self.wait_until(lambda: self.out.exists() and "up" in self.out.read_text())
        self.assertTrue(service.alive())
        service.end()
        self.assertFalse(service.alive())
        self.assert_ended(self.daemon_pid("pid"))

    def test_it_has_no_input(self) -> None:
        service = self.processes.start(self.command("cat; echo over"))
        self.wait_until(lambda: not service.alive())
        service.end()
        self.assertEqual(self.out.read_text(), "over\n")

    def test_not_even_a_kill_of_its_owner_leaves_it_running(self) -> None:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(self.tmp)], env={**self.env, "PYTHONPATH": SOURCE}
        )
        self.wait_until((self.tmp / "pid").exists)
        pid = self.daemon_pid("pid")
        self.assertTrue(alive(pid))
        owner.kill()
        owner.wait()
        self.wait_until(lambda: not alive(pid))

    def test_one_that_cannot_start(self) -> None:
        service = self.processes.start(Command(["/no/such"], self.tmp, self.env, self.out, LONG))
        self.wait_until(lambda: not service.alive())
        service.end()
        self.assertIn("not found", self.out.read_text())

    def wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


SCARCE = """
import os, resource, sys
from pathlib import Path
from director.model.errors import StoppedError
from director.processes.cancellation import Cancellation
from director.worktrees.gates import Gates
from director.processes.processes import Command, Dialogue, Processes, capture
place, kind, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
processes = Processes("scarce", Cancellation())
shell = ["/bin/sh", "-c", "exit 0"]
ways = {
    "run": lambda: processes.run(Command(shell, place, {}, place / "out", 60)),
    "bounded": lambda: processes.run(Command(shell, place, {}, place / "b", 60, keep_bytes=9)),
    "gate": lambda: Gates(processes, {}, place, 60).run("exit 0", place, "n"),
    "service": lambda: processes.start(Command(shell, place, {}, place / "served", 60)).end(),
    "capture": lambda: capture(shell, place, {}),
    "dialogue": lambda: Dialogue(shell, place, {}).end(),
}
for way in ways.values():  # what is imported late needs files too
    way()
_, most = resource.getrlimit(getattr(resource, kind))
resource.setrlimit(getattr(resource, kind), (limit, most))
for name, way in ways.items():
    try:
        way()
        print(name, "done")
    except StoppedError as error:
        print(name, "stopped:", error.what)
"""


STOPPED_OR_DONE = (
    "^(done|stopped: (no process can be started|cannot write .*): Too many open files)$"
)


class TestScarcity(ProcessCase):
    """Where nothing can be started, nobody's work is at fault."""

    def said(self, kind: str, limit: int, *before: str) -> list[str]:
        place = self.tmp / "place"
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
        done = subprocess.run(
            [*before, sys.executable, "-c", SCARCE, str(place), kind, str(limit)],
            env={"PATH": os.defpath, "PYTHONPATH": SOURCE, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.stderr, "")
        return [line.partition(" ")[2] for line in done.stdout.splitlines()]

    def test_without_file_descriptors(self) -> None:
        for limit in (3, 4, 5, 6, 7, 8, 10, 12, 30):
            with self.subTest(limit):
                said = self.said("RLIMIT_NOFILE", limit)
                self.assertEqual(len(said), 6)
                for line in said:
                    self.assertRegex(line, "^done$" if limit == 30 else STOPPED_OR_DONE)
        self.assertNotIn("done", self.said("RLIMIT_NOFILE", 3))

    def test_without_room_for_processes(self) -> None:
        if os.geteuid() == 0 and not shutil.which("setpriv"):
            self.skipTest("the limit does not hold for root, and there is no setpriv")
        nobody = ("setpriv", "--reuid=65534", "--clear-groups") if os.geteuid() == 0 else ()
        self.tmp.chmod(0o755)
        trial = subprocess.run([*nobody, sys.executable, "-c", ""], capture_output=True)
        if trial.returncode:
            self.skipTest("this Python cannot be started by another user")
        said = self.said("RLIMIT_NPROC", 0, *nobody)
        self.assertEqual(len(said), 6)
        for line in said:
            self.assertIn("stopped: no process can be started: Resource temporarily", line)


class TestMarkers(ProcessCase):
    def test_what_carries_a_marker_is_ended_whoever_started_it(self) -> None:
        marker = self.processes.new_marker()
        stranger = subprocess.Popen(["sleep", "300"], env={**self.env, MARKER: marker})
        other = subprocess.Popen(["sleep", "300"], env={**self.env, MARKER: f"{marker}0"[1:]})
        self.processes.end_marked(marker, self.tmp / "elsewhere")
        self.assertEqual(stranger.wait(), -signal.SIGTERM)
        self.assertIsNone(other.poll())
        other.kill()
        other.wait()

    def test_what_this_run_has_at_work_in_the_worktree_is_ended_as_well(self) -> None:
        folder = self.tmp / "worktree"
        folder.mkdir()
        env = {**self.env, MARKER: self.processes.new_marker()}
        inside = subprocess.Popen(["sleep", "300"], env=env, cwd=folder)
        outside = subprocess.Popen(["sleep", "300"], env=env, cwd=self.tmp)
        foreign = subprocess.Popen(["sleep", "300"], env=self.env, cwd=folder)
        self.processes.end_marked(self.processes.new_marker(), folder)
        self.assertEqual(inside.wait(), -signal.SIGTERM)
        for other in (outside, foreign):
            self.assertIsNone(other.poll())
            other.kill()
            other.wait()


def wait(name: str) -> str:
    return f"until [ -e {name} ]; do sleep 0.01; done"


def kill_if_alive(pid: int) -> None:
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
