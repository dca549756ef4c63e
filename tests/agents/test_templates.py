"""The bundled agent files can be used as they are; a repository's own win.

With it: ``registry``.
"""

from director.agents.permissions import permissions
from director.agents.registry import AGENT_FOLDERS
from director.agents.templates import bundled_text, load_template
from director.model.errors import RequestError
from director.model.roles import Agent
from tests.support.hermetic import TemporaryCase


class TestTemplates(TemporaryCase):
    def test_every_bundled_agent_can_be_read(self) -> None:
        for agent in Agent:
            template = load_template(agent, self.tmp, AGENT_FOLDERS)
            self.assertGreater(len(template.prompt), 200, agent)
            self.assertEqual(template.permission["*"], "deny", agent)
            self.assertEqual(template.permission["read"], "allow", agent)
            self.assertFalse(template.prompt.startswith("---"), agent)
            self.assertIn(template.prompt, bundled_text(agent))

    def test_a_repositorys_own_file_wins(self) -> None:
        for folder in (".opencode/agent", ".opencode/agents"):
            path = self.tmp / folder / "test-author.md"
            path.parent.mkdir(parents=True)
            path.write_text(f"---\nsteps: 7\npermission: allow\n---\nfrom {folder}\n")
            template = load_template(Agent.TEST_AUTHOR, self.tmp, AGENT_FOLDERS)
            self.assertEqual(template.prompt, f"from {folder}")
            self.assertEqual(template.header["steps"], 7)
            self.assertEqual(template.permission, {"*": "allow"})
        self.assertNotEqual(load_template(Agent.EXECUTOR, self.tmp, AGENT_FOLDERS).prompt, "mine")

    def own(self, agent: Agent, permission: str) -> dict[str, object]:
        """Return what ``agent`` is allowed, with a file of the repository's own."""
        path = self.tmp / f".opencode/agents/{agent}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ndescription: mine\n{permission}---\nDo it my way.\n")
        return dict(
            permissions(agent, load_template(agent, self.tmp, AGENT_FOLDERS).permission, ["a.py"])
        )

    def test_tools_that_an_own_file_does_not_name_are_as_in_the_bundled_one(self) -> None:
        for agent in Agent:
            bundled = load_template(agent, self.tmp / "elsewhere", AGENT_FOLDERS).permission
            plain = permissions(agent, bundled, ["a.py"])
            for permission in ("", "permission:\n", "permission:\n  webfetch: allow\n"):
                self.assertEqual(self.own(agent, permission), plain, (agent, permission))

    def test_a_tool_that_an_own_file_names_is_as_it_says(self) -> None:
        rules = self.own(Agent.EXPLORER, "permission:\n  read: deny\n  lsp: allow\n")
        self.assertEqual((rules["read"], rules["lsp"], rules["grep"]), ("deny", "allow", "allow"))
        rules = self.own(Agent.EXECUTOR, 'permission:\n  bash:\n    "make *": allow\n')
        self.assertEqual((rules["bash"], rules["read"]), ({"make *": "allow"}, "allow"))

    def test_patterns_of_an_own_file_come_after_the_bundled_names(self) -> None:
        rules = self.own(Agent.EXPLORER, 'permission:\n  "r*": deny\n  read: allow\n')
        names = [name for name in rules if name in ("r*", "read", "grep")]
        self.assertEqual(names, ["grep", "r*", "read"])

    def test_an_own_file_that_speaks_of_all_tools_decides_about_all(self) -> None:
        rules = self.own(Agent.EXPLORER, 'permission:\n  read: allow\n  "*": deny\n')
        self.assertEqual((rules["*"], rules["read"]), ("deny", "allow"))
        self.assertEqual(next(iter(rules)), "*")
        self.assertNotIn("grep", rules)
        for permission in ("permission: allow\n", 'permission:\n  "*": allow\n'):
            rules = self.own(Agent.EXPLORER, permission)
            self.assertEqual((rules["*"], rules["edit"], rules["bash"]), ("allow", "deny", "deny"))
            self.assertEqual(rules["webfetch"], "deny")
        self.assertEqual(self.own(Agent.EXPLORER, "permission: ask\n")["*"], "deny")

    def test_a_file_that_cannot_be_used_is_named(self) -> None:
        path = self.tmp / ".opencode/agents/executor.md"
        path.parent.mkdir(parents=True)
        for text, said in (
            ("---\na: [1]\n---\nx", "line 2"),
            ("---\na: 1\n---\n\n", "no prompt"),
            ("---\na: 1\n", "not closed"),
        ):
            path.write_text(text)
            with self.assertRaisesRegex(RequestError, said) as caught:
                load_template(Agent.EXECUTOR, self.tmp, AGENT_FOLDERS)
            self.assertIn(str(path), caught.exception.what)
