from __future__ import annotations

import os

from director.worktrees.preserved_metadata import preserved_metadata
from tests.support.hermetic import TemporaryCase


class TestPreservedMetadata(TemporaryCase):
    def test_modes_and_times_are_what_they_were(self) -> None:
        root = self.tmp / "root"
        (root / "folder").mkdir(parents=True)
        (root / "excluded").mkdir()
        file, gone, link = root / "folder/file", root / "gone", root / "link"
        for path in (file, gone):
            path.write_text("x")
        link.symlink_to("nowhere")
        paths = (root / "folder", file)
        before = [(path.stat().st_mode, path.stat().st_mtime_ns) for path in paths]
        with self.assertRaises(KeyError), preserved_metadata(root, "excluded"):
            file.chmod(0o600)
            (root / "folder").chmod(0o700)
            os.utime(file, (1, 1))
            gone.unlink()
            (root / "excluded").chmod(0o700)
            raise KeyError
        after = [(path.stat().st_mode, path.stat().st_mtime_ns) for path in paths]
        self.assertEqual(after, before)
        self.assertEqual((root / "excluded").stat().st_mode & 0o777, 0o700)

    def test_links_too(self) -> None:
        root = self.tmp / "root"
        root.mkdir()
        (root / "link").symlink_to("nowhere")
        before = (root / "link").lstat().st_mtime_ns
        with preserved_metadata(root, "excluded"):
            os.utime(root / "link", (1, 1), follow_symlinks=False)
        self.assertEqual((root / "link").lstat().st_mtime_ns, before)

    def test_groups_too(self) -> None:
        others = [group for group in os.getgroups() if group != os.getgid()]
        group = next(iter(others), None if os.getuid() else 1)
        if group is None:
            self.skipTest("there is but one group to be in")
        place = self.tmp / "root" / "file"
        place.parent.mkdir()
        place.touch(0o640)
        before = (place.stat().st_gid, place.stat().st_mode)
        with preserved_metadata(place.parent, "excluded"):
            os.chown(place, -1, group)
        self.assertEqual((place.stat().st_gid, place.stat().st_mode), before)

    def test_what_the_user_writes_meanwhile_is_as_new_as_it_is(self) -> None:
        """Else `make` would take it for what it has built already."""
        root = self.tmp / "root"
        (root / "folder").mkdir(parents=True)
        files = [root / "same-size", root / "longer", root / "replaced"]
        for path in files:
            path.write_text("x")
            os.utime(path, (1, 1))
        os.utime(root / "folder", (1, 1))
        with preserved_metadata(root, "excluded"):
            files[0].write_text("y")
            files[1].write_text("yy")
            (root / "next").write_text("z")
            (root / "next").replace(files[2])
            (root / "folder" / "new").touch()
        for path in (*files, root / "folder"):
            self.assertGreater(path.stat().st_mtime, 1, path)
