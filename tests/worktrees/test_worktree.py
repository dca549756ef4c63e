"""A reset worktree holds exactly its commit.

Of ``worktree``, ``worktree_files``, ``tracked_folders``, ``worktree_repository``.
"""

from __future__ import annotations

from tests.worktrees.worktree_case import WorktreeCase


class TestReset(WorktreeCase):
    def test_whatever_was_done_only_the_commit_is_left(self) -> None:
        outside = self.tmp / "outside"
        outside.mkdir()
        (outside / "c.py").write_text("mine\n")
        doings = {
            "edits": "echo x > a.py; rm b.py; chmod +x pkg/c.py",
            "strays": "touch stray; mkdir -p n/e/w; touch n/e/w/f",
            "ignored": "mkdir -p build __pycache__; touch build/x __pycache__/y z.log",
            "commits": "echo x > a.py; git add -A; git commit -qm x; touch y; git add y",
            "a nested repository": "git init -q vendor; touch vendor/f; git init -q pkg",
            "no .git": "rm .git",
            "a .git of its own": "rm .git; git init -q; git add -A; git commit -qm x",
            "a .git that is a link": f"rm .git; ln -s {self.tmp} .git",
            "a branch": "git checkout -q -b mine; git commit -q --allow-empty -m x",
            "hidden": "git update-index --assume-unchanged a.py; echo y > a.py",
            "a lock": "touch $(git rev-parse --git-dir)/index.lock",
            "a merge under way": "git rev-parse HEAD > $(git rev-parse --git-dir)/MERGE_HEAD",
            "a folder for a file": "rm a.py; mkdir a.py; touch a.py/x",
            "a file for a folder": "rm -r pkg; touch pkg",
            "a link for a folder": f"rm -r pkg; ln -s {outside} pkg",
            "a link for a file": f"ln -sf {outside}/c.py a.py",
            "an exclude": "echo '*' > .gitignore; touch hidden",
            "sparse": "git config core.sparseCheckout true;"
            " mkdir -p $(git rev-parse --git-common-dir)/info $(dirname"
            " $(git rev-parse --git-path info/sparse-checkout));"
            " echo /a.py | tee $(git rev-parse --git-common-dir)/info/sparse-checkout"
            " > $(git rev-parse --git-path info/sparse-checkout)",
            "a filter": "git config filter.x.smudge 'echo evil';"
            " cd $(git rev-parse --absolute-git-dir); mkdir -p info;"
            " echo '* filter=x' > info/attributes; cd $OLDPWD;"
            " rm a.py b.py",
            "replaced objects": "git replace $(git rev-parse HEAD:a.py)"
            " $(echo evil | git hash-object -w --stdin); rm a.py",
            "line ends": "git config core.autocrlf true; rm a.py",
            "no git folder": "rm -rf $(git rev-parse --absolute-git-dir)",
            "another git folder": "git init -q --bare $(git rev-parse --absolute-git-dir)",
            "closed folders of git": "chmod 0 $(git rev-parse --absolute-git-dir)/*",
            "a closed git folder": "chmod 0 $(git rev-parse --absolute-git-dir)",
            "a git folder that is not written": "chmod 500 $(git rev-parse --absolute-git-dir)",
            "a closed folder": "chmod 0 pkg/deep tests",
            "nothing at all": "rm -rf $PWD",
            "a file in its place": "rm -rf $PWD; touch $PWD",
            "a link in its place": f"rm -rf $PWD; ln -s {outside} $PWD",
            "a repository in a tracked folder": "git init -q pkg; touch pkg/stray pkg/deep/stray",
        }
        for name, script in doings.items():
            with self.subTest(name):
                self.agent(script)
                self.worktree.reset(self.base)
                self.assert_holds_exactly(self.base)
                self.assertEqual(self.agents_git("status", "--porcelain", "--ignored"), "")
                self.assertEqual(self.agents_git("rev-parse", "HEAD"), self.base)
                self.assertEqual(self.agents_git("rev-parse", "--abbrev-ref", "HEAD"), "HEAD")
        self.assertEqual((outside / "c.py").read_text(), "mine\n")

    def test_to_another_commit_and_back(self) -> None:
        self.sample.git("rm", "-qr", "pkg")
        self.sample.write("pkg", "a file now\n")
        self.sample.write("a.py", "A = 3\n").chmod(0o755)
        (self.sample.root / "link").symlink_to("a.py")
        other = self.sample.commit()
        for commit in (other, self.base, other):
            self.worktree.reset(commit)
            self.assert_holds_exactly(commit)
            self.assertEqual(self.agents_git("rev-parse", "HEAD"), commit)

    def test_a_candidate_can_be_checked_out_as_it_was_read(self) -> None:
        self.agent("echo 'A = 2' > a.py; mkdir n; echo x > n/new.py; touch stray.log")
        snapshot = self.snapshot("a.py", "n/new.py")
        commit = self.job.commit(snapshot.tree, self.base, "candidate\n")
        self.worktree.reset(commit)
        self.assert_holds_exactly(commit)
        self.assertEqual((self.root / "a.py").read_text(), "A = 2\n")
        self.assertFalse((self.root / "stray.log").exists())

    def test_whatever_was_done_only_the_candidate_is_left(self) -> None:
        doings = {
            "edits": "echo 2 > a.py; echo x > b.py; rm pkg/c.py",
            "strays": "echo 2 > a.py; touch stray pkg/stray; mkdir -p empty/er pkg/empty",
            "a folder for a file": "echo 2 > a.py; rm b.py; mkdir b.py; touch b.py/x",
            "a file for a folder": "echo 2 > a.py; rm -r pkg; touch pkg",
            "a link for a folder": f"echo 2 > a.py; mv pkg {self.tmp}/p; ln -s {self.tmp}/p pkg",
            "a repository": "echo 2 > a.py; git init -q pkg; git init -q other",
            "touched": "echo 2 > a.py; touch b.py; cp -p pkg/c.py x; mv x pkg/c.py",
            "a pipe": "echo 2 > a.py; mkfifo pkg/pipe tests/pipe pipe",
            "content that is another once it is out": "printf '2\\n' > a.py; chmod 600 b.py",
        }
        for name, script in doings.items():
            with self.subTest(name):
                self.worktree.reset(self.base)
                self.agent(script)
                tree = self.snapshot("a.py").tree
                commit = self.job.commit(tree, self.base, "candidate\n")
                for wanted in (commit, self.base, commit):
                    self.worktree.reset(wanted)
                    self.assert_holds_exactly(wanted)
                    self.assertEqual(self.agents_git("status", "--porcelain", "--ignored"), "")

    def test_what_a_snapshot_saw_counts_for_one_reset_only(self) -> None:
        self.agent("echo 2 > a.py; touch stray")
        self.snapshot("a.py")
        self.worktree.reset(self.base)
        self.agent("echo 2 > b.py; touch other")
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_the_agents_git_has_nothing_to_commit_after_a_reset(self) -> None:
        self.agent("echo x > a.py; git add a.py")
        self.worktree.reset(self.base)
        self.assertEqual(self.agents_git("diff", "--cached", "--name-only"), "")

    def test_a_snapshot_of_a_removed_worktree_says_that_all_is_gone(self) -> None:
        self.agent("rm -rf $PWD")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, set(self.files))
        self.assertEqual(self.candidate(snapshot), {"a.py": ("", "")})
