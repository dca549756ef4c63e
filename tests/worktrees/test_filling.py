"""A worktree that is filled from another one holds its commit, whatever works there meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar
from unittest import mock

from director.model import sizes
from director.repositories.index_files import index_entries
from director.worktrees import filling
from director.worktrees.filling import Template, copy_tracked
from director.worktrees.lane import Lane
from director.worktrees.mapped_writes import tells_of_mapped_writes
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_folder
from director.worktrees.seals import shares_blocks
from tests.worktrees.jobs import JobCase


@contextmanager
def large_from(files: int, size: int) -> Iterator[None]:
    """Let a checkout of so many files, or bytes, be a large one while open."""
    with mock.patch.multiple(sizes, LARGE_FILES=files, LARGE_BYTES=size):
        yield


class FillingCase(JobCase):
    files: ClassVar[dict[str, str]] = {
        ".gitattributes": "*.txt eol=crlf\n",
        "a.py": "A = 1\n",
        "deep/er/b.py": "B = 1\n",
        "-rf": "a name\n",
        "odd \\ name\t[x].txt": "text\n",
        "deep/ünï": "bytes\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(large_from(1, 1))
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        folder = self.stack.enter_context(pool_folder(self.tmp / "pool.json", self.env))
        self.pool = Pool(self.job, folder, guarded=True)

    def lane(self) -> Lane:
        return self.stack.enter_context(self.pool.lane())

    def age(self, lane: Lane) -> None:
        """Let a checkout be older than its index (git doubts what is as old)."""
        index = lane.gate.index
        later = index.stat().st_mtime + 5
        os.utime(index, (later, later))

    def contents(self, root: Path) -> dict[str, bytes]:
        paths = (path for path in root.rglob("*") if path.is_file() and path.name != ".git")
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    def copies(self) -> mock.MagicMock:
        """Return what counts the fillings from a template."""
        patched = mock.patch.object(filling, "copy_tracked", wraps=copy_tracked)
        return self.enterContext(patched)


class TestFilling(FillingCase):
    def test_all_but_the_first_checkout_are_copies(self) -> None:
        copied = self.copies()
        first, second = self.lane(), self.lane()
        for worktree in (first.work, first.gate, second.gate, second.work):
            worktree.reset(self.base)
        self.assertEqual(copied.call_count, 3)
        expected = self.contents(first.gate.path)
        self.assertEqual(expected["odd \\ name\t[x].txt"], b"text\r\n")
        for worktree in (first.work, second.gate, second.work):
            self.assertEqual(self.contents(worktree.path), expected)
            self.assertEqual(worktree.changed(), frozenset())

    def test_few_large_files_are_copied_too(self) -> None:
        copied = self.copies()
        with large_from(10**6, 1):
            for lane in (self.lane(), self.lane()):
                lane.work.reset(self.base)
        self.assertEqual(copied.call_count, 3)

    def test_copies_share_their_blocks_where_the_file_system_can(self) -> None:
        if not (shares_blocks(self.tmp) and shutil.which("filefrag")):
            self.skipTest("no file system that shares blocks, or nothing that tells")
        big = self.add_commit(self.job, {"big": "line\n" * 100_000})
        first, second = self.lane(), self.lane()
        first.gate.reset(big)
        self.age(first)
        second.gate.reset(big)
        told = subprocess.check_output(["filefrag", "-v", second.gate.path / "big"], text=True)
        self.assertIn("shared", told)

    def test_what_an_earlier_command_filled_is_copied(self) -> None:
        first = self.lane()
        first.gate.reset(self.base)
        kept = first.gate.kept()
        assert kept is not None
        pool = Pool(self.job, self.pool.folder, guarded=True)
        with pool.lane() as left, pool.lane() as new:
            self.assertEqual(left.gate.path, first.gate.path)
            left.gate.resume(kept)
            copied = self.copies()
            new.gate.reset(self.base)
        self.assertEqual(copied.call_args.args[0].path, first.gate.path)

    def test_lanes_take_less_room_where_the_file_system_shares_blocks(self) -> None:
        taken = []
        for shares in (False, True):
            with mock.patch("director.worktrees.pool.shares_blocks", return_value=shares):
                room = self.pool.room(self.base)
            assert room is not None
            taken.append(room.lane_bytes)
        whole, shared = taken
        self.assertEqual(whole, 2 * len(self.files) * sizes.BLOCK_BYTES)
        self.assertEqual(shared, 2 * len(self.files) * sizes.SHARED_FILE_BYTES)

    def test_nothing_is_shared_with_the_copy(self) -> None:
        first, second = self.lane(), self.lane()
        first.gate.reset(self.base)
        second.gate.reset(self.base)
        (second.gate.path / "a.py").write_text("changed\n")
        self.assertEqual((first.gate.path / "a.py").read_text(), "A = 1\n")

    def test_a_copy_may_be_of_another_commit(self) -> None:
        other = self.add_commit(self.job, {"a.py": "A = 2\n", "new/c.py": "C\n"})
        first, second = self.lane(), self.lane()
        first.gate.reset(self.base)
        second.gate.reset(other)
        self.assertEqual((second.gate.path / "a.py").read_text(), "A = 2\n")
        self.assertEqual((second.gate.path / "new/c.py").read_text(), "C\n")

    def test_what_a_gate_did_to_the_template_is_not_copied(self) -> None:
        first, second = self.lane(), self.lane()
        first.gate.reset(self.base)
        self.age(first)
        root = first.gate.path
        times = (root / "a.py").stat()
        (root / "a.py").write_text("A = 9\n")  # as long
        os.utime(root / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
        (root / "deep/er/b.py").unlink()
        (root / "deep/er/b.py").symlink_to("/etc/passwd")
        (root / "ignored").touch()
        second.gate.reset(self.base)
        self.assertEqual((second.gate.path / "a.py").read_text(), "A = 1\n")
        self.assertEqual((second.gate.path / "deep/er/b.py").read_text(), "B = 1\n")
        self.assertFalse((second.gate.path / "deep/er/b.py").is_symlink())
        self.assertFalse((second.gate.path / "ignored").exists())

    def test_nothing_that_an_agent_can_write_gets_into_a_gates_worktree(self) -> None:
        copied = self.copies()
        first, second = self.lane(), self.lane()
        first.work.index.touch()  # it is not new: the gates' worktree does not go first
        first.work.reset(self.base)
        (first.work.path / "a.py").write_text("forged\n")
        second.gate.reset(self.base)
        copied.assert_not_called()
        second.work.reset(self.base)
        self.assertEqual(copied.call_args.args[0].path, second.gate.path)

    def test_what_an_agent_put_in_the_way_is_not_followed(self) -> None:
        first, second = self.lane(), self.lane()
        first.gate.reset(self.base)
        victim = self.tmp / "victim"
        victim.mkdir()
        second.work.path.mkdir(parents=True)
        (second.work.path / "deep").symlink_to(victim)
        second.work.reset(self.base)
        self.assertEqual(list(victim.iterdir()), [])
        self.assertEqual((second.work.path / "deep/er/b.py").read_text(), "B = 1\n")

    def test_the_index_knows_the_copied_files(self) -> None:
        lane = self.lane()
        lane.gate.reset(self.base)
        self.age(lane)
        target = self.tmp / "target"
        target.mkdir()
        data = copy_tracked(Template(lane.gate.path, lane.gate.index), target, "sha1")
        assert data is not None
        index = self.tmp / "index"
        index.write_bytes(data)
        times = (target / "a.py").stat()
        (target / "a.py").write_text("A = 3\n")
        os.utime(target / "a.py", ns=(times.st_atime_ns, times.st_mtime_ns))
        env = {**self.env, "GIT_DIR": str(self.job.path), "GIT_INDEX_FILE": str(index)}
        listed = ["git", "--work-tree", str(target), "diff-files", "--name-only", "-z"]
        said = subprocess.check_output(listed, cwd=target, env=env, text=True)
        self.assertIn("a.py\0", said)
        if tells_of_mapped_writes(self.tmp):  # else nothing is known of any
            self.assertEqual(said, "a.py\0")

    def test_the_index_knows_nothing_of_what_a_gate_changed(self) -> None:
        lane = self.lane()
        lane.gate.reset(self.base)
        self.age(lane)
        (lane.gate.path / "a.py").write_text("A = 9\n")
        target = self.tmp / "target"
        target.mkdir()
        data = copy_tracked(Template(lane.gate.path, lane.gate.index), target, "sha1")
        index = self.tmp / "index"
        index.write_bytes(data or b"")
        env = {**self.env, "GIT_DIR": str(self.job.path), "GIT_INDEX_FILE": str(index)}
        said = subprocess.check_output(["git", "ls-files", "--debug"], env=env, text=True)
        sizes = dict(re.findall(r"^(\S+)\n(?:  .*\n){4}  size: (\d+)", said, re.MULTILINE))
        known = "6" if tells_of_mapped_writes(self.tmp) else "0"
        self.assertEqual((sizes["a.py"], sizes["deep/er/b.py"]), ("0", known))

    def test_an_index_does_not_know_what_changed_when_it_was_written(self) -> None:
        lane = self.lane()
        lane.gate.reset(self.base)
        changed = (lane.gate.path / "a.py").stat().st_ctime_ns
        os.utime(lane.gate.index, ns=(changed, changed))
        target = self.tmp / "target"
        target.mkdir()
        data = copy_tracked(Template(lane.gate.path, lane.gate.index), target, "sha1")
        known = {one.path: one.size for one in index_entries(data or b"", "sha1")}
        self.assertEqual(known[b"a.py"], 0)

    def test_an_index_in_an_unknown_format_is_no_template(self) -> None:
        lane = self.lane()
        lane.gate.reset(self.base)
        data = lane.gate.index.read_bytes()
        lane.gate.index.write_bytes(data[:7] + b"\4" + data[8:])
        self.assertIsNone(lane.gate.size())
        template = Template(lane.gate.path, lane.gate.index)
        self.assertIsNone(copy_tracked(template, self.tmp, "sha1"))


class TestSmall(JobCase):
    def test_small_checkouts_share_no_blocks(self) -> None:
        with (
            mock.patch("director.worktrees.pool.shares_blocks", return_value=True),
            pool_folder(self.tmp / "pool.json", self.env) as folder,
        ):
            room = Pool(self.job, folder, guarded=True).room(self.base)
        assert room is not None
        self.assertEqual(room.lane_bytes, 2 * len(self.files) * sizes.BLOCK_BYTES)

    def test_small_checkouts_are_not_copied(self) -> None:
        with (
            mock.patch.object(filling, "copy_tracked") as copied,
            pool_folder(self.tmp / "pool.json", self.env) as folder,
        ):
            pool = Pool(self.job, folder, guarded=True)
            with pool.lane() as first, pool.lane() as second:
                for worktree in (first.gate, first.work, second.gate):
                    worktree.reset(self.base)
        copied.assert_not_called()
