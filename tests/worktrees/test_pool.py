"""A pool gives out lanes, and has them again afterwards (``pool``, ``lane``)."""

from __future__ import annotations

from pathlib import Path

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
