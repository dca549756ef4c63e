"""The documented sandbox around the real OpenCode: it works there, and writes nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

from director.demo.turns import shell
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, TASK, ScriptedJob, Word, writes
from tests.support.bubblewrap import bubblewrap_problem, documented_command
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")


class TestSandbox(ProcessCase):
    def test_a_job(self) -> None:
        if problem := bubblewrap_problem():
            print(f"\nskipped, bubblewrap does not work here: {problem}")
            self.skipTest(problem)
        scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), {"README.md": "words\n"})
        command = _with_home_below_tmp(documented_command(), scene)
        scene.configure(f"[sandbox]\ncommand = {json.dumps(command)}\n")
        outside = Path(scene.env["HOME"]) / "outside"
        trespass = shell(f"echo x > {outside}; git status --short")
        scene.job.instead = {"Implement": [trespass, writes({HELLO.file: "hello\n"}), DONE]}
        succeeded(scene.director("plan", TASK, "--no-critique"))
        succeeded(scene.director("run"))
        self.assertFalse(outside.exists())
        uses = scene.tool_uses("hello.1")
        self.assertIn("Read-only file system", uses[0]["state"]["output"])
        self.assertEqual(scene.leftovers(), [])


def _with_home_below_tmp(command: list[str], scene: Scene) -> list[str]:
    """Return the command with the scene put back into the private /tmp, to be read only."""
    root, tmpdir = str(scene.repo.root.parent), scene.env["TMPDIR"]
    for variable in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        (Path(scene.env[variable]) / "opencode").mkdir(parents=True, exist_ok=True)
    after = command.index("/tmp") + 1
    back = ["--ro-bind", root, root, "--bind", tmpdir, tmpdir]
    return command[:after] + back + command[after:]
