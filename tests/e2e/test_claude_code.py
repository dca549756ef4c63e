"""The scenarios of all agents, and what only Claude Code has, with the real one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from director.demo.turns import Call, Cut, Fault, Say, Use, read, shell, write
from tests.e2e import scenarios  # by its module: a base class here would be run as a case
from tests.e2e.driven import Driven, Server
from tests.e2e.models.messages import MessagesApi
from tests.e2e.models.script import Flaky
from tests.e2e.models.server import ScriptedServer
from tests.e2e.programs import CLAUDE_CODE
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, RECON, TASK, writes

API = MessagesApi()
KEY = "test-key-of-the-scripted-model"
LOGIN = {"accessToken": "token-of-a-login", "refreshToken": "r", "expiresAt": 4102444800000}


def _env(server: Server, _folder: Path) -> dict[str, str]:
    return {"ANTHROPIC_BASE_URL": server.base_url.removesuffix("/v1"), "ANTHROPIC_API_KEY": KEY}


DRIVEN = Driven(
    CLAUDE_CODE,
    prefix="claude-code/",
    serve=partial(ScriptedServer, API),
    config=lambda _server: "",
    env=_env,
    tools=API.tools,
    refusal="No such tool available",
    temporary=f"claude-{os.getuid()}",
)


class TestClaudeCode(scenarios.AgentScenarios):
    driven = DRIVEN

    def check_ended(self, calls: Sequence[Mapping[str, Any]]) -> None:
        for one in calls:
            self.assertGreater(one["cost"], 0, "a call that was ended is paid for")

    def test_what_the_allowlist_does_not_name_is_refused(self) -> None:
        scene = self.planned()
        outside = scene.repo.root / "planted.txt"
        scene.job.instead = {
            "Implement": [
                read("kept.txt"),
                writes({"kept.txt": "changed\n", "new.txt": "x\n", str(outside): "x\n"}),
                shell("git push --dry-run"),
                Use((Call("Task", {"prompt": "x"}), Call("WebFetch", {"url": "x"}))),
                writes({scenarios.HELLO.file: "hello\n"}),
                DONE,
            ]
        }
        succeeded(scene.director("run"))
        told = json.dumps(scene.requests("Implement")[-1].body["messages"])
        self.assertEqual(told.count("Permission to use Write has been denied"), 3)
        self.assertEqual(told.count("Permission to use Bash with command git push"), 1)
        self.assertEqual(told.count("No such tool available"), 2)
        self.assertFalse(outside.exists())

    def test_a_failure_that_passes_is_not_noticed(self) -> None:
        scene = self.open()
        scene.job.instead = {"Recon": [Flaky(Fault(529), Say(RECON))]}
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))

    def test_an_answer_that_was_cut_is_none(self) -> None:
        scene = self.open()
        scene.job.instead = {"Recon": [Cut("## Layout\n\nOne text file")]}
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 3, said.err)
        self.assertIn("was cut off", said.out)

    def test_a_model_that_does_not_exist_is_an_error_of_the_configuration(self) -> None:
        scene = self.open()
        body = {"type": "error", "error": {"type": "not_found_error", "message": "model: explorer"}}
        scene.job.instead = {"Recon": [Fault(404, json.dumps(body))]}
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 2, said.err)
        self.assertIn("there is no model claude-code/explorer", said.json["error"])

    def test_settings_of_the_project_and_of_the_user_play_no_part(self) -> None:
        scene = self.open('[claude-code]\nhome = "user"\n')
        hooked = scene.repo.root.parent / "hooked"
        command = {"type": "command", "command": f"touch {hooked}"}
        hooks = {"hooks": {"SessionStart": [{"hooks": [command]}]}}
        settings = json.dumps(hooks | {"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"}})
        scene.repo.write(".claude/settings.json", settings)
        scene.repo.git("add", "--all")
        scene.repo.git("commit", "--quiet", "--message", "settings")
        home = Path(scene.env["HOME"]) / ".claude"
        home.mkdir()
        (home / "settings.json").write_text(settings)
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        self.assertFalse(hooked.exists())

    def test_a_file_that_a_prompt_names_is_not_sent(self) -> None:
        scene = self.open()
        outside = scene.repo.root.parent / "outside.txt"
        outside.write_text("what was not asked for\n")
        task = f"{TASK} Mind @{outside} and @README.md."
        succeeded(scene.director("plan", task, "--auto", "--no-critique"))
        bodies = json.dumps([one.body for one in scene.server.requests])
        self.assertIn(f"@{outside}", bodies)
        self.assertFalse("what was not asked for" in bodies)

    def test_a_login_is_used_where_the_home_is_the_users(self) -> None:
        scene = self.open()
        del scene.env["ANTHROPIC_API_KEY"]
        home = Path(scene.env["HOME"]) / ".claude"
        home.mkdir()
        login = {"claudeAiOauth": {**LOGIN, "scopes": ["user:inference"]}}
        (home / ".credentials.json").write_text(json.dumps(login))
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual((said.code, len(scene.server.requests)), (3, 0), said.err)
        self.assertIn("it needs ANTHROPIC_API_KEY", said.out)
        scene.configure('[claude-code]\nhome = "user"\n')
        writing = write(scenarios.HELLO.test, scenarios.HELLO.test_text)
        scene.job.instead = {"Tests": [shell("touch ran"), writing, DONE]}
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        tokens = {one.get("authorization") for one in self.served(scene).headers}
        self.assertEqual(tokens, {"Bearer token-of-a-login"})
        self.assertNotIn('is_error": true', json.dumps(scene.requests("Tests")[-1].body))

    def test_no_other_model_is_asked(self) -> None:
        scene = self.planned()
        self.assertLessEqual(set(self.served(scene).strays), {"HEAD /"})

    def test_effort_and_options_reach_the_provider(self) -> None:
        extra = '[sampling.explorer]\nreasoning_effort = "low"\n'
        scene = self.open(extra + '[sampling.explorer.options]\nservice_tier = "auto"\n')
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        body = scene.requests("Recon")[0].body
        self.assertEqual((body["output_config"]["effort"], body["service_tier"]), ("low", "auto"))
        self.assertNotIn("service_tier", scene.requests("Spec")[0].body)

    def test_sampling_that_it_lacks_is_refused(self) -> None:
        scene = self.open("[sampling.planner]\ntemperature = 0.2\n")
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual((said.code, len(scene.server.requests)), (2, 0), said.err)
        self.assertIn("sampling.planner.temperature", said.json["error"])

    def test_a_program_that_is_not_there_is_named(self) -> None:
        scene = self.open('[claude-code]\nprogram = "no-such-claude"\n')
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 2, said.err)
        self.assertIn("no-such-claude", said.json["error"])

    def served(self, scene: Scene) -> ScriptedServer:
        assert isinstance(scene.server, ScriptedServer)
        return scene.server
