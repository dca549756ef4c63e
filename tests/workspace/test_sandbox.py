"""The words of a sandbox, and its trial before any work begins."""

from __future__ import annotations

import signal
from pathlib import Path

from director.model.config import SandboxPolicy
from director.model.errors import InterruptedRunError, RequestError
from director.workspace.cancellation import Cancellation
from director.workspace.processes import Processes
from director.workspace.sandbox import Part, Sandbox
from director.workspace.slots import scratch_folder
from tests.support.hermetic import HermeticCase


class TestAround(HermeticCase):
    def test_places_are_filled_in(self) -> None:
        words = ("box", "--at={worktree}", "{git}:{home}", "{scratch}")
        sandbox = Sandbox(SandboxPolicy(command=words), {"git": "/j"})
        self.assertEqual(
            sandbox.launch(Part.GATE, ["run", "{git}"], Path("/w/s-1")).argv,
            ["box", "--at=/w/s-1", "/j:{home}", "/w/s-1.tmp", "run", "{git}"],
        )
        self.assertEqual(scratch_folder(Path("/w/s-1")), Path("/w/s-1.tmp"))

    def test_none(self) -> None:
        self.assertEqual(Sandbox().launch(Part.GATE, ["run"], Path("/w")).argv, ["run"])


class TestTrial(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.pool = self.tmp / "pool"
        self.pool.mkdir()

    def try_out(self, *command: str) -> None:
        processes = Processes(self.tmp.name, self.cancellation)
        sandbox = Sandbox(SandboxPolicy(command=command))
        sandbox.try_out(processes, self.env, self.pool, self.tmp / "logs")

    def refused(self, *command: str) -> str:
        with self.assertRaises(RequestError) as caught:
            self.try_out(*command)
        self.assertEqual(list(self.pool.iterdir()), [])
        return caught.exception.what

    def test_one_that_works_leaves_nothing(self) -> None:
        self.try_out("env")
        self.try_out()
        self.assertEqual(list(self.pool.iterdir()), [])
        self.assertEqual(list((self.tmp / "logs").iterdir()), [])

    def test_what_is_wrong_is_said(self) -> None:
        self.assertIn("'no-such-box' is not there", self.refused("no-such-box"))
        self.assertIn("DIRECTOR_PROCESS does not get", self.refused("env", "-i"))
        self.assertIn("does not start in the worktree", self.refused("env", "-C", "/"))
        self.assertIn("(exit code 1)", self.refused("sh", "-c", "echo why >&2; exit 1"))

    def test_a_signal(self) -> None:
        self.cancellation.cancel(signal.SIGTERM)
        with self.assertRaises(InterruptedRunError):
            self.try_out("sh", "-c", "sleep 300")
