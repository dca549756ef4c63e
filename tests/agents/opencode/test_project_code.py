"""What a project has OpenCode run, and what OpenCode only reads."""

from __future__ import annotations

import json
import os

from director.agents.opencode.project_code import code_in, defines_agents, spare_install
from tests.support.hermetic import TemporaryCase


class ProjectCase(TemporaryCase):
    def write(self, name: str, text: str = "x") -> None:
        path = self.tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def code(self, name: str, text: str = "x") -> str | None:
        """Return what is code when the project holds that file, which is removed again."""
        self.write(name, text)
        found = code_in(self.tmp)
        (self.tmp / name).unlink()
        return found


class TestCode(ProjectCase):
    def test_agents_commands_skills_themes_and_plain_settings_are_none(self) -> None:
        self.assertIsNone(code_in(self.tmp))
        for name in (
            ".opencode/agents/executor.md",
            ".opencode/agent/sub/executor.md",
            ".opencode/command/x.md",
            ".opencode/modes/x.md",
            ".opencode/themes/dark.json",
            ".opencode/skills/x/SKILL.md",
            ".opencode/skills/x/scripts/run.py",
            ".opencode/plans/1.md",
            ".opencode/node_modules/left/index.js",
            ".opencode/.gitignore",
            ".opencode/bun.lock",
            "opencode.txt",
        ):
            self.assertIsNone(self.code(name), name)
        for name in ("opencode.json", ".opencode/opencode.json", ".opencode/opencode.jsonc"):
            plain = '{"model": "a/b", "instructions": ["plugin.md"], // "mcp"\n "lsp": false,}'
            self.assertIsNone(self.code(name, plain), name)
            self.assertIsNone(self.code(name, '{"provider": {"p": {"npm": "q"}}}'), name)

    def test_plugins_tools_and_whatever_is_no_text(self) -> None:
        for name in (
            ".opencode/plugin/x.ts",
            ".opencode/plugins/x.js",
            ".opencode/tool/x.ts",
            ".opencode/tools/x.js",
            ".opencode/agents/x.ts",
            ".opencode/unheard-of/x.mjs",
            ".opencode/run",
        ):
            self.assertEqual(self.code(name), name)

    def test_settings_that_start_something(self) -> None:
        for name in ("opencode.json", "opencode.jsonc", ".opencode/opencode.json"):
            for key in ("plugin", "mcp", "lsp", "formatter"):
                self.assertEqual(self.code(name, f'{{"{key}": ["x"]}}'), f'"{key}" in {name}')

    def test_packages(self) -> None:
        name = ".opencode/package.json"
        self.assertIsNone(self.code(name, '{"name": "x", "dependencies": {}}'))
        own = '{"dependencies": {"@opencode-ai/plugin": "1.18.33"}}'  # it writes that itself
        self.assertIsNone(self.code(name, own))
        for key in ("dependencies", "devDependencies"):
            self.assertEqual(self.code(name, f'{{"{key}": {{"zod": "4"}}}}'), name)
        for text in ("", "[]", '{"dependencies": ["zod"]}'):
            self.assertEqual(self.code(name, text), name)

    def test_what_cannot_be_looked_into(self) -> None:
        self.assertEqual(self.code("opencode.json", "{"), "opencode.json")
        self.assertEqual(self.code("opencode.json", '{"a":' * 9999), "opencode.json")
        (self.tmp / "opencode.json").symlink_to("nowhere")
        self.assertEqual(code_in(self.tmp), "opencode.json")
        (self.tmp / "opencode.json").unlink()
        os.mkfifo(self.tmp / "opencode.jsonc")  # nothing will ever write into it
        self.assertEqual(code_in(self.tmp), "opencode.jsonc")
        (self.tmp / "opencode.jsonc").unlink()
        (self.tmp / ".opencode").symlink_to("nowhere")
        self.assertEqual(code_in(self.tmp), ".opencode")

    def test_links(self) -> None:
        self.write(".opencode/agents/a.md")
        for name in ("agents/b.md", "plugin"):
            link = self.tmp / ".opencode" / name
            link.symlink_to(self.tmp)
            self.assertEqual(code_in(self.tmp), f".opencode/{name}")
            link.unlink()


class TestAgents(ProjectCase):
    def test_a_folder_or_a_key(self) -> None:
        self.assertFalse(defines_agents(self.tmp))
        self.write("opencode.json", '{"model": "a/b"}')
        self.assertFalse(defines_agents(self.tmp))
        for text in ('{"agent": {}}', '{"mode": {}}', "{"):
            self.write("opencode.json", text)
            self.assertTrue(defines_agents(self.tmp), text)
        (self.tmp / "opencode.json").unlink()
        self.write(".opencode/theme.json")
        self.assertTrue(defines_agents(self.tmp))


class TestInstall(ProjectCase):
    def test_nothing_is_made_where_there_is_no_folder(self) -> None:
        spare_install(self.tmp)
        self.assertFalse((self.tmp / ".opencode").exists())

    def test_the_folder_looks_as_after_an_install(self) -> None:
        self.write(".opencode/agents/a.md")
        for _ in range(2):
            spare_install(self.tmp)
        own = self.tmp / ".opencode"
        self.assertEqual(list((own / "node_modules").iterdir()), [])
        lock = json.loads((own / "package-lock.json").read_text())
        self.assertEqual(lock["packages"][""]["dependencies"].keys(), {"@opencode-ai/plugin"})

    def test_a_lock_file_of_the_projects_own_stays(self) -> None:
        self.write(".opencode/package-lock.json", "{}")
        spare_install(self.tmp)
        self.assertEqual((self.tmp / ".opencode/package-lock.json").read_text(), "{}")
