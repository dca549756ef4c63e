"""What director's own index says of the files counts only while nothing else touched it.

With it: how much it knows (``sizes``).
"""

from __future__ import annotations

from director.model.sizes import BLOCK_BYTES, Size
from tests.worktrees.jobs import open_pool
from tests.worktrees.worktree_case import WorktreeCase


class TestPrivateIndex(WorktreeCase):
    def test_one_that_was_touched_says_nothing(self) -> None:
        self.agent(
            f"GIT_INDEX_FILE={self.worktree.index} git update-index --assume-unchanged b.py;"
            " echo x > b.py"
        )
        self.assertEqual(self.snapshot("a.py").changed, {"b.py"})
        self.assertIsNone(self.worktree.kept())
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_it_can_be_read_whatever_the_settings_say(self) -> None:
        self.sample.git("config", "--global", "index.version", "4")
        with (
            open_pool(self.job, self.tmp / "other.json", self.env) as pool,
            pool.lease(self.base) as worktree,
        ):
            count = len(self.files)
            self.assertEqual(worktree.size(), Size(count, count * BLOCK_BYTES))

    def test_there_is_none_before_the_first_reset(self) -> None:
        with self.pool.lane() as lane:
            self.assertIsNone(lane.gate.size())
            self.assertIsNone(lane.gate.kept())
