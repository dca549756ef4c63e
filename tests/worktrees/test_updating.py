"""A worktree for whose files no filter plays a part is read and written without git.

What holds for others holds for it. With it: ``plain_files``.
"""

from __future__ import annotations

import unittest

from director.worktrees.plain_files import is_plain_path
from tests.worktrees import test_snapshot, test_worktree
from tests.worktrees.plain_case import PlainCase


class TestReset(PlainCase, test_worktree.TestReset):
    pass


class TestSnapshot(PlainCase, test_snapshot.TestSnapshot):
    pass


class TestLinksAndFolders(PlainCase, test_snapshot.TestLinksAndFolders):
    pass


class TestUpdating(PlainCase):
    def test_a_candidate_is_read_and_checked_out_without_git(self) -> None:
        self.agent("echo 'A = 2' > a.py; echo x > pkg/new.py; chmod +x pkg/new.py; rm b.py")
        with self.unasked():
            tree = self.snapshot("a.py", "b.py", "pkg/new.py").tree
            commit = self.job.commit(tree, self.base, "candidate\n")
            for wanted in (commit, self.base, commit):
                self.worktree.reset(wanted)
        self.assert_holds_exactly(commit)
        self.assertEqual(self.agents_git("status", "--porcelain", "--ignored"), "")

    def test_what_comes_after_the_look_is_not_in_the_candidate(self) -> None:
        self.agent("echo 'A = 2' > a.py")
        snapshot = self.snapshot("a.py")
        self.agent("echo 'A = 3' > a.py")
        self.assertEqual(self.candidate(snapshot), {"a.py": ("100644", "A = 2\n")})

    def test_files_with_filters_are_gits(self) -> None:
        self.sample.git("config", "--global", "filter.up.clean", "tr a-z A-Z")
        self.sample.git("config", "--global", "filter.up.smudge", "tr A-Z a-z")
        self.sample.write(".gitattributes", "*.txt filter=up\n*.crlf text eol=crlf\n")
        self.sample.write("x.txt", "old\n")
        self.sample.write("x.crlf", "old\n")
        base = self.sample.commit()
        self.worktree.reset(base)
        self.agent("printf 'new\\n' > x.txt; printf 'new\\r\\n' > x.crlf")
        found = self.worktree.snapshot(base, ["x.txt", "x.crlf"])
        commit = self.job.commit(found.tree, base, "candidate\n")
        contents = self.job.contents(commit, ["x.txt", "x.crlf"])
        self.assertEqual(contents, {"x.txt": b"NEW\n", "x.crlf": b"new\n"})
        self.worktree.reset(base)
        self.worktree.reset(commit)
        self.assertEqual((self.root / "x.txt").read_bytes(), b"new\n")
        self.assertEqual((self.root / "x.crlf").read_bytes(), b"new\r\n")
        self.assertEqual(self.worktree.changed(), frozenset())


class TestPlainPaths(unittest.TestCase):
    def test_what_may_stand_for_a_git_folder_is_gits_to_judge(self) -> None:
        for path in (".git/x", "a/.GIT/x", ".git /x", ".git./x", "GIT~1/x", ".g\u200cit", "a\\b"):
            with self.subTest(path):
                self.assertFalse(is_plain_path(path))
        for path in ("a.py", ".github/x", ".gitignore", "git/x", "ä ö.py", "a~1"):
            with self.subTest(path):
                self.assertTrue(is_plain_path(path))
        for path in ("../x", "a//b", "a/./b", ""):
            self.assertFalse(is_plain_path(path))
