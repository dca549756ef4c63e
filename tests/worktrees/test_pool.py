"""A pool gives out lanes, and has them again afterwards (``pool``, ``lane``)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from director.model.errors import LostError, StoppedError
from director.model.launcher_policy import LauncherPolicy
from director.worktrees.pool import Pool
from director.worktrees.pool_folders import pool_environment, worktrees_folder
from tests.worktrees.worktree_case import WorktreeCase


class TestPool(WorktreeCase):
    def test_worktrees_in_use_are_apart_and_reused_afterwards(self) -> None:
        with self.pool.lease(self.base) as second:
            self.assertNotEqual(second.path, self.root)
            (second.path / "a.py").write_text("x")
            (second.path / "stray").touch()
        with self.pool.lease(self.base) as third:
            self.assertEqual(third.path, second.path)
            self.assertEqual((third.path / "a.py").read_text(), "A = 1\n")
            self.assertFalse((third.path / "stray").exists())

    def test_one_beyond_repair_is_replaced(self) -> None:
        with self.pool.lease(self.base) as second:
            (self.pool.notes / f"agents-{second.path.name}.index.lock").touch()
        with self.pool.lease(self.base) as third:
            self.assertEqual((third.path / "a.py").read_text(), "A = 1\n")

    def test_a_lease_ends_with_an_error_too(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.pool.lease(self.base) as second:
            raise ZeroDivisionError
        with self.pool.lease(self.base) as third:
            self.assertEqual(third.path, second.path)

    def test_lies_outside_the_users_tree_for_the_owner_only(self) -> None:
        folder = self.root.parent.parent
        self.assertEqual(folder.parent, Path(self.env["XDG_STATE_HOME"]) / "director")
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertFalse(folder.is_relative_to(self.sample.root))

    def test_a_lane_in_which_something_was_lost_is_not_used_again(self) -> None:
        paths = []
        for error in (StoppedError("stop", "again"), LostError("lost", "again"), None):
            with suppress(StoppedError), self.pool.lane() as lane:
                paths.append(lane.work.path)
                if error:
                    raise error
        self.assertEqual(paths[0], paths[1])
        self.assertNotEqual(paths[1], paths[2])

    def test_what_a_killed_run_left_is_for_who_names_it(self) -> None:
        with self.pool.lane() as lane:
            lane.work.reset(self.base)
        left = lane.work.path
        pool = Pool(self.job, self.pool.folder)
        pool.hold([left])
        with pool.lane() as other, pool.lane(left) as named:
            self.assertNotEqual(other.work.path, left)
            self.assertEqual(named.work.path, left)
        with pool.lane(other.work.path), pool.lane() as now_free:
            self.assertEqual(now_free.work.path, left)

    def test_worktrees_lie_in_the_root_that_is_named(self) -> None:
        policy = LauncherPolicy("slurm", root="~/shared")
        found = worktrees_folder(pool_environment(policy, self.env))
        self.assertEqual(found.parent, Path(self.env["HOME"]) / "shared")
        usual = worktrees_folder(pool_environment(LauncherPolicy(), self.env))
        self.assertEqual(usual, worktrees_folder(self.env))
