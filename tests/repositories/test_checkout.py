"""The short way to the top of a checkout says what git says, or nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from director.repositories.checkout import has_usual_format, top_of_checkout
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


class TestTopOfCheckout(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.sample = SampleRepo.create(self.tmp / "repo", self.env, {"a/b/file": "x\n"})
        self.root = self.sample.root

    def as_git_says(self, path: Path) -> Path | None:
        words = ("git", "rev-parse", "--show-toplevel")
        done = subprocess.run(words, cwd=path, env=self.env, capture_output=True, text=True)
        return Path(done.stdout.strip()) if done.returncode == 0 else None

    def assert_left_to_git(self, path: Path) -> None:
        self.assertIsNone(top_of_checkout(path), path)

    def test_a_plain_checkout_and_its_folders(self) -> None:
        link = self.tmp / "link"
        link.symlink_to(self.root / "a" / "b")
        for path in (self.root, self.root / "a" / "b", link, self.root / "a" / ".."):
            self.assertEqual(top_of_checkout(path), self.root.resolve())
            self.assertEqual(top_of_checkout(path), self.as_git_says(path))

    def test_a_repository_in_it_is_another_one(self) -> None:
        inner = SampleRepo.create(self.root / "inner", self.env, {"file": "x\n"}).root
        self.assertEqual(top_of_checkout(inner), inner.resolve())

    def test_a_linked_worktree_is_left_to_git(self) -> None:
        self.sample.git("worktree", "add", "-q", str(self.root / "linked"))
        self.assert_left_to_git(self.root / "linked")
        self.assertEqual(top_of_checkout(self.root), self.root.resolve())

    def test_bare_repositories_and_git_folders_are_left_to_git(self) -> None:
        self.sample.git("init", "-q", "--bare", str(self.root / "bare"))
        for path in (self.root / "bare" / "refs", self.root / ".git" / "refs"):
            self.assert_left_to_git(path)
            self.assertIsNone(self.as_git_says(path))

    def test_a_working_tree_elsewhere_is_left_to_git(self) -> None:
        (self.tmp / "tree").mkdir()
        self.sample.git("config", "core.worktree", str(self.tmp / "tree"))
        self.assert_left_to_git(self.root)

    def test_a_checkout_declared_bare_is_left_to_git(self) -> None:
        self.sample.git("config", "core.bare", "true")
        self.assert_left_to_git(self.root)

    def test_a_git_folder_that_is_none_is_left_to_git(self) -> None:
        (self.root / "a" / ".git").mkdir()
        self.assert_left_to_git(self.root / "a" / "b")
        shutil.rmtree(self.root / "a" / ".git")
        (self.root / ".git" / "HEAD").unlink()
        self.assert_left_to_git(self.root)

    def test_another_format_is_left_to_git(self) -> None:
        self.assertTrue(has_usual_format(self.root))
        for key, value in (("extensions.partialClone", "origin"), ("extensions.noop", "true")):
            self.sample.git("config", "core.repositoryFormatVersion", "1")
            self.sample.git("config", key, value)
            self.assertFalse(has_usual_format(self.root), key)
        self.sample.git("init", "-q", "--object-format=sha256", str(self.tmp / "other"))
        self.assertFalse(has_usual_format(self.tmp / "other"))
        (self.tmp / "linked").mkdir()
        (self.tmp / "linked" / ".git").symlink_to(self.root / ".git")
        self.assertFalse(has_usual_format(self.tmp / "linked"))

    def test_objects_or_refs_elsewhere_are_left_to_git(self) -> None:
        git, elsewhere = self.root / ".git", self.tmp / "elsewhere"
        for name in ("objects", "refs"):
            (git / name).rename(elsewhere)
            self.assertFalse(has_usual_format(self.root), name)
            (git / name).symlink_to(elsewhere)
            self.assertFalse(has_usual_format(self.root), name)
            (git / name).unlink()
            elsewhere.rename(git / name)
        self.assertTrue(has_usual_format(self.root))
        (git / "commondir").write_text(f"{elsewhere}\n")
        self.assertFalse(has_usual_format(self.root))

    def test_what_git_would_not_take_for_a_repository_is_left_to_it(self) -> None:
        config, head = self.root / ".git" / "config", self.root / ".git" / "HEAD"
        usual = config.read_text()
        for more in ("[core]\n\tbare\n", "[extensions]\n\tobjectFormat = sha256\n"):
            config.write_text(usual + more)
            self.assertFalse(has_usual_format(self.root), more)
        config.write_text(usual)
        self.assertTrue(has_usual_format(self.root))
        head.write_text("none\n")
        self.assertFalse(has_usual_format(self.root))

    def test_no_repository(self) -> None:
        (self.tmp / "elsewhere").mkdir()
        self.assert_left_to_git(self.tmp / "elsewhere")
