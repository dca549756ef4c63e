"""What a project tells all agents."""

from __future__ import annotations

import os

from director.agents.instructions import MOST_BYTES, project_instructions
from tests.support.hermetic import HermeticCase


class TestProjectInstructions(HermeticCase):
    def test_each_file_stands_below_its_name(self) -> None:
        (self.tmp / "AGENTS.md").write_text("Use tabs.\n")
        (self.tmp / "CLAUDE.md").write_text("Be brief.\n")
        both = (
            "# AGENTS.md of this project\n\nUse tabs.\n\n# CLAUDE.md of this project\n\nBe brief."
        )
        self.assertEqual(project_instructions(self.tmp), both)
        only = "# CLAUDE.md of this project\n\nBe brief."
        self.assertEqual(project_instructions(self.tmp, ["CLAUDE.md"]), only)

    def test_where_there_is_none_nothing_is_said(self) -> None:
        (self.tmp / "AGENTS.md").mkdir()
        (self.tmp / "CLAUDE.md").write_text(" \n")
        self.assertEqual(project_instructions(self.tmp), "")

    def test_the_same_is_said_once(self) -> None:
        (self.tmp / "AGENTS.md").write_text("Use tabs.\n")
        (self.tmp / "CLAUDE.md").symlink_to("AGENTS.md")
        self.assertEqual(project_instructions(self.tmp).count("Use tabs."), 1)

    def test_what_lies_outside_the_worktree_is_not_read(self) -> None:
        worktree = self.tmp / "worktree"
        worktree.mkdir()
        (self.tmp / "private").write_text("secret\n")
        (worktree / "AGENTS.md").symlink_to("../private")
        (worktree / "CLAUDE.md").symlink_to("/dev/zero")
        self.assertEqual(project_instructions(worktree), "")

    def test_a_link_in_a_circle_is_no_file(self) -> None:
        (self.tmp / "AGENTS.md").symlink_to("AGENTS.md")
        self.assertEqual(project_instructions(self.tmp), "")

    def test_a_pipe_is_not_waited_for(self) -> None:
        os.mkfifo(self.tmp / "AGENTS.md")
        self.assertEqual(project_instructions(self.tmp), "")

    def test_what_is_too_long_is_cut(self) -> None:
        (self.tmp / "AGENTS.md").write_text("x" * (MOST_BYTES + 1))
        said = project_instructions(self.tmp)
        self.assertEqual(said.count("x"), MOST_BYTES)
        self.assertTrue(said.endswith("[cut: there is more]"))
