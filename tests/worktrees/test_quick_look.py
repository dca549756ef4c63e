"""A look without git sees what git would see, whatever is done to hide it."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from director.repositories.index_files import unknown_entry
from director.repositories.objects import Item
from director.worktrees.mapped_writes import tells_of_mapped_writes
from tests.worktrees.plain_case import PlainCase


class QuickLookCase(PlainCase):
    def seen(self) -> frozenset[str]:
        """Return what changed, as a look without git sees it."""
        with self.unasked():
            return self.worktree.changed()

    def overwrite(self, path: Path, text: str) -> None:
        """Write a text of the same size into the same file, and put its time back."""
        before = path.stat()
        path.write_text(text)
        self.assertEqual(path.stat().st_size, before.st_size)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


class TestQuickLook(QuickLookCase):
    def test_nothing_done(self) -> None:
        self.assertEqual(self.seen(), frozenset())

    def test_edits_removals_and_modes(self) -> None:
        self.agent("echo longer than before > a.py; rm b.py; chmod +x pkg/c.py; touch new")
        self.assertEqual(self.seen(), {"a.py", "b.py", "pkg/c.py"})

    def test_the_same_size_with_the_time_put_back(self) -> None:
        self.overwrite(self.root / "b.py", "B = 2\n")
        self.assertEqual(self.seen(), {"b.py"})

    def test_another_file_with_the_same_size_and_time(self) -> None:
        self.agent("printf 'B = 2\\n' > x; touch -r b.py x; mv x b.py")
        self.assertEqual(self.seen(), {"b.py"})

    def test_a_file_that_was_only_touched(self) -> None:
        self.agent("touch b.py; cp a.py x; mv x a.py")
        self.assertEqual(self.seen(), frozenset())

    def test_a_link_or_a_folder_in_the_place_of_a_file(self) -> None:
        self.agent("mv a.py x; ln -s x a.py; rm b.py; mkdir b.py; mv pkg y; ln -s y pkg")
        self.assertEqual(self.seen(), {"a.py", "b.py", "pkg/c.py", "pkg/deep/d.py"})

    def test_what_git_passes_over_is_removed(self) -> None:
        self.agent("mkfifo pkg/pipe; git init -q pkg/deep; mkfifo pkg/.gitattributes")
        with self.unasked():
            self.assertEqual(self.worktree.changed(), frozenset())
            self.worktree.reset(self.base)
        for name in ("pkg/pipe", "pkg/deep/.git", "pkg/.gitattributes"):
            self.assertFalse(os.path.lexists(self.root / name), name)

    def test_a_folder_that_is_gone_or_was_emptied(self) -> None:
        self.agent("rm -r pkg/deep; rm pkg/c.py; mkdir -p new/er; touch new/er/x")
        self.assertEqual(self.seen(), {"pkg/c.py", "pkg/deep/d.py"})
        with self.unasked():
            self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_names_beyond_ascii_and_in_another_case(self) -> None:
        self.agent("echo x > 'ä ö.py'; touch A.PY")
        self.assertEqual(self.seen(), {"ä ö.py"})
        self.assertIn("A.PY", self.snapshot("a.py").strays)

    def test_a_write_through_a_hard_link_outside(self) -> None:
        outside = self.tmp / "outside"
        os.link(self.root / "b.py", outside)
        self.overwrite(outside, "B = 2\n")
        self.assertEqual(self.seen(), {"b.py"})
        with self.unasked():
            self.worktree.reset(self.base)
        outside.write_text("B = 3\n")
        self.assert_holds_exactly(self.base)

    def test_a_mapping_that_is_kept_open(self) -> None:
        with (self.root / "b.py").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            mapping[4:5] = b"1"  # as it was: only the times tell
            self.assertEqual(self.seen(), frozenset())
            mapping[4:5] = b"2"  # no time tells: the page was written before
            self.assertEqual(self.seen(), {"b.py"})
            self.worktree.reset(self.base)
            mapping[4:5] = b"3"
            self.assert_holds_exactly(self.base)

    def test_a_process_of_git_settles_what_filters_decide(self) -> None:
        (self.root / "b.py").write_text("B = 2\n")
        self.sample.git("config", "--global", "core.autocrlf", "input")
        self.job = self.make_job(self.sample, self.tmp / "other.git")
        self.assertEqual(self.worktree.changed(), {"b.py"})


class TestSameTick(QuickLookCase):
    """A file was written twice in one tick of the clock, the index between."""

    def setUp(self) -> None:
        super().setUp()
        place = self.root / "b.py"
        was = self.job.entries(self.base, ["b.py"])["b.py"]
        place.write_text("B = 2\n")
        entry = unknown_entry(b"b.py", Item(was.mode, was.oid)).knowing(place.lstat())
        self.index = self.worktree._index
        self.index.splice({"b.py": entry})
        self.written_at = place.lstat().st_ctime_ns

    def changed_with_index_of(self, moment: int) -> frozenset[str]:
        os.utime(self.index.path, ns=(moment, moment))
        self.index.trust(self.job.tree(self.base))
        return self.seen()

    def test_its_content_counts(self) -> None:
        self.assertEqual(self.changed_with_index_of(self.written_at), {"b.py"})

    def test_so_it_does_where_times_are_whole_seconds(self) -> None:
        second = self.written_at // 10**9 * 10**9
        self.assertEqual(self.changed_with_index_of(second), {"b.py"})

    def test_so_it_does_after_the_clock_was_set_back(self) -> None:
        self.assertEqual(self.changed_with_index_of(self.written_at - 3600 * 10**9), {"b.py"})

    def test_an_index_that_is_younger_is_believed(self) -> None:
        expected = frozenset() if tells_of_mapped_writes(self.tmp) else {"b.py"}
        self.assertEqual(self.changed_with_index_of(self.written_at + 1), expected)
