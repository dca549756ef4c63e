from __future__ import annotations

import os

from director.workspace.preserved_metadata import preserved_metadata
from tests.support.hermetic import HermeticCase


class TestPreservedMetadata(HermeticCase):
    def test_modes_and_times_are_what_they_were(self) -> None:
        root = self.tmp / "root"
        (root / "folder").mkdir(parents=True)
        (root / "excluded").mkdir()
        file, gone, link = root / "folder/file", root / "gone", root / "link"
        for path in (file, gone):
            path.write_text("x")
        link.symlink_to("nowhere")
        paths = (root, root / "folder", file)
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
