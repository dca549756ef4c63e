"""What the fault tests share: a user's checkout that must stay as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fake_opencode import Step, write
from tests.support.jobs import SOURCE, Done, JobCase

PATIENCE_SECS = 60.0


@dataclass
class Running:
    """A director that runs beside the test."""

    process: subprocess.Popen[str]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to director alone."""
        self.process.send_signal(number)

    def ended(self, within_secs: float = PATIENCE_SECS) -> Done:
        """Wait for the end; TimeoutExpired when it takes longer."""
        out, err = self.process.communicate(timeout=within_secs)
        return Done(self.process.returncode, out, err)


class FaultCase(JobCase):
    """A job in a checkout with uncommitted work; after each test nothing of it may have changed.

    Nor may a process or a worktree be left, whatever the test did.
    """

    before: dict[str, str]

    def setUp(self) -> None:
        super().setUp()
        self.repo.write("notes.txt", "not committed\n")
        self.before = self.repo.fingerprint()

    def tearDown(self) -> None:
        self.assertEqual(self.repo.fingerprint(), self.before)
        self.assertEqual(self.left_behind(), [])
        super().tearDown()

    def commit_files(self, files: Mapping[str, str]) -> None:
        """Let the user commit ``files`` before the job."""
        for name, text in files.items():
            self.repo.write(name, text)
        self.repo.git("add", "--", *files)
        self.repo.git("commit", "--quiet", "--message", "more")
        self.before = self.repo.fingerprint()

    def plan(self, *nodes: Mapping[str, Any], tests: Mapping[str, str] | None = None) -> None:
        """Make a ready plan of ``nodes``; ``tests`` are the scripts of nodes with another test."""
        super().plan(*nodes, tests=tests)
        self.before = self.repo.fingerprint()

    def start(self, *argv: str) -> Running:
        """Start director beside the test; killed when the test ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "director", *argv],
            cwd=self.repo.root,
            env={**self.env, "PYTHONPATH": str(SOURCE)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(_put_down, process)
        return Running(process)

    def until(self, what: Path | Callable[[], bool]) -> None:
        """Wait until a file is there, or something is so."""
        there = what.exists if isinstance(what, Path) else what
        deadline = time.monotonic() + PATIENCE_SECS
        while not there():
            self.assertLess(time.monotonic(), deadline, f"waited in vain for {what}")
            time.sleep(0.01)

    def outcomes(self, name: str = "a") -> list[str]:
        """Return how the tries at a node ended, in their order."""
        return [str(one["outcome"]) for one in self.node_state(name)["tries"]]

    def files_on_branch(self) -> set[str]:
        """Return the paths on the published job branch."""
        listed = self.repo.git("ls-tree", "-r", "--name-only", "-z", self.branch)
        return {path for path in listed.split("\0") if path}

    def subjects(self) -> list[str]:
        """Return the subjects of the job branch's own commits, oldest first."""
        base = str(self.stored("plan.json")["base_commit"])
        log = self.repo.git("log", "--reverse", "--format=%s", f"{base}..{self.branch}")
        return log.splitlines()

    def only_the_work_is_merged(self, name: str = "a") -> None:
        """Demand a branch with the tests and the allowlisted file of one node, and nothing else."""
        base = set(self.repo.git("ls-tree", "-r", "--name-only", "HEAD").splitlines())
        self.assertEqual(self.files_on_branch(), base | {f"{name}.txt", f"tests/{name}.sh"})
        self.assertEqual(self.on_branch(f"{name}.txt"), "good")
        self.assertIn("no good", str(self.on_branch(f"tests/{name}.sh")))
        self.assertEqual(self.subjects(), [f"Tests of {name}", f"Make {name}"])

    def nothing_is_merged(self, *names: str) -> None:
        """Demand a branch with tests only."""
        tests = [f"Tests of {name}" for name in names or ("a",)]
        self.assertEqual(sorted(self.subjects()), tests)

    def executor_calls(self) -> int:
        """Return how often an executor was called, on any tier."""
        return sum(call.heading == "Implement" for call in self.fake.calls())

    def is_pending_and_resumable(self, name: str = "a") -> None:
        """Demand a node that no attempt was spent on, and that is done by running again."""
        state = self.node_state(name)
        self.assertEqual((state["status"], state["attempts"]), ("pending", 0))
        self.assertEqual((state["tries"], state["escalated"]), ([], False))
        self.implement(name)
        self.ends(0, "run")
        self.assertEqual(self.node_state(name)["tier_used"], "executor")
        self.only_the_work_is_merged(name)


def good(*steps: Step) -> tuple[Step, ...]:
    """Return ``steps``, then the right work at node ``a``."""
    return (*steps, write("a.txt", "good\n"))


def bad(*steps: Step) -> tuple[Step, ...]:
    """Return ``steps``, then work at node ``a`` that its test refuses."""
    return (*steps, write("a.txt", "bad\n"))


def _put_down(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
