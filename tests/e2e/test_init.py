"""The real OpenCode says which models it has, at what price: `init` writes it, `doctor` agrees."""

from __future__ import annotations

import json
import tomllib

from tests.e2e.scene import Scene
from tests.e2e.scripted_job import ScriptedJob, Word
from tests.support.hermetic import ProcessCase

PRICES = {"big": {"input": 5, "output": 25, "cache_read": 0.5}, "small": {"input": 1, "output": 4}}


class TestInit(ProcessCase):
    def setUp(self) -> None:
        self.scene = Scene.open(
            self.addCleanup, ScriptedJob((Word("hello"),)), {"a.txt": "words\n"}
        )
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": self.scene.server.base_url, "apiKey": "none"},
            "models": {name: {"cost": cost} for name, cost in PRICES.items()},
        }
        settings = json.dumps({"provider": {"mine": provider}})
        self.scene.repo.write("opencode.json", settings)
        self.scene.repo.git("add", "--all")
        self.scene.repo.git("commit", "--quiet", "--message", "models")

    def test_models_and_prices_are_asked_for_and_known(self) -> None:
        path = self.scene.repo.root / ".director/config.toml"
        path.unlink(missing_ok=True)
        said = self.scene.director("init", "--yes", "--json")
        self.assertEqual(said.code, 0, said.err)
        config = tomllib.loads(path.read_text())
        self.assertEqual(config["tiers"]["planner"], "mine/big")
        self.assertEqual(config["tiers"]["executor"], "mine/small")
        self.assertEqual(config["pricing"]["mine/big"]["cache_read"], 0.5)
        looked = self.scene.director("doctor", "--json")
        self.assertEqual(looked.code, 0, looked.out)
        models = [row for row in looked.json["rows"] if row["about"] == "model"]
        self.assertEqual([row["level"] for row in models], ["ok", "ok"], models)
        self.assertEqual(self.scene.server.requests, [])
        self.assertEqual(self.scene.leftovers(), [])
