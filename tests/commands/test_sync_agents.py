from __future__ import annotations

from tests.support.jobs import JobCase

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

    def test_what_somebody_edited_is_kept(self) -> None:
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
