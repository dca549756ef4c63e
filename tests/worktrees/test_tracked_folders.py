"""New names in the folders of a commit are seen, whatever is done to hide them.

With it: trees too large for a look without git (``worktree_files``).
"""

from __future__ import annotations

import mmap
import os
import shutil
import unittest

from director.repositories.history import Entry
from director.repositories.objects import TREE_MODE
from director.worktrees.tracked_folders import (
    FINE_SETTLED_NS,
    SETTLED_NS,
    NewNames,
    TrackedFolders,
    is_settled,
)
from director.worktrees.worktree import Worktree
from tests.worktrees import test_snapshot, test_worktree
from tests.worktrees.plain_case import PlainCase

SECOND = 10**9


class TestTrackedFolders(PlainCase):
    def setUp(self) -> None:
        super().setUp()
        self.folders = TrackedFolders(self.root, self.job)
        self.look()

    def look(self) -> NewNames:
        return self.folders.look(self.base)

    def settle(self) -> None:
        """Have them known as clean, as if they were looked at when their times had settled."""
        self.folders.clean = {
            path: (status.st_ino, status.st_ctime_ns, oid)
            for path, oid in {
                "": self.job.tree(self.base),
                **{one.path: one.oid for one in self.job.folders(self.base)},
            }.items()
            for status in [os.lstat(self.root / path)]
        }

    def test_nothing_new(self) -> None:
        self.assertEqual(self.look(), NewNames())

    def test_files_folders_links_and_what_git_passes_over(self) -> None:
        self.agent("touch pkg/new; mkdir e; ln -s x pkg/deep/l; mkfifo pkg/p; git init -q pkg/deep")
        others, special, missing, closed = self.look()
        self.assertEqual(set(others), {"pkg/new", "e/", "pkg/deep/l"})
        self.assertEqual(set(special), {"pkg/p", "pkg/deep/.git"})
        self.assertEqual((missing, closed), ((), ()))

    def test_a_pipe_with_the_name_of_an_attributes_file(self) -> None:
        self.agent("mkfifo pkg/.gitattributes")
        self.assertEqual(self.look().others, ("pkg/.gitattributes",))

    def test_a_new_name_with_the_times_of_the_folder_put_back(self) -> None:
        self.settle()
        before = (self.root / "pkg").stat()
        self.agent("touch pkg/new")
        os.utime(self.root / "pkg", ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.look().others, ("pkg/new",))

    def test_a_name_that_another_took_and_gave_back(self) -> None:
        self.settle()
        self.agent("mv pkg/c.py x; mv x pkg/c.py; touch tests/new; mv tests y; mv y tests")
        self.assertEqual(self.look().others, ("tests/new",))

    def test_another_folder_in_its_place(self) -> None:
        self.settle()
        self.agent("cp -rp pkg other; touch other/deep/new; rm -r pkg; mv other pkg")
        self.assertEqual(self.look().others, ("pkg/deep/new",))

    def test_two_folders_that_changed_places(self) -> None:
        self.settle()
        self.agent("mv pkg x; mv tests pkg; mv x tests")
        others, _, missing, _ = self.look()
        self.assertEqual(set(others), {"pkg/test_a.py", "tests/c.py", "tests/deep/"})
        self.assertEqual(missing, ("pkg/deep",))

    def test_a_folder_without_files_is_not_made_by_git_and_not_missing(self) -> None:
        empty = self.job.git.text("mktree")  # as converters of other histories leave it
        nested = f"040000 tree {empty}\tvoid\n".encode()
        above = self.job.git.output("mktree", stdin=nested).decode().strip()
        entries = [Entry("hollow", TREE_MODE, empty), Entry("above", TREE_MODE, above)]
        tree = self.job.tree_with(self.base, entries)
        self.assertEqual(self.folders.look(tree), NewNames())
        self.agent("mkdir -p above/void; touch above/void/new")
        self.assertEqual(self.folders.look(tree).others, ("above/void/new",))

    def test_what_is_behind_a_link_is_not_the_worktrees(self) -> None:
        shutil.move(self.root / "pkg", self.tmp / "outside")
        (self.tmp / "outside" / "stray").touch()
        (self.root / "pkg").symlink_to(self.tmp / "outside")
        self.assertEqual(self.look(), NewNames(("pkg",), (), ("pkg", "pkg/deep")))
        with self.assertRaises(NotADirectoryError):
            self.folders.remove_special(self.base)

    def test_a_folder_is_compared_with_the_tree_that_it_was_compared_with_before(self) -> None:
        self.settle()
        entries = [one._replace(mode="000000") for one in self.job.entries(
            self.base, ["pkg/c.py"]).values()]  # fmt: skip
        self.assertEqual(self.folders.look(self.job.tree_with(self.base, entries)).others,
                         ("pkg/c.py",))  # fmt: skip

    def test_what_changed_within_a_tick_of_its_clock_is_looked_into_again(self) -> None:
        whole, fine = 1_000 * SECOND, 1_000 * SECOND + 1
        self.assertFalse(is_settled(whole, whole + SETTLED_NS))
        self.assertTrue(is_settled(whole, whole + SETTLED_NS + 1))
        self.assertFalse(is_settled(fine, fine + FINE_SETTLED_NS))
        self.assertTrue(is_settled(fine, fine + FINE_SETTLED_NS + 1))
        self.assertFalse(is_settled(fine, fine - SECOND))  # the clock was set back


