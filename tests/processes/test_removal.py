"""What can be removed is; what cannot be is named, and is in no one's way."""

from __future__ import annotations

import subprocess

from director.model.errors import StoppedError
from director.processes.removal import (
    NotRemovedError,
    clear,
    discard,
    discard_or_stop,
    remove_tree,
)
from tests.support.hermetic import HermeticCase
from tests.support.immutable import LOCK, need_immutable_files


class TestRemoval(HermeticCase):
    def setUp(self) -> None:
        super().setUp()
        need_immutable_files(self, self.tmp)
        self.folder = self.tmp / "parent" / "folder"
        (self.folder / "deep").mkdir(parents=True)
        (self.folder / "deep" / "free").touch()
        self.stuck = self.folder / "deep" / "stuck"
        self.stuck.touch()
        subprocess.run([*LOCK.split(), str(self.stuck)], check=True)

    def test_all_else_goes_and_what_is_left_is_named(self) -> None:
        (self.folder / "other").touch()
        for remove in (discard, remove_tree):
            with self.assertRaisesRegex(NotRemovedError, str(self.stuck)) as caught:
                remove(self.folder)
            self.assertIsInstance(caught.exception, OSError)
            left = [path.name for path in sorted(self.folder.rglob("*"))]
            self.assertEqual(left, ["deep", "stuck"])

    def test_a_file_that_cannot_be_removed_is_named(self) -> None:
        with self.assertRaisesRegex(NotRemovedError, str(self.stuck)):
            discard(self.stuck)

    def test_what_stays_can_end_the_command_with_how_to_remove_it(self) -> None:
        with self.assertRaisesRegex(StoppedError, str(self.stuck)) as caught:
            discard_or_stop(self.folder)
        self.assertIn(f"sudo rm -rf {self.folder}", caught.exception.next_step)

    def test_what_cannot_be_removed_can_be_moved_out_of_the_way(self) -> None:
        clear(self.folder)
        self.assertFalse(self.folder.exists())
        (aside,) = self.folder.parent.iterdir()
        self.assertEqual([path.name for path in aside.rglob("*")], ["deep", "stuck"])

    def test_what_can_be_removed_is_not_moved(self) -> None:
        (self.tmp / "x" / "y").mkdir(parents=True)
        clear(self.tmp / "x")
        clear(self.tmp / "none")
        self.assertEqual({path.name for path in self.tmp.iterdir()}, {"parent", "home"})
