"""The words of a sandbox, and its trial before any work begins.

With it: ``sandbox_paths``.
"""

from __future__ import annotations

import signal
from pathlib import Path

from director.model.errors import InterruptedRunError, RequestError
from director.model.slots import scratch_folder
from director.processes.cancellation import Cancellation
from director.processes.confinement import Bubblewrap
from director.processes.launchers.launcher import Part
from director.processes.sandbox import Sandbox
from director.processes.sandbox_paths import Kept, SandboxPaths, Writable
from director.processes.supervisor import Processes
from tests.support.hermetic import HermeticCase, TemporaryCase
from tests.support.sandboxes import sandbox_of


class TestAround(TemporaryCase):
    def test_places_are_filled_in(self) -> None:
        words = ("box", "--at={worktree}", "{git}:{home}", "{scratch}")
        sandbox = sandbox_of(words, {"git": "/j"})
        self.assertEqual(
            sandbox.launch(Part.GATE, ["run", "{git}"], Path("/w/s-1")).argv,
            ["box", "--at=/w/s-1", "/j:{home}", "/w/s-1.tmp", "run", "{git}"],
        )
        self.assertEqual(scratch_folder(Path("/w/s-1")), Path("/w/s-1.tmp"))

    def test_none(self) -> None:
        self.assertEqual(Sandbox().launch(Part.GATE, ["run"], Path("/w")).argv, ["run"])


class TestDenied(TemporaryCase):
    """What a command was kept from writing, as its output tells."""

    def test_what_the_configuration_could_open(self) -> None:
        work = Path("/h/.local/state/director")
        kept = Kept((Path("/h/code/repo"),), work, (Path("/h/.ssh"),))
        paths = SandboxPaths(kept, Writable(work / "agents"))
        sandbox = Sandbox(mechanism=Bubblewrap("bwrap"), paths=paths)
        for line, expected in (
            ("PermissionError: [Errno 13] Permission denied: '/h/.tool/x'", None),
            ("PermissionError: [Errno 13] Permission denied: '/h/.tool'", "/h/.tool"),
            ("Error: EACCES: permission denied, mkdir '/h/.config'", "/h/.config"),
            ("touch: cannot touch '/h/x y': Permission denied", "/h/x"),
            ("mkdir: cannot create directory ‘/h/.tool’: Permission denied", "/h/.tool"),
            ("sh: 1: cannot create /h/.ssh/x: Permission denied", "/h/.ssh/x"),
            ("cannot create /h/.cache/x: Permission denied", None),
            ("cannot create /h/code/repo/x: Permission denied", None),
            ("could not lock /h/.local/state/director/notes/config: Permission denied", None),
            ("cannot create /h/.tool: File exists", None),
            ("./h/.tool: Permission denied", None),
        ):
            found = sandbox.denied(Part.GATE, work / "job/gates/slot-1", f"first\n{line}\n")
            self.assertEqual(found, expected and Path(expected), line)
        self.assertIsNone(Sandbox().denied(Part.GATE, work, "Permission denied: /h/.tool"))


class TestTrial(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.pool = self.tmp / "pool"
        self.pool.mkdir()

    def try_out(self, *command: str) -> None:
        processes = Processes(self.tmp.name, self.cancellation)
        sandbox = sandbox_of(command)
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
        self.assertIn("'no-such-box' was not found on PATH", self.refused("no-such-box"))
        self.assertIn("DIRECTOR_PROCESS does not get", self.refused("env", "-i"))
        self.assertIn("does not start in the worktree", self.refused("env", "-C", "/"))
        self.assertIn("(exit code 1)", self.refused("sh", "-c", "echo why >&2; exit 1"))

    def test_a_signal(self) -> None:
        self.cancellation.cancel(signal.SIGTERM)
        with self.assertRaises(InterruptedRunError):
            self.try_out("sh", "-c", "sleep 300")
