"""Lanes are given back, but for those in which something was lost."""

from __future__ import annotations

from director.model.errors import LostError, StoppedError
from director.model.launcher_policy import LauncherPolicy
from director.worktrees.pool_folders import pool_environment, worktrees_folder
from tests.worktrees.jobs import JobCase, open_pool


class TestLanes(JobCase):
    def test_a_lane_in_which_something_was_lost_is_not_used_again(self) -> None:
        record = self.tmp / "worktrees.json"
        with open_pool(self.job, record, self.env) as pool:
            paths = []
            for error in (StoppedError("stop", "again"), LostError("lost", "again"), None):
                try:
                    with pool.lane() as lane:
                        paths.append(lane.work.path)
                        if error:
                            raise error
                except StoppedError:
                    continue
        self.assertEqual(paths[0], paths[1])
        self.assertNotEqual(paths[1], paths[2])


class TestRoot(JobCase):
    def test_worktrees_lie_in_the_root_that_is_named(self) -> None:
        policy = LauncherPolicy("slurm", root="~/shared")
        found = worktrees_folder(pool_environment(policy, self.env))
        self.assertEqual(found.parent, self.tmp / "home" / "shared")
        usual = worktrees_folder(pool_environment(LauncherPolicy(), self.env))
        self.assertEqual(usual, worktrees_folder(self.env))
