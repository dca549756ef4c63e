"""The folder of a pool goes at its end, and what a crash left in it is gone on with."""

from __future__ import annotations

from pathlib import Path

from director.worktrees.pool_folders import sweep_pool, worktrees_folder
from tests.support.hermetic import remove_tree
from tests.worktrees.jobs import JobCase, drop_lock, open_pool


class TestLifeOfThePool(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.record = self.tmp / "worktrees.json"

    def test_nothing_is_left_behind(self) -> None:
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            (worktree.path / "closed").mkdir()
            (worktree.path / "closed" / "f").touch()
            (worktree.path / "closed").chmod(0o500)
            self.assertTrue(self.record.exists())
        self.assertFalse(worktree.path.parent.parent.exists())
        self.assertFalse(self.record.exists())

    def test_nor_after_an_error(self) -> None:
        with (
            self.assertRaises(ZeroDivisionError),
            open_pool(self.job, self.record, self.env) as pool,
            pool.lease(self.base) as worktree,
        ):
            raise ZeroDivisionError
        self.assertFalse(worktree.path.parent.parent.exists())

    def crash(self) -> Path:
        """Leave a pool as a killed run does, with work in its worktree; return that worktree."""
        crashed = open_pool(self.job, self.record, self.env)
        self.addCleanup(crashed.__exit__, None, None, None)
        with crashed.__enter__().lease(self.base) as worktree:
            (worktree.path / "a.py").write_text("paid for\n")
            (worktree.path / "stray").touch()
            notes = worktree.path.parent.with_name("notes")
            (notes / f"agents-{worktree.path.name}.index.lock").touch()
        drop_lock(notes.parent)
        return worktree.path

    def test_what_a_crash_left_is_gone_on_with_where_it_is_asked_for(self) -> None:
        old = self.crash()
        with (
            open_pool(self.job, self.record, self.env) as pool,
            pool.lane(old) as lane,
        ):
            worktree = lane.work
            self.assertEqual(worktree.path, old)
            self.assertEqual((old / "a.py").read_text(), "paid for\n")
            snapshot = worktree.snapshot(self.base, ["a.py"])
            self.assertEqual((snapshot.changed, snapshot.strays), ({"a.py"}, ("stray",)))
            with pool.lane(old) as another:
                other = another.work
                self.assertNotEqual(other.path, old)
                other.reset(self.base)
                self.assertEqual((other.path / "a.py").read_text(), "A = 1\n")
        self.assertFalse(old.parent.parent.exists())

    def test_what_a_crash_left_is_reset_for_everybody_else(self) -> None:
        old = self.crash()
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            self.assertEqual(worktree.path, old)
            self.assertEqual((old / "a.py").read_text(), "A = 1\n")
            self.assertFalse((old / "stray").exists())

    def test_a_pool_whose_folder_has_vanished_is_made_again(self) -> None:
        old = self.crash()
        remove_tree(old.parent.parent)
        with (
            open_pool(self.job, self.record, self.env) as pool,
            pool.lane(old) as lane,
        ):
            worktree = lane.work
            self.assertNotEqual(worktree.path, old)
            worktree.reset(self.base)
            self.assertEqual((worktree.path / "a.py").read_text(), "A = 1\n")

    def test_sweep_removes_what_is_noted_and_the_note(self) -> None:
        sweep_pool(self.record)
        old = self.crash()
        sweep_pool(self.record)
        self.assertFalse(old.parent.parent.exists())
        self.record.write_text('{"folder": "/nowhere/at/all"}')
        sweep_pool(self.record)
        self.assertFalse(self.record.exists())

    def test_the_user_sees_nothing_of_it(self) -> None:
        before = self.sample.fingerprint()
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            (worktree.path / "a.py").write_text("x")
            worktree.snapshot(self.base, ["a.py"])
            self.assertEqual(self.sample.git("worktree", "list").count("\n"), 0)
        self.assertEqual(self.sample.fingerprint(), before)

    def test_where_they_are(self) -> None:
        self.assertEqual(
            worktrees_folder({"XDG_STATE_HOME": "/c", "HOME": "/h"}), Path("/c/director")
        )
        self.assertEqual(
            worktrees_folder({"XDG_STATE_HOME": "", "HOME": "/h"}),
            Path("/h/.local/state/director"),
        )
