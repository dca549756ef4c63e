"""A command beside this process: what it says, and how it ends, also when no reader is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from director.processes.companion import Companion
from tests.support.hermetic import HermeticCase
from tests.support.warm import SOURCE

PATIENCE_SECS = 30.0
NOTES_SIGINT = "trap 'echo told >told; exit 5' INT; echo ready; while :; do sleep 0.05; done"


class TestCompanion(HermeticCase):
    def started(self, script: str, stdin: bytes = b"") -> Companion:
        return Companion(["sh", "-c", script], self.tmp, self.env, stdin)

    def test_lines_and_the_end_of_its_errors(self) -> None:
        companion = self.started("cat; echo two; printf three; echo no >&2; exit 3", b"one\n")
        self.assertEqual(list(companion.lines(PATIENCE_SECS)), [b"one", b"two", b"three"])
        self.assertEqual(companion.wait(), (3, "no\n"))
        self.assertTrue(companion.is_over())

    def test_nothing_for_a_while_is_told(self) -> None:
        companion = self.started("sleep 0.3; echo done")
        found = list(companion.lines(0.05))
        self.assertEqual((found[0], found[-1]), (None, b"done"))
        companion.wait()

    def test_it_is_told_to_end_once(self) -> None:
        companion = self.started(NOTES_SIGINT)
        lines = companion.lines(PATIENCE_SECS)
        self.assertEqual(next(lines), b"ready")
        companion.interrupt()
        self.assertEqual(list(lines), [])
        self.assertEqual(companion.wait()[0], 5)
        companion.interrupt()  # it is over: no other process gets the signal

    def test_what_cannot_be_started(self) -> None:
        with self.assertRaises(OSError):
            Companion(["true"], self.tmp / "nowhere", self.env)
        companion = Companion([str(self.tmp / "none")], self.tmp, self.env)
        self.assertEqual(list(companion.lines(PATIENCE_SECS)), [])
        self.assertEqual(companion.wait()[0], 127)

    def test_it_ends_in_order_when_this_process_is_killed(self) -> None:
        code = (
            "import sys, time; from pathlib import Path; "
            "from director.processes.companion import Companion; "
            "one = Companion(['bash', '-c', sys.argv[1]], Path.cwd(), {'PATH': sys.argv[2]}); "
            "print(next(one.lines(30)), flush=True); time.sleep(60)"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", code, NOTES_SIGINT, os.environ["PATH"]],
            cwd=self.tmp,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
        )
        assert owner.stdout
        with owner.stdout:
            self.assertIn(b"ready", owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        deadline = time.monotonic() + PATIENCE_SECS
        while not (self.tmp / "told").exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
