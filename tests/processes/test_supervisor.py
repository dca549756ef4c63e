"""Processes end when they must, and nothing they said is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

from director.processes.command import Ended, Ending
from director.processes.process_table import MARKER
from tests.processes.case import DAEMON, SOURCE, ProcessCase, until


class TestEndings(ProcessCase):
    def test_time_out_ends_the_process_and_says_the_bound(self) -> None:
        ended = self.run_shell("sleep 300", timeout_secs=0.25)
        self.assertEqual(ended.ending, Ending.TIMED_OUT)
        self.assertEqual(ended.reason, "no end within 0.25 s")
        self.assertEqual(ended.code, -signal.SIGTERM)

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

    def test_an_exception_in_the_watch_ends_the_process_all_the_same(self) -> None:
        def watch() -> str | None:
            until(self.tmp / "pid")()
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            self.run_shell(DAEMON.format("pid"), watch)
        self.assert_ended(self.daemon_pid("pid"))


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


SCARCE = """
import os, resource, sys
from pathlib import Path
from director.model.errors import StoppedError
from director.processes.cancellation import Cancellation
from director.worktrees.gates import Gates
from director.processes.capture import Dialogue, capture
from director.processes.command import Command
from director.processes.supervisor import Processes
place, kind, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
processes = Processes("scarce", Cancellation())
shell = ["/bin/sh", "-c", "exit 0"]
ways = {
    "run": lambda: processes.run(Command(shell, place, {}, place / "out", 60)),
    "bound": lambda: processes.run(
        Command(shell, place, {}, place / "out", 60, bind=lambda: None)
    ),
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
    """Where nothing can be started, no work is at fault."""

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
                self.assertEqual(len(said), 7)
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
        self.assertEqual(len(said), 7)
        for line in said:
            self.assertIn("stopped: no process can be started: Resource temporarily", line)
