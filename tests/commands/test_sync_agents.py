from __future__ import annotations

import re
import tomllib

from director.agents.registry import BACKENDS
from director.model.config_reader import read_config
from tests.support.jobs import CONFIG, JobCase

AGENTS = ("brainstorm", "planner", "explorer", "test-author", "executor", "reviewer")


class TestSyncAgents(JobCase):
    def setUp(self) -> None:
        super().setUp()
        (self.home / "config.toml").unlink()

    def test_installs_agents_configuration_and_gitignore(self) -> None:
        done = self.ends(0, "sync-agents")
        for agent in AGENTS:
            self.assertTrue((self.repo.root / f".opencode/agents/{agent}.md").is_file())
            self.assertIn(f"written  .opencode/agents/{agent}.md", done.out)
        for name in (".opencode/opencode.json", ".director/config.toml", ".director/.gitignore"):
            self.assertTrue((self.repo.root / name).is_file())

    def test_a_second_time_changes_nothing(self) -> None:
        self.ends(0, "sync-agents")
        before = self.repo.fingerprint()
        self.assertNotIn("written", self.ends(0, "sync-agents").out)
        self.assertEqual(self.repo.fingerprint(), before)

    def test_what_was_edited_is_kept(self) -> None:
        self.ends(0, "sync-agents")
        mine = self.repo.write(".opencode/agents/executor.md", "My own prompt.\n")
        self.assertIn(
            "kept (edited)  .opencode/agents/executor.md", self.ends(0, "sync-agents").out
        )
        self.assertEqual(mine.read_text(), "My own prompt.\n")

    def test_what_was_there_before_is_kept(self) -> None:
        mine = self.repo.write(".opencode/opencode.json", "{}\n")
        self.ends(0, "sync-agents")
        self.assertEqual(mine.read_text(), "{}\n")

    def test_the_seeded_configuration_says_what_to_fill_in(self) -> None:
        self.ends(0, "sync-agents")
        text = (self.home / "config.toml").read_text()
        self.assertIn('planner     = "PROVIDER/STRONG-MODEL"', text)

    def test_records_stay_out_of_git_and_the_configuration_may_go_in(self) -> None:
        self.ends(0, "sync-agents")
        (self.home / "costs.jsonl").write_text("{}\n")
        listed = self.repo.git("status", "--porcelain", "--untracked-files=all")
        self.assertIn(".director/config.toml", listed)
        self.assertNotIn("costs.jsonl", listed)


class TestProposal(JobCase):
    """What lock files and manifests call for stands, commented out, in the configuration."""

    PROPOSED = (
        '# [worktree]\n# setup = "npm ci"\n# setup_inputs = ["package-lock.json", "package.json"]\n'
    )

    def setUp(self) -> None:
        super().setUp()
        (self.home / "config.toml").unlink()
        self.repo.write("package.json", '{"scripts": {"test": "node --test"}}')
        self.repo.write("package-lock.json", "{}")
        self.repo.commit()

    @property
    def text(self) -> str:
        return (self.home / "config.toml").read_text()

    def test_it_is_in_the_configuration_that_is_written(self) -> None:
        done = self.ends(0, "sync-agents")
        self.assertIn(self.PROPOSED, self.text)
        self.assertEqual(self.text.count("[worktree]\n"), 1)
        self.assertIn("# copy         = ", self.text)
        self.assertIn("So that tests run in worktrees, uncomment this in ", done.out)
        self.assertIn('\n[worktree]\nsetup = "npm ci"\n', done.out)
        self.assertNotIn("worktree", tomllib.loads(self.text))

    def test_other_keys_stand_apart_from_it(self) -> None:
        self.ends(0, "sync-agents")
        block = self.text.partition(self.PROPOSED)[2].partition("\n\n")[0]
        self.assertTrue(block.startswith("\n# Further keys of [worktree]:\n# copy "), block)

    def test_without_its_comment_signs_it_is_a_configuration(self) -> None:
        self.ends(0, "sync-agents")
        table = re.sub(r"^# ", "", self.PROPOSED, flags=re.MULTILINE)
        text = self.text.replace(self.PROPOSED, table)
        models = "\n".join(CONFIG.splitlines()[1:])
        text = re.sub(r"(?<=\[tiers\]\n)(?:\w.*\n)+", f"{models}\n", text)
        policy = read_config(text, "config.toml", BACKENDS).worktree
        self.assertEqual(policy.setup, "npm ci")
        self.assertEqual(policy.setup_inputs, ("package-lock.json", "package.json"))

    def test_a_second_time_changes_nothing(self) -> None:
        self.ends(0, "sync-agents")
        before = self.repo.fingerprint(), self.text
        self.assertNotIn("written", self.ends(0, "sync-agents").out)
        self.assertEqual((self.repo.fingerprint(), self.text), before)

    def test_beside_a_configuration_of_the_users_it_is_shown_once_it_is_needed(self) -> None:
        for mine, shown in (
            (CONFIG, "put into"),
            (f"{CONFIG}# [worktree]\n# setup = 'make'\n", "put into"),
            (f"{CONFIG}[worktree]\nsetup = 'make'\n", ""),
            (CONFIG + self.PROPOSED, "uncomment this in"),
        ):
            with self.subTest(mine[len(CONFIG) :]):
                (self.home / "config.toml").write_text(mine)
                done = self.ends(0, "sync-agents")
                self.assertEqual(self.text, mine)
                self.assertEqual('\n[worktree]\nsetup = "npm ci"\n' in done.out, shown != "")
                self.assertIn(f"worktrees, {shown} " if shown else "", done.out)

    def test_a_repository_without_manifests_gets_the_general_example(self) -> None:
        self.repo.git("rm", "--quiet", "package.json", "package-lock.json")
        self.ends(0, "sync-agents")
        self.assertIn('# keep         = ["target"]', self.text)
        self.assertNotIn("Lock files and manifests of this repository", self.text)