class LargeCase(PlainCase):
    """Any number of files is more than director looks at itself."""

    def setUp(self) -> None:
        super().setUp()
        notes = self.worktree.index.with_suffix("")
        self.worktree = Worktree(self.root, notes, self.job, most_files=0)
        self.worktree.reset(self.base)
        self.assertIsNone(self.worktree._index.known())


class TestLargeReset(LargeCase, test_worktree.TestReset):
    pass


class TestLargeSnapshot(LargeCase, test_snapshot.TestSnapshot):
    pass


class TestLarge(LargeCase):
    def test_the_same_size_with_the_time_put_back(self) -> None:
        for name in ("b.py", "pkg/c.py"):
            place = self.root / name
            before = place.stat()
            place.write_text("X = 2\n")
            os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.worktree.changed(), {"b.py", "pkg/c.py"})
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_a_write_through_a_hard_link_outside(self) -> None:
        outside = self.tmp / "outside"
        os.link(self.root / "b.py", outside)
        outside.write_text("X = 2\n")
        self.assertEqual(self.worktree.changed(), {"b.py"})
        self.worktree.reset(self.base)
        outside.write_text("X = 3\n")
        self.assert_holds_exactly(self.base)

    def test_a_mapping_that_is_kept_open(self) -> None:
        place = self.root / "b.py"
        with place.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[4:5] = b"1"
            self.assertEqual(self.worktree.changed(), frozenset())
            mapping[4:5] = b"2"
            self.assertEqual(self.worktree.changed(), {"b.py"})
            self.worktree.reset(self.base)
            mapping[4:5] = b"3"
            self.assert_holds_exactly(self.base)

    def test_strays_pipes_and_repositories_in_folders_that_were_clean(self) -> None:
        self.worktree.changed()
        self.agent("touch pkg/x; mkfifo tests/p; git init -q pkg/deep; mkdir -p tests/e/e")
        self.assertEqual(self.snapshot("a.py").strays, ("pkg/x",))
        self.worktree.reset(self.base)
        self.assertFalse(os.path.lexists(self.root / "tests/p"))
        self.assert_holds_exactly(self.base)

    def test_a_folder_that_goes_is_empty_where_another_one_is_missing(self) -> None:
        other = self.without("pkg/deep/d.py")
        self.agent("git init -q pkg/deep; touch pkg/deep/.git/x; rm -r tests")
        self.snapshot("a.py")
        self.worktree.reset(other)
        self.assert_holds_exactly(other)

    def without(self, path: str) -> str:
        self.sample.git("rm", "-q", path)
        return self.sample.commit()

    @unittest.skipIf(os.geteuid() == 0, "root reads every folder")
    def test_a_folder_that_goes_and_hides_what_is_in_it(self) -> None:
        other = self.without("pkg/deep/d.py")
        self.agent("touch pkg/deep/x; git init -q pkg/deep; chmod 300 pkg/deep")
        self.snapshot("a.py")
        self.worktree.reset(other)
        self.assert_holds_exactly(other)

    @unittest.skipIf(os.geteuid() == 0, "root reads every folder")
    def test_a_folder_that_hides_what_is_in_it(self) -> None:
        self.agent("touch pkg/x; chmod 300 pkg")
        self.worktree.changed()
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)
