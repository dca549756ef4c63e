"""The user's own settings of OpenCode are named, and complete before calls only read them."""

from __future__ import annotations

from director.agents.opencode.user_settings import complete_folder, user_settings
from director.model.config import Config
from director.model.roles import Role
from tests.support.hermetic import TemporaryCase

CONFIG = Config(tiers=dict.fromkeys(Role, "p/m"))


class TestPlaces(TemporaryCase):
    def test_the_usual_ones(self) -> None:
        self.assertEqual([*user_settings(CONFIG, {})], [".config/opencode", ".opencode"])

    def test_those_that_variables_name(self) -> None:
        env = {"XDG_CONFIG_HOME": "/x", "OPENCODE_CONFIG": "/c.json", "OPENCODE_CONFIG_DIR": "/d"}
        found = [*user_settings(CONFIG, env)]
        self.assertEqual(found, ["/x/opencode", ".opencode", "/c.json", "/d"])


class TestFolder(TemporaryCase):
    def test_ignore_rules_are_written_once(self) -> None:
        folder = self.tmp / ".config" / "opencode"
        folder.mkdir(parents=True)
        complete_folder({}, self.tmp)
        rules = folder / ".gitignore"
        self.assertIn("node_modules", rules.read_text().splitlines())
        rules.write_text("mine\n")
        complete_folder({}, self.tmp)
        self.assertEqual(rules.read_text(), "mine\n")

    def test_a_folder_that_is_not_there_is_not_made(self) -> None:
        complete_folder({"XDG_CONFIG_HOME": str(self.tmp / "none")}, self.tmp)
        self.assertFalse((self.tmp / "none").exists())
