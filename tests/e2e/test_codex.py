"""The scenarios of all agents, and what is Codex's own, with the real Codex."""

from __future__ import annotations

import json
from pathlib import Path

from director.demo.turns import Cut, Fault, Say, shell
from tests.e2e import scenarios  # by its module: a base class here would be run as a case
from tests.e2e.driven import Driven
from tests.e2e.models.responses_api import ResponsesApi
from tests.e2e.models.script import Length, Turn
from tests.e2e.models.server import ScriptedServer
from tests.e2e.programs import CODEX
from tests.e2e.scene import Scene, succeeded
from tests.e2e.scripted_job import DONE, RECON, TASK, writes

KEY = "SCRIPTED_KEY"
DRIVEN_CODEX = Driven(
    CODEX,
    prefix="codex/",
    serve=lambda job: ScriptedServer(ResponsesApi(), job),
    config=lambda server: f'[codex]\nbase_url = "{server.base_url}"\nenv_key = "{KEY}"\n',
    env=lambda _server, _folder: {KEY: "a-key-of-no-one"},
    tools=ResponsesApi().tools,
    refusal="Failed to write file|patch rejected",
)


class TestCodex(scenarios.AgentScenarios):
    driven = DRIVEN_CODEX

    def test_a_role_that_reads_has_a_shell_without_key_network_or_a_way_to_write(self) -> None:
        for mode in ("auto", "strict", "off"):
            with self.subTest(mode=mode):
                scene = self.open(f'[sandbox]\nmode = "{mode}"\n')
                turns: list[Turn] = [
                    shell("cat kept.txt"),
                    shell("touch planted.txt || echo no file"),
                    shell(f'echo "key: [${KEY}]"'),
                    shell("python3 -c 'import socket; socket.socket()' || echo no network"),
                    Say(RECON),
                ]
                scene.job.instead = {"Recon": turns}
                succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
                items = scene.requests("Recon")[-1].body["input"]
                said = [item["output"].splitlines()[-1] for item in items if "output" in item]
                self.assertEqual(said, ["kept", "no file", "key: []", "no network"])

    def test_an_edit_outside_the_allowlist_is_never_merged(self) -> None:
        scene = self.planned(scenarios.SHORT_LIMITS)
        work = writes({"kept.txt": "changed\n", scenarios.HELLO.file: "hello\n"})
        scene.job.instead = {"Implement": [work, DONE]}
        self.assertEqual(scene.director("run").code, 1)
        status = succeeded(scene.director("status", "--json")).json
        outcomes = {one["outcome"] for one in status["nodes"]["hello"]["tries"]}
        self.assertEqual(outcomes, {"out_of_scope"})
        (node,) = (one for one in scene.lines("metrics.jsonl") if one["kind"] == "node")
        # A command that it refuses is not told of.
        self.assertEqual(node["watch_it_fail"]["verdict"], "unknown")
        self.assertNotIn(scenarios.HELLO.file, scene.paths(status["job_branch"]))

    def test_a_cost_is_unknown_without_a_price(self) -> None:
        scene = self.planned()
        calls = scene.lines("costs.jsonl")
        self.assertEqual({one["cost"] for one in calls}, {None})
        for one in calls:
            self.assertGreater(one["input"], 0)

    def test_writers_have_their_own_tools_outside_directors_confinement(self) -> None:
        scene = self.open('[sandbox]\nmode = "off"\n')
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        succeeded(scene.director("run"))
        self.assertEqual(scene.leftovers(), [])

    def test_a_login_is_used_where_the_home_is_the_users(self) -> None:
        scene = self.open()
        del scene.env[KEY]
        said = scene.director("plan", TASK, "--no-critique")
        self.assertEqual((said.code, len(scene.server.requests)), (2, 0), said.err)
        self.assertIn(KEY, said.err)
        home = Path(scene.env["HOME"]) / ".codex"
        home.mkdir()
        config = scene.repo.root / ".director" / "config.toml"
        config.write_text(config.read_text().replace("[codex]", '[codex]\nhome = "user"'))
        said = scene.director("plan", TASK, "--no-critique")
        self.assertIn("not logged in", said.err)
        (home / "auth.json").write_text(json.dumps({"OPENAI_API_KEY": "a-key-of-a-login"}))
        hooked = scene.repo.root.parent / "hooked"
        (home / "config.toml").write_text(f'notify = ["touch", "{hooked}"]\nmodel = "other"\n')
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        headers = self.served(scene).headers
        self.assertEqual({one["authorization"] for one in headers}, {"Bearer a-key-of-a-login"})
        self.assertEqual({one.model for one in scene.server.requests} & {"other"}, set())
        self.assertFalse(hooked.exists())
        self.assertEqual(list(home.glob("*.sqlite")), [])

    def test_a_provider_that_keeps_failing_is_asked_three_times_in_a_call(self) -> None:
        scene = self.open()
        for turn in (Fault(500), Fault(401), Cut("Half an ans")):
            before = len(scene.server.requests)
            scene.job.instead = {"Recon": [turn]}
            self.assertEqual(scene.director("plan", TASK, "--no-critique").code, 3)
            self.assertEqual(len(scene.server.requests) - before, 3, turn)

    def test_no_other_model_is_asked(self) -> None:
        scene = self.planned()
        self.assertEqual(self.served(scene).strays, [])

    def test_effort_reaches_the_provider(self) -> None:
        scene = self.open('[sampling.explorer]\nreasoning_effort = "low"\n')
        succeeded(scene.director("plan", TASK, "--auto", "--no-critique"))
        self.assertEqual(scene.requests("Recon")[0].body["reasoning"]["effort"], "low")

    def test_a_model_that_does_not_exist_is_an_error_of_the_configuration(self) -> None:
        scene = self.open()
        error = {"message": "The model `explorer` does not exist", "code": "model_not_found"}
        scene.job.instead = {"Recon": [Fault(404, json.dumps({"error": error}))]}
        said = scene.director("plan", TASK, "--no-critique", "--json")
        self.assertEqual(said.code, 2, said.err)
        self.assertIn("there is no model codex/explorer", said.json["error"])

    def test_an_answer_that_was_cut_short_by_its_length_is_not_taken(self) -> None:
        scene = self.planned()
        scene.job.instead = {"Implement": [Length("I wou")]}
        said = scene.director("run")
        self.assertEqual(said.code, 1, said.err)
        self.assertFalse(scene.lines("costs.jsonl")[-1]["ok"])

    def served(self, scene: Scene) -> ScriptedServer:
        assert isinstance(scene.server, ScriptedServer)
        return scene.server
