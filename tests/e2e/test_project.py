"""A repository that has a configuration for OpenCode of its own."""

from __future__ import annotations

import json
import unittest

from tests.e2e.scene import ROLES, Scene, local_tiers, succeeded, system_prompt, tools_offered
from tests.e2e.scripted_job import TASK, ScriptedJob, Word

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
PACKAGE = json.dumps({"dependencies": {}})
FILES = {
    "AGENTS.md": "The rule of this house is HOUSE-RULE.\n",
    "opencode.json": json.dumps({"username": "sam"}) + "\n",  # no "$schema": OpenCode puts it in
    ".opencode/agents/executor.md": AGENT,
    ".opencode/agents/explorer.md": EXPLORER,
    ".opencode/package.json": PACKAGE,
    ".opencode/agents/director-executor.md": AGENT.replace("HOUSE-EXECUTOR", "IMPOSTOR"),
}


class TestProjectsOwnConfiguration(unittest.TestCase):
    def test_it_counts_and_what_opencode_writes_into_it_does_not(self) -> None:
        scene = Scene.open(self.addCleanup, ScriptedJob((HELLO,)), FILES)
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

        self.assertFalse(scene.in_sessions())  # its code must not get into a server for all
        status = succeeded(scene.director("status", "--json")).json
        node = status["nodes"]["hello"]
        self.assertEqual((node["status"], node["attempts"]), ("done", 1))
        self.assertEqual(node["model_used"], "mine/executor")
        self.assertEqual([one["outcome"] for one in node["tries"]], ["green"])
        branch = status["job_branch"]
        self.assertEqual(set(scene.paths(branch)), {*FILES, HELLO.test, HELLO.file})
        for path, text in FILES.items():
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
