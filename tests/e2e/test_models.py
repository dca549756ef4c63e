"""The models that the real OpenCode lists are those that a call may name."""

from __future__ import annotations

import json

from director.demo.turns import Fault
from tests.e2e.scene import ROLES, Scene, local_tiers
from tests.e2e.scripted_job import TASK, ScriptedJob, Word
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")
PLUGIN = """\
export const More = async () => ({
  config: async (config) => {
    config.provider = { ...config.provider, plugged: %s }
  },
})
"""


class TestModels(ProcessCase):
    def setUp(self) -> None:
        self.scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), {"README.md": "words\n"})
        refused = Fault(401, '{"error": {"message": "no such key"}}')
        self.scene.job.instead = {"Recon": [refused]}

    def provider(self, *models: str) -> dict[str, object]:
        return {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": self.scene.server.base_url, "apiKey": "none"},
            "models": {model: {} for model in models},
        }

    def commit(self, **files: str) -> None:
        for name, text in files.items():
            self.scene.repo.write(name, text)
        self.scene.repo.git("add", "--all")
        self.scene.repo.git("commit", "--quiet", "--message", "more")

    def tiers(self, provider: str, **others: str) -> str:
        return local_tiers(**{role: f"{provider}/{role}" for role in ROLES} | others)

    def is_called(self) -> None:
        """Demand that the first call gets as far as the provider, which refuses its key."""
        before = len(self.scene.server.requests)
        said = self.scene.director("plan", TASK, "--no-critique")
        self.assertEqual(said.code, 3, said.err)
        self.assertIn("401", said.err)
        self.assertEqual(len(self.scene.server.requests), before + 1)

    def test_a_misspelt_one_is_refused_before_the_first_request(self) -> None:
        config = json.dumps({"provider": {"mine": self.provider(*ROLES)}})
        self.scene.repo.write("opencode.json", config)
        self.scene.configure(self.tiers("mine", escalation="mine/escalaton"))
        said = self.scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 2, said.err)
        wanted = "OpenCode does not know mine/escalaton (escalation; did you mean mine/escalation?)"
        self.assertEqual(said.json["error"], wanted)
        self.assertEqual(self.scene.server.requests, [])
        self.assertEqual(self.scene.leftovers(), [])
        self.scene.configure(self.tiers("mine"))
        self.is_called()

    def test_one_that_opencode_cannot_list_beforehand_is_refused_in_the_call(self) -> None:
        self.scene.configure(self.tiers("mine"))  # it lists nothing at all
        said = self.scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 2, said.err)
        self.assertIn("Model not found: mine/explorer", said.json["error"])

    def test_those_of_the_job_count_not_those_of_todays_checkout(self) -> None:
        self.commit(**{"opencode.json": json.dumps({"provider": {"mine": self.provider(*ROLES)}})})
        self.scene.configure(self.tiers("mine"))
        other = json.dumps({"provider": {"other": self.provider("x")}})
        self.scene.repo.write("opencode.json", other)
        self.is_called()

    def test_those_that_a_plugin_brings_are_known(self) -> None:
        plugin = PLUGIN % json.dumps(self.provider(*ROLES))
        self.commit(**{".opencode/plugin/more.js": plugin})
        other = json.dumps({"provider": {"other": self.provider("x")}})
        self.scene.repo.write("opencode.json", other)
        self.scene.configure(self.tiers("plugged"))
        self.is_called()
