"""The scenarios of all agents, and what is Codex's own, with the real Codex."""

from __future__ import annotations

from director.demo.turns import Say, shell
from tests.e2e import scenarios  # by its module: a base class here would be run as a case
from tests.e2e.driven import Driven
from tests.e2e.models.responses_api import ResponsesApi
from tests.e2e.models.script import Turn
from tests.e2e.models.server import ScriptedServer
from tests.e2e.programs import CODEX
from tests.e2e.scene import succeeded
from tests.e2e.scripted_job import RECON, TASK

KEY = "SCRIPTED_KEY"
DRIVEN_CODEX = Driven(
    CODEX,
    prefix="codex/",
    serve=lambda job: ScriptedServer(ResponsesApi(), job),
    config=lambda server: f'[codex]\nbase_url = "{server.base_url}"\nenv_key = "{KEY}"\n',
    env=lambda _server, _folder: {KEY: "a-key-of-nobody"},
    tools=ResponsesApi().tools,
    refusal="Failed to write file|patch rejected",
)


class TestCodex(scenarios.AgentScenarios):
    driven = DRIVEN_CODEX

    def test_a_role_that_reads_has_a_shell_without_key_network_or_a_way_to_write(self) -> None:
        for mode in ("auto", "off"):
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
