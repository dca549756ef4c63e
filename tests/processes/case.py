"""A test case that runs processes, and pieces of shell scripts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from director.processes.cancellation import Cancellation
from director.processes.command import Command, Ended, Watch
from director.processes.supervisor import Processes
from tests.support.hermetic import HermeticCase
from tests.support.process_table import alive

LONG = 300.0
SOURCE = str(Path(__file__).resolve().parents[2])
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


def until(path: Path) -> Callable[[], None]:
    """Return a watch that waits for ``path`` and ends nothing."""

    def watch() -> None:
        while not path.exists():
            time.sleep(0.01)

    return watch


def wait(name: str) -> str:
    return f"until [ -e {name} ]; do sleep 0.01; done"


def kill_if_alive(pid: int) -> None:
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
