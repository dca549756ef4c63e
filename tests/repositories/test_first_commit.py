"""A folder becomes a repository with a commit; one that is, stays as it is."""

from __future__ import annotations

import subprocess

from director.model.errors import RequestError
from director.repositories.first_commit import begin_repository
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


class TestFirstCommit(HermeticCase):
    def git(self, *argv: str) -> str:
        command = ["git", *argv]
        done = subprocess.run(
            command, cwd=self.tmp / "new", env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.tmp / "new"
        self.folder.mkdir()

    def test_a_folder_with_files(self) -> None:
        for name, text in {"a": "1", "b.log": "2", ".gitignore": "*.log\n"}.items():
            (self.folder / name).write_text(text)
        (self.folder / ".director").mkdir()
        (self.folder / ".director" / "spec.md").write_text("x")
        made = begin_repository(self.folder, self.env)
        self.assertTrue(made.initialised)
        self.assertEqual(self.git("rev-parse", "HEAD").strip(), made.commit)
        self.assertEqual(self.git("ls-files").split(), [".gitignore", "a"])

    def test_an_empty_folder_where_git_knows_no_user(self) -> None:
        env = {**self.env, "GIT_CONFIG_GLOBAL": "/dev/null"}
        self.assertIsNotNone(begin_repository(self.folder, env).commit)
        self.assertEqual(self.git("log", "--format=%an").strip(), "director")

    def test_a_repository_without_a_commit(self) -> None:
        self.git("init", "--quiet")
        made = begin_repository(self.folder, self.env)
        self.assertEqual((made.initialised, made.commit is None), (False, False))

    def test_one_with_commits_stays_as_it_is(self) -> None:
        repo = SampleRepo.create(self.tmp / "repo", self.env, {"README": "hello\n"})
        repo.write("new.txt", "not committed\n")
        before = repo.fingerprint()
        self.assertEqual(begin_repository(repo.root, self.env), (False, None))
        self.assertEqual(repo.fingerprint(), before)

    def test_no_folder(self) -> None:
        with self.assertRaises(RequestError):
            begin_repository(self.tmp / "nowhere", self.env)
