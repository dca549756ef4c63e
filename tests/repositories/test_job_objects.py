"""What is written into the job repository, and read in its history.

Of ``job_objects`` and ``history``, ``branch_commits``, ``objects``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import ClassVar

from director.repositories.history import KEPT_ANSWERS, Entry, History
from director.repositories.objects import ABSENT_MODE
from tests.worktrees.jobs import JobCase


class TestTrees(JobCase):
    files: ClassVar[dict[str, str]] = {"a.py": "A = 1\n", "dir/b c.py": "B\n", "dir/ü.py": "U\n"}

    def test_entries_and_contents_of_files_only(self) -> None:
        wanted = ["a.py", "dir", "dir/ü.py", "none", "*.py"]
        entries = self.job.entries(self.base, wanted)
        self.assertEqual(set(entries), {"a.py", "dir/ü.py"})
        self.assertEqual(entries["a.py"].mode, "100644")
        self.assertEqual(self.job.contents(self.base, wanted)["dir/ü.py"], b"U\n")
        self.assertEqual(self.job.entries(self.base, []), {})

    def test_hashes_are_sha256_of_the_content(self) -> None:
        expected = {"a.py": hashlib.sha256(b"A = 1\n").hexdigest()}
        self.assertEqual(self.job.hashes(self.base, ["a.py", "none"]), expected)

    def test_content_is_stored_as_it_is(self) -> None:
        self.sample.git("config", "core.autocrlf", "input")
        job = self.make_job(self.sample)
        oid = job.store(b"a\r\nb\xff")
        self.assertEqual(job.git.output("cat-file", "blob", oid), b"a\r\nb\xff")

    def test_tree_with_puts_in_and_takes_out(self) -> None:
        new = Entry("new/ä b.py", "100755", self.job.store(b"N\n"))
        gone = Entry("a.py", ABSENT_MODE, "0" * 40)
        tree = self.job.tree_with(self.base, [new, gone])
        changes = {change.path: change for change in self.job.changes(self.base, tree)}
        self.assertEqual(set(changes), {"new/ä b.py", "a.py"})
        self.assertEqual(changes["new/ä b.py"].new, new)
        self.assertEqual(changes["new/ä b.py"].old.mode, ABSENT_MODE)
        self.assertEqual(changes["a.py"].new.mode, ABSENT_MODE)
        self.assertEqual(self.job.tree_with(self.base, []), self.job.tree(self.base))

    def test_the_id_of_a_tree_is_known_without_writing_it(self) -> None:
        before = {path for path in (self.job.path / "objects").rglob("*") if path.is_file()}
        new = Entry("new/b.py", "100755", self.job.entries(self.base, ["a.py"])["a.py"].oid)
        gone = Entry("a.py", ABSENT_MODE, "0" * 40)
        nothing = [gone, Entry("tests/test_a.py", ABSENT_MODE, "0" * 40)]
        ids = [self.job.id_of_tree_with(self.base, some) for some in ([new, gone], [], nothing)]
        after = {path for path in (self.job.path / "objects").rglob("*") if path.is_file()}
        self.assertEqual(before, after)
        trees = [self.job.tree_with(self.base, some) for some in ([new, gone], [], nothing)]
        self.assertEqual(ids, trees)

    def test_one_commit_is_read_as_the_log_reads_it(self) -> None:
        message = "A: title\n\nWords: not trailers.\n\nDirector-Kind: merge\nDirector-Gate: a: b\n"
        commit = self.add_commit(self.job, {"a.py": "A = 2\n"}, message)
        (logged,) = self.job.log(self.base, commit)
        self.assertEqual(self.job.step(commit), logged)
        self.assertEqual(logged.trailers["Director-Gate"], "a: b")

    def test_the_steps_to_a_commit_are_those_of_the_log(self) -> None:
        tip = self.base
        for number in range(3):
            tip = self.job.commit(self.job.tree(self.base), tip, f"{number}\n\nDirector-Node: n\n")
        log = self.job.log(self.base, tip)
        self.assertEqual([*self.job.steps(self.base, tip)], log[::-1])
        self.assertEqual([*self.job.steps(tip, tip)], [])
        self.assertEqual(len([*self.job.steps("0" * 40, tip)]), len(log) + 1)  # as far as it goes

    def test_what_was_written_is_known_as_it_will_be_read(self) -> None:
        entries = [
            Entry("new/ä b.py", "100755", self.job.store(b"N\n")),
            Entry("a.py", ABSENT_MODE, "0" * 40),
        ]
        tree = self.job.tree_with(self.base, entries)
        commit = self.job.commit(tree, self.base, "A: title\n\nDirector-Kind: merge\n")
        read = History(self.job.git)
        self.assertEqual(self.job.tree(commit), read.tree(commit))
        self.assertEqual(self.job.step(commit), read.step(commit))
        self.assertEqual(self.job.tree(tree), read.tree(tree))
        for one in (tree, *(folder.oid for folder in read.folders(tree))):
            self.assertEqual(self.job.trees.of(one).data, read.trees.of(one).data)

    def test_answers_that_are_not_kept_are_given_again(self) -> None:
        before, gone = self.job.changes(self.base, self.base), Entry("a.py", ABSENT_MODE, "0" * 40)
        without = self.job.changes(self.base, self.job.tree_with(self.base, [gone]))
        folders = self.job.folders(self.base)
        for number in range(KEPT_ANSWERS + 1):
            blob = self.job.store(b"%d\n" % number)
            tree = self.job.tree_with(self.base, [Entry("d/n.py", "100644", blob)])
            (change,) = self.job.changes(self.base, tree)
            self.assertEqual(change.new.oid, blob)
            self.assertIn("d", [one.path for one in self.job.folders(tree)])
        self.assertEqual(self.job.changes(self.base, self.base), before)
        tree = self.job.tree_with(self.base, [gone])
        self.assertEqual(self.job.changes(self.base, tree), without)
        self.assertEqual(self.job.folders(self.base), folders)

    def test_a_rename_is_two_changes(self) -> None:
        moved = Entry("moved.py", "100644", self.job.store(b"A = 1\n"))
        gone = Entry("a.py", ABSENT_MODE, "0" * 40)
        tree = self.job.tree_with(self.base, [moved, gone])
        paths = [change.path for change in self.job.changes(self.base, tree)]
        self.assertEqual(paths, ["a.py", "moved.py"])

    def test_diff_is_a_patch_whatever_the_user_configured(self) -> None:
        config = Path(self.env["HOME"]) / ".gitconfig"
        config.write_text(config.read_text() + "[diff]\n\texternal = false\n[color]\n\tui=always\n")
        job = self.make_job(self.sample)
        diff = job.diff(self.base, self.add_commit(job, {"a.py": "A = 2\n"}))
        self.assertIn("-A = 1\n+A = 2\n", diff)
        self.assertNotIn("\x1b", diff)
