"""What serves runs until it is ended, or its owner is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from director.processes.command import Command
from tests.processes.case import DAEMON, LONG, SOURCE, ProcessCase, wait
from tests.support.process_table import alive

OWNER = """
import os, sys, time
from pathlib import Path
from director.processes.cancellation import Cancellation
from director.processes.command import Command
from director.processes.supervisor import Processes
place = Path(sys.argv[1])
script = "echo $$ > pid.new; mv pid.new pid; exec sleep 300"
command = Command(["/bin/sh", "-c", script], place, dict(os.environ), place / "out", 1.0)
service = Processes("owner", Cancellation()).start(command)
time.sleep(300)
"""


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
