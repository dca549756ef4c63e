"""The fingerprint notices everything of the user's, and nothing of director's."""

from collections.abc import Callable
from pathlib import Path

from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo


class TestSampleRepo(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo = SampleRepo.create(
            self.tmp / "repo", self.env, {"a.py": "A = 1\n", "sub/b.py": "B = 1\n"}
        )

    def test_create_commits_the_files(self) -> None:
        self.assertEqual(self.repo.git("ls-tree", "-r", "--name-only", "HEAD"), "a.py\nsub/b.py")
        self.assertEqual(self.repo.git("status", "--porcelain"), "")
        self.assertEqual(self.repo.git("symbolic-ref", "HEAD"), "refs/heads/main")

    def test_commit_returns_the_new_commit(self) -> None:
        self.repo.write("new.py", "")
        commit = self.repo.commit("second")
        self.assertEqual(self.repo.git("rev-parse", "HEAD"), commit)
        self.assertIn("new.py", self.repo.git("ls-tree", "--name-only", commit))

    def test_git_says_what_failed(self) -> None:
        with self.assertRaisesRegex(AssertionError, "git rev-parse.*nonsense"):
            self.repo.git("rev-parse", "--verify", "nonsense")

    def test_a_sha256_repository(self) -> None:
        repo = SampleRepo.create(self.tmp / "sha256", self.env, object_format="sha256")
        self.assertEqual(len(repo.git("rev-parse", "HEAD")), 64)


class TestFingerprint(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        self.repo = SampleRepo.create(self.tmp / "repo", self.env, {"a.py": "A = 1\n"})
        self.repo.write("a.py", "A = 2\n")
        self.repo.git("stash")
        self.repo.git("branch", "other")

    def test_nothing_done_is_nothing_changed(self) -> None:
        self.assertEqual(self.repo.fingerprint(), self.repo.fingerprint())

    def test_sees_every_change_of_the_users(self) -> None:
        repo, root = self.repo, self.repo.root
        changes: dict[str, Callable[[], object]] = {
            "content": lambda: repo.write("a.py", "A = 3\n"),
            "mode": lambda: (root / "a.py").chmod(0o755),
            "a new file": lambda: repo.write("new.py", ""),
            "a new empty folder": lambda: (root / "empty").mkdir(),
            "a file that becomes a link": lambda: _relink(root / "new.py", "a.py"),
            "another link target": lambda: _relink(root / "new.py", "b.py"),
            "a removed file": lambda: (root / "new.py").unlink(),
            "the index": lambda: repo.git("add", "a.py"),
            "an index flag": lambda: repo.git("update-index", "--assume-unchanged", "a.py"),
            "a branch": lambda: repo.git("branch", "third"),
            "a moved branch": lambda: repo.git("branch", "-f", "other", "stash@{0}"),
            "a tag": lambda: repo.git("tag", "v1"),
            "HEAD": lambda: repo.git("symbolic-ref", "HEAD", "refs/heads/other"),
            "a detached HEAD": lambda: repo.git("update-ref", "--no-deref", "HEAD", "HEAD"),
            "config": lambda: repo.git("config", "x.y", "1"),
            "a hook": lambda: repo.write(".git/hooks/pre-commit", "#!/bin/sh\n"),
            "an exclude": lambda: repo.write(".git/info/exclude", "*.log\n"),
            "FETCH_HEAD": lambda: repo.write(".git/FETCH_HEAD", ""),
            "the stash": lambda: repo.git("stash", "drop"),
            "a reflog": lambda: repo.git("reflog", "delete", "main@{0}"),
            "a packed ref": lambda: (
                repo.git("pack-refs", "--all"),
                repo.git("branch", "-D", "third"),
            ),
            "a worktree": lambda: repo.git("worktree", "add", "-q", "../linked", "other"),
        }
        before = repo.fingerprint()
        for name, change in changes.items():
            change()
            after = repo.fingerprint()
            self.assertNotEqual(after, before, name)
            before = after

    def test_does_not_see_what_is_directors(self) -> None:
        before = self.repo.fingerprint()
        self.repo.write(".director/state.json", "{}")
        self.repo.git("hash-object", "-w", "--stdin")
        self.repo.git("update-ref", "--create-reflog", "refs/heads/director/job-1", "HEAD")
        self.repo.git("repack", "-q", "-d", "-n")
        self.assertEqual(self.repo.fingerprint(), before)

    def test_a_director_ref_among_packed_refs_is_not_the_users(self) -> None:
        self.repo.git("pack-refs", "--all")
        before = self.repo.fingerprint()
        self.repo.git("update-ref", "refs/heads/director/job-1", "HEAD")
        self.repo.git("pack-refs", "--all")
        self.assertEqual(self.repo.fingerprint(), before)

    def test_a_linked_worktree_is_described_with_the_shared_repository(self) -> None:
        self.repo.git("worktree", "add", "-q", "../linked", "other")
        linked = SampleRepo(self.tmp / "linked", self.env)
        before = linked.fingerprint()
        self.repo.git("config", "x.y", "1")
        self.assertNotEqual(linked.fingerprint(), before)
        before = linked.fingerprint()
        linked.write("a.py", "A = 9\n")
        self.assertNotEqual(linked.fingerprint(), before)


def _relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)
