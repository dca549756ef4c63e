"""Objects that are not what their ids say are seen, and removed where git never replaces them."""

import zlib

from director.repositories.objects import Item, loose_object
from director.repositories.soundness import Soundness, discard_damaged
from director.repositories.trees import Trees
from tests.worktrees.jobs import JobCase


class TestSoundness(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = self.job.path / "objects"
        self.new = self.add_commit(self.job, {"dir/b.py": "1"})
        self.blob = self.job.entries(self.new, ["dir/b.py"])["dir/b.py"].oid
        self.soundness = Soundness(self.job.objects, self.job.trees, self.store, "sha1")

    def test_only_what_came_after_the_base_is_looked_at(self) -> None:
        found = dict(self.soundness.looked_at(self.base, self.new))
        self.assertEqual(len(found), 4)  # commit, two trees, a blob
        self.assertEqual(set(found.values()), {True})
        self.assertIsNone(self.soundness.first_damage(self.new, self.new))

    def test_what_is_kept_of_a_tree_hides_none_of_its_objects(self) -> None:
        fresh = Trees(self.job.objects)
        soundness = Soundness(self.job.objects, fresh, self.store, "sha1")
        (folder,) = (one.oid for one in self.job.folders(self.new) if one.path == "dir")
        fresh.built(None, {"x": Item("100644", self.base)}, lambda _: folder)  # as if it held that
        loose_object(self.store, self.blob).unlink()
        self.assertEqual(soundness.first_damage(self.base, self.new), self.blob)

    def test_a_commit_that_does_not_stand_on_the_base_is_damage(self) -> None:
        self.assertEqual(self.soundness.first_damage(self.new, self.base), self.base)

    def test_an_id_that_is_none_is_damage_and_no_question_to_git(self) -> None:
        for oid in ("HEAD", "x\ny", "", self.new[:12]):
            self.assertIsNotNone(self.soundness.first_damage(self.base, oid))

    def test_what_a_power_cut_left_is_removed_and_written_again(self) -> None:
        path = loose_object(self.store, self.blob)
        for left in (b"", b"\0" * 9, zlib.compress(b"blob 1\0x")):
            path.unlink()
            path.write_bytes(left)
            self.assertEqual(self.soundness.first_damage(self.base, self.new), self.blob)
            discard_damaged(self.store, "sha1")
            self.assertFalse(path.exists())
            self.assertEqual(self.job.store(b"1"), self.blob)
            self.assertIsNone(self.soundness.first_damage(self.base, self.new))
