"""The machine has nothing left to give: no work is at fault, and the job continues later."""

from __future__ import annotations

import shlex
import subprocess
import sys

from tests.faults.cases import FaultCase
from tests.support.jobs import SOURCE, node

LIMITS = (6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20)


class TestScarcity(FaultCase):
    def run_with_files(self, limit: int) -> tuple[int, str]:
        """Run director with so many file descriptors; returns its exit code and what it said."""
        command = shlex.join([sys.executable, "-m", "director", "run"])
        done = subprocess.run(
            ["/bin/sh", "-c", f"ulimit -n {limit}; exec {command}"],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    def test_without_file_descriptors_the_run_stops_for_an_outside_reason(self) -> None:
        self.plan(node("a"))
        self.fake.always("executor", *self.good_work("a"))
        codes = set()
        for limit in LIMITS:
            with self.subTest(limit):
                code, said = self.run_with_files(limit)
                codes.add(code)
                if code == 0:
                    break
                self.assertEqual(code, 3, said)
                self.assertIn("Too many open files", said)
        self.assertIn(3, codes)
        self.ends(0, "run")
        self.assertEqual([one for one in self.outcomes() if one != "green"], [])
        self.only_the_work_is_merged()
