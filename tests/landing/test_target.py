"""The branch that work lands on, and what of the user's checkout keeps it from being moved."""

from __future__ import annotations

from tests.landing.land_case import YES, LandCase


class TestBranch(LandCase):
    def test_a_detached_head_has_no_branch(self) -> None:
        self.repo.git("switch", "--quiet", "--detach")
        found = self.refuses(2, "request")
        self.assertIn("HEAD is detached", found["what"])
        self.assertIn("--onto", found["next"])

    def test_with_a_detached_head_another_branch_can_be_named(self) -> None:
        self.repo.git("switch", "--quiet", "--detach")
        detached = self.repo.git("rev-parse", "HEAD")
        found = self.land("--merge", "--yes", "--onto", "main")
        self.assertEqual(self.head(), found["landed"]["commit"])
        self.assertEqual(self.repo.git("rev-parse", "HEAD"), detached)
        self.assertFalse((self.repo.root / "a.txt").exists())

    def test_one_that_is_not_checked_out_is_moved_alone(self) -> None:
        self.repo.git("branch", "--quiet", "other")
        before = self.repo.fingerprint()
        old = self.head("other")
        found = self.land(*YES, "--onto", "other")
        new = self.head("other")
        self.assertEqual(found["undo"], ["git", "update-ref", "refs/heads/other", old, new])
        changed = {k for k, v in self.repo.fingerprint().items() if before.get(k) != v}
        expected = {".git/refs/heads/other", ".git/logs/refs/heads/other", "ref refs/heads/other"}
        self.assertEqual(changed, expected)
        self.repo.git(*found["undo"][1:])
        self.assertEqual(self.head("other"), old)

    def test_no_such_branch_and_none_of_directors(self) -> None:
        self.assertIn(
            "there is no branch nope", self.refuses(2, "request", *YES, "--onto", "nope")["what"]
        )
        found = self.refuses(2, "request", *YES, "--onto", self.branch)
        self.assertIn("a branch of director's", found["what"])

    def test_one_that_another_worktree_has_is_left_alone(self) -> None:
        place = self.place / "beside"
        self.repo.git("worktree", "add", "--quiet", "-b", "side", str(place))
        found = self.refuses(2, "request", *YES, "--onto", "side")
        self.assertIn(f"side is checked out in another worktree: {place}", found["what"])
        self.repo.git("-C", str(place), "switch", "--quiet", "--detach")
        self.land(*YES, "--onto", "side")

    def test_one_that_a_rebase_is_about_is_left_alone(self) -> None:
        self.repo.git("switch", "--quiet", "-c", "mine", "main")
        self.commit_of("x", "mine\n")
        self.repo.git("switch", "--quiet", "main")
        self.commit_of("x", "ours\n")
        self.repo.git("switch", "--quiet", "mine")
        with self.assertRaises(AssertionError):
            self.repo.git("rebase", "--quiet", "main")
        found = self.refuses(2, "request", *YES, "--onto", "mine")
        self.assertIn("mine is used by a rebase", found["what"])

    def test_in_the_middle_of_a_merge_nothing_is_moved(self) -> None:
        self.repo.git("switch", "--quiet", "-c", "mine", "main")
        self.commit_of("x", "mine\n")
        self.repo.git("switch", "--quiet", "main")
        self.commit_of("y", "ours\n")
        self.repo.git("merge", "--quiet", "--no-commit", "--no-ff", "mine")
        self.assertIn("a merge is under way", self.refuses(2, "request")["what"])

    def commit_of(self, path: str, text: str) -> None:
        self.repo.write(path, text)
        self.repo.git("add", "--", path)
        self.repo.git("commit", "--quiet", "--message", path)


class TestDirty(LandCase):
    def test_work_in_files_that_would_change_is_never_touched(self) -> None:
        self.commit_on_main("c.txt", "x\n")
        for name, prepare in {
            "untracked": lambda: self.repo.write("a.txt", "mine\n"),
            "ignored": self.ignored,
            "a file where a folder is to be": lambda: self.repo.write("tests", "mine\n"),
            "staged": self.staged,
        }.items():
            with self.subTest(name):
                prepare()
                found = self.refuses(2, "request")
                self.assertIn("work of yours that is not committed", found["what"])
                self.assertNotIn("whole", str(found.get("gates", "")))
                self.repo.git("reset", "--quiet", "--hard")
                for path in ("a.txt", "tests"):
                    (self.repo.root / path).unlink(missing_ok=True)
                (self.repo.root / ".git/info/exclude").write_text("")

    def ignored(self) -> None:
        (self.repo.root / ".git/info/exclude").write_text("a.txt\n")
        self.repo.write("a.txt", "mine\n")

    def staged(self) -> None:
        self.repo.write("b.txt", "mine\n")
        self.repo.git("add", "b.txt")

    def test_other_work_stays_as_it_is_staged_or_not(self) -> None:
        self.commit_on_main("c.txt", "x\n")
        self.repo.write("README", "changed\n")
        self.repo.write("new", "mine\n")
        self.repo.write("c.txt", "staged\n")
        self.repo.git("add", "c.txt")
        self.land()
        status = self.repo.git("status", "--porcelain", "--untracked-files=all").splitlines()
        status = [line for line in status if ".director" not in line]
        self.assertEqual([line.strip() for line in status], ["M README", "M  c.txt", "?? new"])
        self.assertEqual((self.repo.root / "README").read_text(), "changed\n")

    def test_a_branch_elsewhere_lands_whatever_the_checkout_holds(self) -> None:
        self.repo.git("branch", "--quiet", "other")
        self.repo.write("a.txt", "mine\n")
        self.land(*YES, "--onto", "other")
        self.assertEqual((self.repo.root / "a.txt").read_text(), "mine\n")


class TestSubmodules(LandCase):
    def test_a_repository_with_submodules_keeps_them_as_they_are(self) -> None:
        inner = self.place / "inner"
        inner.mkdir()
        git = ("-c", "protocol.file.allow=always")
        self.repo.git("init", "--quiet", str(inner))
        (inner / "code").write_text("x")
        self.repo.git("-C", str(inner), "add", "code")
        self.repo.git("-C", str(inner), "commit", "--quiet", "-m", "inner")
        self.repo.git(*git, "submodule", "--quiet", "add", str(inner), "lib")
        self.repo.git("commit", "--quiet", "--message", "lib")
        before = self.repo.git("submodule", "status")
        self.land("--merge", "--yes")
        self.assertEqual(self.repo.git("submodule", "status"), before)
        self.assertLessEqual({"lib", "a.txt", ".gitmodules"}, self.files())
