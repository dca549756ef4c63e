"""The bundled agent files can be used as they are; a repository's own win."""

from director.agents.templates import bundled_text, load_template
from director.model.errors import RequestError
from director.model.roles import Agent
from tests.support.hermetic import HermeticCase


class TestTemplates(HermeticCase):
    def test_every_bundled_agent_can_be_read(self) -> None:
        for agent in Agent:
            template = load_template(agent, self.tmp)
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
            template = load_template(Agent.TEST_AUTHOR, self.tmp)
            self.assertEqual(template.prompt, f"from {folder}")
            self.assertEqual(template.header["steps"], 7)
            self.assertEqual(template.permission, {"*": "allow"})
        self.assertNotEqual(load_template(Agent.EXECUTOR, self.tmp).prompt, "mine")

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
                load_template(Agent.EXECUTOR, self.tmp)
            self.assertIn(str(path), caught.exception.what)
