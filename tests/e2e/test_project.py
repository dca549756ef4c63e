"""A repository that has a configuration for OpenCode of its own."""

from __future__ import annotations

import json

from tests.e2e.scene import ROLES, Scene, local_tiers, succeeded, system_prompt, tools_offered
from tests.e2e.scripted_job import TASK, ScriptedJob, Word
from tests.support.hermetic import ProcessCase

HELLO = Word("hello")
AGENT = """\
---
description: This repository's own executor.
mode: primary
permission:
  "*": deny
  read: allow
  task: allow
---
You are the executor of this house: HOUSE-EXECUTOR.
"""
EXPLORER = """\
---
description: It says nothing of what it may do.
mode: primary
---
You are the explorer of this house: HOUSE-EXPLORER.
"""
IMPOSTOR = """\
---
mode: primary
disable: true
permission:
  read: deny
---
You are an IMPOSTOR.
"""
PLUGIN = "export const Mine = async () => ({})\n"
PACKAGE = json.dumps({"dependencies": {}})
FILES = {
    "AGENTS.md": "The rule of this house is HOUSE-RULE.\n",
    "opencode.json": json.dumps({"username": "sam"}) + "\n",  # no "$schema": OpenCode puts it in
    ".opencode/agents/executor.md": AGENT,
    ".opencode/agents/explorer.md": EXPLORER,
    ".opencode/package.json": PACKAGE,
    ".opencode/agents/director-executor.md": IMPOSTOR,
}


def notices(scene: Scene) -> list[str]:
    """Return what was told besides; that there are no [gates] is another matter."""
    told = [one["message"] for one in scene.lines("events.jsonl") if one["kind"] == "notice"]
    return [message for message in told if not message.startswith("no integration gate")]


class TestProjectsOwnConfiguration(ProcessCase):
    def test_it_counts_and_what_opencode_writes_into_it_does_not(self) -> None:
        scene = self.scene_of_a_job(FILES)
        self.assertTrue(scene.in_sessions())  # it is nothing but agents and plain settings
        self.assertEqual(notices(scene), [])

    def test_a_plugin_does_not_get_into_a_server_for_all(self) -> None:
        name = ".opencode/plugin/mine.js"
        scene = self.scene_of_a_job({**FILES, name: PLUGIN})
        self.assertFalse(scene.in_sessions())
        told = notices(scene)
        self.assertEqual(len(told), 2)  # one for each command
        self.assertIn(f"the worktree has code that OpenCode would run ({name})", told[0])

    def scene_of_a_job(self, files: dict[str, str]) -> Scene:
        """Demand that a job in a repository of ``files`` goes as its own configuration says."""
        scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), files)
        scene.configure(local_tiers(**{role: f"mine/{role}" for role in ROLES}))
        mine = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": scene.server.base_url, "apiKey": "none"},
            "models": {role: {} for role in ROLES},
        }
        uncommitted = {"username": "sam", "provider": {"mine": mine}}
        scene.repo.write("opencode.json", json.dumps(uncommitted))
        before = scene.repo.fingerprint()

        succeeded(scene.director("plan", TASK, "--no-critique"))
        succeeded(scene.director("run"))

        status = succeeded(scene.director("status", "--json")).json
        node = status["nodes"]["hello"]
        self.assertEqual((node["status"], node["attempts"]), ("done", 1))
        self.assertEqual(node["model_used"], "mine/executor")
        self.assertEqual([one["outcome"] for one in node["tries"]], ["green"])
        branch = status["job_branch"]
        self.assertEqual(set(scene.paths(branch)), {*files, HELLO.test, HELLO.file})
        for path, text in files.items():
            self.assertEqual(scene.show(branch, path), text.strip(), path)

        for request in scene.server.requests:
            self.assertIn("HOUSE-RULE", system_prompt(request))
        for request in scene.requests("Implement"):
            self.assertIn("HOUSE-EXECUTOR", system_prompt(request))
            self.assertNotIn("IMPOSTOR", system_prompt(request))
            self.assertNotIn("You implement one node", system_prompt(request))
        offered = tools_offered(scene.requests("Implement"))
        self.assertEqual(offered & {"task", "bash", "webfetch"}, set())
        self.assertLessEqual({"read", "write", "edit"}, offered)
        for request in scene.requests("Recon"):
            self.assertIn("HOUSE-EXPLORER", system_prompt(request))
        offered = tools_offered(scene.requests("Recon"))
        self.assertLessEqual({"read", "glob", "grep"}, offered)
        self.assertEqual(offered & {"task", "bash", "write", "edit", "webfetch"}, set())
        self.assertEqual(scene.repo.fingerprint(), before)
        self.assertEqual(scene.leftovers(), [])
        return scene
