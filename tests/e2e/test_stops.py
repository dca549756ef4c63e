"""Stops for an outside reason: said plainly, no attempt spent, and resumable."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from director.demo.turns import Cut, Fault, shell
from tests.e2e.models.script import Turn
from tests.e2e.scene import PROC, Scene, succeeded, wait_for
from tests.e2e.scripted_job import TASK, ScriptedJob, Word
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")
LONG_COMMAND = "sleep 300"
STOP_SECS = 20.0
RETRIES_OF_OPENCODE = 6


class TestStops(ProcessCase):
    scene: Scene
    serving = "auto"

    def test_each_stop_is_explained_and_the_work_goes_on(self) -> None:
        files = {"README.md": "words\n"}
        self.scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), files, self.serving)
        self.scene.configure()
        self._refused_while_planning()
        succeeded(self.scene.director("plan", TASK, "--no-critique"))
        self._provider_fault("Implement", [Cut()], "empty answer", at_most=100)
        self._provider_fault(
            "Implement", [Fault(500)], "keeps failing", at_most=RETRIES_OF_OPENCODE
        )
        if PROC.is_dir():
            self._interrupted()
        self.scene.job.instead.clear()
        succeeded(self.scene.director("run"))
        node = succeeded(self.scene.director("status", "--json")).json["nodes"]["hello"]
        self.assertEqual((node["status"], node["tier_used"]), ("done", "executor"))
        self.assertEqual([one["outcome"] for one in node["tries"]], ["green"])
        self.assertEqual(self.scene.leftovers(), [])

    def _refused_while_planning(self) -> None:
        """A key that is refused: one request, no second try, and the recon is asked for later."""
        scene = self.scene
        scene.job.instead = {"Recon": [Fault(401, '{"error": {"message": "no such key"}}')]}
        said = scene.director("plan", TASK, "--no-critique")
        self.assertEqual(said.code, 3, said.err)
        self.assertIn("401", said.err)
        self.assertIn("next:", said.err)
        self.assertEqual(len(scene.server.requests), 1)
        (call,) = scene.lines("costs.jsonl")
        self.assertIs(call["ok"], False)
        scene.job.instead.clear()

    def _provider_fault(
        self, heading: str, turns: Sequence[Turn], reason: str, at_most: int
    ) -> None:
        """The run stops with 3 within a few requests; the node is where it was."""
        scene = self.scene
        scene.job.instead = {heading: turns}
        before = len(scene.requests(heading))
        said = scene.director("run", "--json")
        self.assertEqual(said.code, 3, said.err)
        self.assertIn(reason, said.json["what"])
        self.assertTrue(said.json["next"])
        self.assertLess(len(scene.requests(heading)) - before, at_most)
        self.assertIs(scene.lines("costs.jsonl")[-1]["ok"], False)
        self._is_pending()

    def _interrupted(self) -> None:
        """Ctrl-C while a command of the agent runs, in a session of its own."""
        scene = self.scene
        scene.job.instead = {"Implement": [shell(LONG_COMMAND)]}
        process = scene.start("run")
        wait_for(lambda: LONG_COMMAND in scene.processes().values(), "the agent's command runs")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=STOP_SECS)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(scene.leftovers(), [])
        self._is_pending()

    def _is_pending(self) -> None:
        node = succeeded(self.scene.director("status", "--json")).json["nodes"]["hello"]
        self.assertEqual((node["status"], node["attempts"], node["tries"]), ("pending", 0, []))


class TestStopsWithAnOpenCodeForEachCall(TestStops):
    serving = "off"
