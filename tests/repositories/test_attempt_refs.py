"""What failed attempts came to is kept under refs of the job repository, for people to look at."""

from __future__ import annotations

import os
import shutil

from director.repositories.attempt_refs import kept_attempts
from director.repositories.job_repository import JobRepository, open_job_repository
from director.repositories.repository import open_repository
from tests.worktrees.jobs import BRANCH, JobCase


class TestAttemptRefs(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.one = self.add_commit(self.job, {"b.py": "B = 1\n"})
        self.other = self.add_commit(self.job, {"b.py": "B = 2\n"})

    def refs(self) -> dict[str, str]:
        """Return name → commit of the refs of attempts."""
        listed = self.job.git.output("for-each-ref", "--format=%(refname) %(objectname)")
        found = dict(line.split() for line in listed.decode().splitlines())
        return {name: oid for name, oid in found.items() if "attempts" in name}

    def opened_again(self) -> JobRepository:
        return open_job_repository(
            self.job.path, open_repository(self.sample.root, self.env), BRANCH
        )

    def test_a_candidate_can_be_looked_at_by_its_short_name(self) -> None:
        self.assertEqual(self.job.keep_attempt("n.1", 3, self.one), "attempts/n.1/3")
        self.assertIn(b"+B = 1", self.job.git.output("show", "attempts/n.1/3"))

    def test_each_commit_of_an_attempt_has_a_ref_of_its_own(self) -> None:
        commits = (self.one, self.other, self.one)
        names = [self.job.keep_attempt("a", 1, commit) for commit in commits]
        self.assertEqual(names, ["attempts/a/1", "attempts/a/1-2", "attempts/a/1"])
        kept = {"refs/attempts/a/1": self.one, "refs/attempts/a/1-2": self.other}
        self.assertEqual(self.refs(), kept)

    def test_what_an_earlier_run_kept_stays(self) -> None:
        self.job.keep_attempt("a", 1, self.one)
        again = self.opened_again()
        self.assertEqual(again.keep_attempt("a", 1, self.other), "attempts/a/1-2")
        self.assertEqual(self.opened_again().keep_attempt("a", 1, self.one), "attempts/a/1")
        kept = {"refs/attempts/a/1": self.one, "refs/attempts/a/1-2": self.other}
        self.assertEqual(self.refs(), kept)

    def test_it_outlives_a_garbage_collection(self) -> None:
        self.job.keep_attempt("a", 1, self.one)
        self.job.git.output("reflog", "expire", "--expire=now", "--all")
        self.job.git.output("gc", "--quiet", "--prune=now")
        self.assertFalse((self.job.path / "refs" / "attempts" / "a" / "1").exists())  # packed
        again = self.opened_again()
        self.assertEqual(again.contents(self.one, ["b.py"]), {"b.py": b"B = 1\n"})
        self.assertFalse(self.job.git.ok("cat-file", "-e", self.other))  # that one was not kept
        third = self.add_commit(again, {"b.py": "B = 3\n"})
        self.assertEqual(again.keep_attempt("a", 1, third), "attempts/a/1-2")

    def test_it_is_not_published(self) -> None:
        self.job.keep_attempt("a", 1, self.one)
        merged = self.add_commit(self.job, {"c.py": "C = 1\n"})
        self.job.advance(merged, self.base)
        self.assertIsNone(self.job.publish())
        refs = self.sample.git("for-each-ref", "--format=%(refname)")
        self.assertNotIn("attempts", refs)
        self.assertIn(BRANCH, refs)

    def test_nothing_is_written_through_what_agents_put_in_its_place(self) -> None:
        outside = self.tmp / "outside"
        outside.mkdir()
        (self.job.path / "refs" / "attempts").symlink_to(outside)
        self.assertEqual(self.job.keep_attempt("a", 1, self.one), "attempts/a/1")
        self.assertEqual(list(outside.iterdir()), [])
        self.assertEqual(self.refs(), {"refs/attempts/a/1": self.one})

    def test_what_agents_write_there_is_not_believed(self) -> None:
        forged = self.job.path / "refs" / "attempts" / "a" / "1"
        forged.parent.mkdir(parents=True)
        for said in (f"{self.other}\n", "0" * 40 + "\n", "nonsense", f"ref: refs/heads/{BRANCH}\n"):
            with self.subTest(said):
                forged.write_text(said)
                again = self.opened_again()
                self.assertEqual(again.tip(), self.base)
                name = again.keep_attempt("a", 1, self.one)
                shown = again.git.output("rev-parse", f"refs/{name}").decode().strip()
                self.assertEqual(shown, self.one)
                self.assertIsNone(again.publish())
                shutil.rmtree(forged.parent)
                forged.parent.mkdir()

    def test_only_plain_files_of_git_are_read(self) -> None:
        self.job.keep_attempt("a", 2, self.one)
        folder = self.job.path / "refs" / "attempts" / "a"
        os.mkfifo(folder / "3")  # git would wait for its other end
        (folder / "4").symlink_to("/dev/zero")
        (folder / "5").mkdir()
        (folder / "6").write_text("ref: refs/attempts/a/6\n")
        (folder / "seven").write_text(f"{self.other}\n")
        digits = "9" * 5000  # more than int() takes
        (self.job.path / "packed-refs").write_text(f"{self.other} refs/attempts/a/{digits}\n")
        self.assertEqual(kept_attempts(self.job.path, "a"), [("attempts/a/2", self.one)])

    def test_attempts_are_whole_commits_on_the_branch(self) -> None:
        self.job.keep_attempt("a", 1, self.one)
        git, folder = self.job.git, self.job.path / "refs" / "attempts" / "a"
        blob = git.text("hash-object", "-w", "--stdin", stdin=b"no commit")
        tree = git.text("hash-object", "-w", "-t", "tree", "--literally", "--stdin", stdin=b"no")
        broken = self.job.commit(tree, self.base, "odd")
        alone = git.text("commit-tree", f"{self.base}^{{tree}}", "-m", "alone")
        for forged in ("1" * 40, blob, f"{self.base}", broken, alone):
            with self.subTest(forged):
                (folder / "2").write_text(f"{forged}\n")
                self.assertEqual(self.opened_again().attempts("a"), [("attempts/a/1", self.one)])

    def test_what_is_damaged_is_not_named(self) -> None:
        tree = self.job.tree(self.one)
        path = self.job.path / "objects" / tree[:2] / tree[2:]
        path.chmod(0o600)
        path.write_bytes(b"")
        self.assertEqual(self.opened_again().keep_attempt("a", 1, self.one), "")
        self.assertEqual(self.refs(), {})
