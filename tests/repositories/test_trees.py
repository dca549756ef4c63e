"""Folders are what git says they are, and those that are made are what git makes of the same."""

from __future__ import annotations

import unittest
from typing import ClassVar

from director.repositories.history import Entry
from director.repositories.objects import ABSENT_MODE, GITLINK_MODE, TREE_MODE, Item
from director.repositories.trees import EMPTY, KEPT_NAMES, Folder
from tests.worktrees.jobs import JobCase

OID, OTHER = "1" * 40, "2" * 40
FILE = Item("100644", OID)
GONE = Item(ABSENT_MODE, OID)


def entry(mode: str, name: bytes, oid: str = OID) -> bytes:
    return mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid)


class TestFolder(unittest.TestCase):
    def test_it_is_what_is_stored(self) -> None:
        tricky = "0a" * 10 + "00" + "20" * 9  # an id with a line feed, a NUL and blanks in it
        data = entry("100644", b"a b", tricky) + entry("40000", b"a") + entry("160000", b"\xff")
        folder = Folder.of(data, 20)
        self.assertEqual(folder.get("a b"), Item("100644", tricky))
        self.assertEqual(folder.get("a"), Item(TREE_MODE, OID))
        self.assertEqual(folder.get("\udcff"), Item(GITLINK_MODE, OID))
        self.assertIsNone(folder.get("b"))
        self.assertEqual([name for name, _ in folder.items()], ["a b", "a", "\udcff"])
        self.assertEqual([name for name, _ in folder.inner()], ["a", "\udcff"])
        self.assertEqual(folder.data, data)
        self.assertEqual(len(folder), 3)

    def test_ids_may_be_longer(self) -> None:
        data = entry("100644", b"a", "3" * 64)
        self.assertEqual(Folder.of(data, 32).get("a"), Item("100644", "3" * 64))

    def test_a_mode_of_old_tools_is_written_as_git_writes_it(self) -> None:
        folder = Folder.of(entry("040000", b"a") + entry("100644", b"b"), 20)
        self.assertEqual(folder.get("a"), Item(TREE_MODE, OID))
        self.assertEqual(folder.data, entry("40000", b"a") + entry("100644", b"b"))

    def test_other_data_is_refused(self) -> None:
        whole = entry("100644", b"a")
        for data in (whole[:-1], b"x" + whole, whole + b"tree", b"100644 a"):
            with self.subTest(data=data), self.assertRaises(ValueError):
                Folder.of(data, 20)

    def test_names_that_differ(self) -> None:
        one = EMPTY.with_items({"same": FILE, "a": FILE, "b": FILE, "c": FILE})
        two = one.with_items({"a": GONE, "b": Item(TREE_MODE, OID), "d": Item("100755", OID)})
        self.assertEqual(one.differing(two), ["a", "b", "d"])
        self.assertEqual(two.differing(one), ["a", "b", "d"])
        self.assertEqual(one.differing(one), [])

    def test_git_sorts_folders_behind_their_names(self) -> None:
        names = {"a": Item(TREE_MODE, OID), "a.b": FILE, "a-b": FILE, "a0": FILE}
        sorted_by_git = ["a-b", "a.b", "a", "a0"]
        for order in (sorted(names), sorted(names, reverse=True)):
            made = EMPTY.with_items({name: names[name] for name in order})
            again = Folder.of(made.data, 20)
            self.assertEqual([name for name, _ in again.items()], sorted_by_git)

    def test_a_folder_takes_the_place_of_a_file_and_the_other_way_round(self) -> None:
        folder = EMPTY.with_items({"a": FILE}).with_items({"a": Item(TREE_MODE, OTHER)})
        self.assertEqual(list(folder.items()), [("a", Item(TREE_MODE, OTHER))])
        self.assertEqual(list(folder.inner()), [("a", Item(TREE_MODE, OTHER))])
        file = folder.with_items({"a": FILE})
        self.assertEqual((list(file.items()), list(file.inner())), ([("a", FILE)], []))

    def test_what_it_was_made_from_stays_as_it_is(self) -> None:
        first = EMPTY.with_items({"a": FILE})
        first.with_items({"a": GONE, "b": FILE})
        self.assertEqual(list(first.items()), [("a", FILE)])
        self.assertEqual(len(EMPTY), 0)


class TestTrees(JobCase):
    files: ClassVar[dict[str, str]] = {"a.py": "A\n", "a/b.py": "B\n", "a-b": "", "d/e/f": "F\n"}

    def test_a_tree_is_written_as_git_has_it(self) -> None:
        tree = self.job.tree(self.base)
        self.assertEqual(self.job.trees.of(tree).data, self.job.objects.get(tree).data)

    def test_trees_are_made_as_git_makes_them(self) -> None:
        blob = self.job.store(b"N\n")
        changes: tuple[dict[str, str], ...] = (
            {"n/e/w": blob},
            {"a.py": "", "n": blob},
            {"a": blob, "a/b.py": ""},  # a file in the place of a folder
            {"a.py/x": blob, "a.py": ""},  # and the other way round
            {"d/e/f": "", "not there": "", "nor/this": ""},
            {"d/e/f": "", "a/b.py": "", "a-b": "", "a.py": ""},
            {},
        )
        for change in changes:
            with self.subTest(change=change):
                entries = [
                    Entry(path, "100644" if oid else ABSENT_MODE, oid or "0" * 40)
                    for path, oid in change.items()
                ]
                self.assertEqual(self.job.tree_with(self.base, entries), self._by_git(change))

    def _by_git(self, change: dict[str, str]) -> str:
        git = self.job.git.with_variables(GIT_INDEX_FILE=str(self.job.path / "trial.index"))
        git.output("read-tree", self.base)
        for path, oid in change.items():
            if not oid:
                git.output("rm", "--cached", "--quiet", "--ignore-unmatch", "--", path)
        for path, oid in change.items():
            if oid:
                git.output("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
        return git.text("write-tree")

    def test_an_empty_tree_is_known_too(self) -> None:
        empty = self.job.tree_with(self.base, [Entry("x", ABSENT_MODE, "0" * 40)])
        self.assertEqual(empty, self.job.tree(self.base))
        gone = [Entry(one, ABSENT_MODE, "0" * 40) for one in self.files]
        none = self.job.tree_with(self.base, [*gone, Entry(".gitignore", ABSENT_MODE, "0" * 40)])
        for _ in range(2):
            self.assertEqual(list(self.job.trees.of(none).items()), [])

    def test_more_than_is_kept_is_read_again(self) -> None:
        names = {f"n{number}": FILE for number in range(KEPT_NAMES)}
        tree = self.job.tree(self.base)
        before = self.job.trees.of(tree).data
        self.job.trees.built(None, names, lambda data: OID)
        self.assertEqual(self.job.trees.of(tree).data, before)

    def test_what_is_kept_is_believed_where_it_says_the_same_only(self) -> None:
        tree = self.job.tree(self.base)
        whole = self.job.objects.get(tree).data
        kept = self.job.trees.of(tree)
        self.assertIs(self.job.trees.holding(tree, whole), kept)
        self.assertEqual(list(self.job.trees.holding(tree, b"").items()), [])
        with self.assertRaises(ValueError):
            self.job.trees.holding(tree, whole[:-1])
        forged = self.job.trees.built(None, {"a.py": FILE}, lambda data: OID)
        self.assertEqual(forged, OID)
        self.assertEqual(self.job.trees.holding(OID, whole).data, whole)


if __name__ == "__main__":
    unittest.main()
