from __future__ import annotations

import os
from pathlib import Path

from director.worktrees.stalling_repositories import folders_in, remove_stalling
from tests.support.hermetic import TemporaryCase


class TestRepositoriesThatKeepGitWaiting(TemporaryCase):
    def repository(self, name: str, *pipes: str) -> Path:
        folder = self.tmp / name
        for part in ("objects", "refs"):
            (folder / part).mkdir(parents=True)
        for pipe in pipes:
            os.mkfifo(folder / pipe)
        if "HEAD" not in pipes:
            (folder / "HEAD").write_text("ref: refs/heads/main\n")
        return folder

    def left(self, *spared: str) -> list[str]:
        """Return what is called ``.git`` after the removal."""
        remove_stalling(folders_in(self.tmp), [self.tmp / name for name in spared])
        return sorted(path.relative_to(self.tmp).as_posix() for path in self.tmp.rglob(".git"))

    def test_a_pipe_where_git_reads(self) -> None:
        self.repository("a/.git", "HEAD")
        self.repository("b/deep/.git", "commondir")
        self.repository("sound/.git")
        self.assertEqual(self.left(), ["sound/.git"])

    def test_what_leads_to_one_elsewhere(self) -> None:
        elsewhere, sound = self.repository("elsewhere", "HEAD"), self.repository("sound")
        for name, target in (("file", elsewhere), ("good", sound)):
            (self.tmp / name).mkdir()
            (self.tmp / name / ".git").write_text(f"gitdir: {target}\n")
        (self.tmp / "link").mkdir()
        (self.tmp / "link" / ".git").symlink_to(elsewhere)
        self.assertEqual(self.left(), ["good/.git"])
        self.assertTrue((elsewhere / "HEAD").is_fifo())

    def test_a_link_in_place_of_a_file_is_not_followed(self) -> None:
        os.mkfifo(self.tmp / "pipe")
        folder = self.repository("a/.git")
        (folder / "commondir").symlink_to(self.tmp / "pipe")
        self.assertEqual(self.left(), [])

    def test_of_a_spared_folder_only_its_own(self) -> None:
        self.repository("given/.git", "HEAD")
        self.repository("given/deep/.git", "HEAD")
        self.assertEqual(self.left("given"), ["given/deep/.git"])

    def test_folders_behind_links_are_left_alone(self) -> None:
        self.repository(".outside/.git", "HEAD")
        (self.tmp / "a").mkdir()
        (self.tmp / "a" / "link").symlink_to(self.tmp / ".outside")
        remove_stalling([self.tmp / "a"])
        self.assertTrue((self.tmp / ".outside" / ".git").is_dir())
