"""Writes that change no time of a file, as on tmpfs: they are seen, and undone."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from pathlib import Path

from director.worktrees.mapped_writes import tells_of_mapped_writes
from tests.support.hermetic import TemporaryCase
from tests.worktrees.plain_case import PlainCase

MEMORY = Path("/dev/shm")  # tmpfs, where there is any


class TestMappedWrites(PlainCase):
    """The worktrees lie in memory, where there is such a folder."""

    def setUp(self) -> None:
        super().setUp()
        if not MEMORY.is_dir() or tells_of_mapped_writes(MEMORY):
            self.skipTest("no file system here keeps quiet about writes")
        folder = tempfile.mkdtemp(prefix="director-test-", dir=MEMORY)
        self.addCleanup(shutil.rmtree, folder)
        self.env = {**self.env, "XDG_STATE_HOME": folder}
        self.lease("in-memory.json")

    def overwrite(self, path: str, old: bytes, new: bytes) -> None:
        """Change a file through a mapping; nothing of its status changes."""
        place = self.root / path
        before = place.stat()
        with place.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapping:
            at = mapping.find(old)
            mapping[at : at + len(old)] = new
        after = place.stat()
        self.assertEqual(after.st_ctime_ns, before.st_ctime_ns)
        self.assertIn(new, place.read_bytes())

    def test_one_is_seen_and_undone(self) -> None:
        self.overwrite("b.py", b"1", b"2")
        self.assertEqual(self.snapshot("a.py").changed, {"b.py"})
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_so_it_is_compared_with_another_commit(self) -> None:
        newer = self.add_commit(self.job, {"a.py": "A = 2\n"})
        self.overwrite("b.py", b"1", b"2")
        self.assertEqual(self.worktree.snapshot(newer, ["a.py"]).changed, {"a.py", "b.py"})

    def test_so_it_is_by_git(self) -> None:
        self.sample.git("config", "--global", "core.autocrlf", "input")
        self.job = self.make_job(self.sample, self.tmp / "other.git")
        self.lease("other.json")
        self.overwrite("b.py", b"1", b"2")
        self.assertEqual(self.worktree.changed(), {"b.py"})
        self.worktree.reset(self.base)
        self.assertEqual((self.root / "b.py").read_text(), "B = 1\n")

    def test_a_reset_after_one_finds_it_on_its_own(self) -> None:
        newer = self.add_commit(self.job, {"a.py": "A = 2\n"})
        self.worktree.reset(newer)
        self.overwrite("pkg/c.py", b"1", b"2")
        self.worktree.reset(newer)
        self.assert_holds_exactly(newer)


class TestProbe(TemporaryCase):
    def test_it_leaves_nothing(self) -> None:
        tells_of_mapped_writes(self.tmp)
        self.assertEqual(list(self.tmp.iterdir()), [Path(self.env["HOME"])])

    def test_a_folder_that_cannot_be_written_is_taken_for_a_usual_one(self) -> None:
        self.assertTrue(tells_of_mapped_writes(self.tmp / "none"))
