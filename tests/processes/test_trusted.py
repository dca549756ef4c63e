"""What gates trust on a machine, whatever its variables say."""

from __future__ import annotations

import unittest
from pathlib import Path

from director.processes.installed import named_in
from director.processes.trusted import beside_the_way, trusted_paths
from tests.support.hermetic import TemporaryCase


class TestNamed(unittest.TestCase):
    def test_programs_and_scripts_but_not_what_they_write(self) -> None:
        for line, expected in (
            ("/a/b --c /d", ["/a/b"]),
            ("!~/own/helper x", ["/h/own/helper"]),
            ("sh '/a/setup.sh' /x", ["/a/setup.sh"]),
            ("cd x && (/a/b) > /out; echo x >> /trace", ["/a/b"]),
            ("make | tee /log", []),
            ("", []),
        ):
            self.assertEqual([*map(str, named_in(line, Path("/h")))], expected, line)


class TestTrusted(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.home = self.tmp / "home"

    def kept(self, **env: str) -> set[Path]:
        return set(trusted_paths({"PATH": "", **env}, self.home))

    def test_what_lies_beside_temporary_files_in_a_folder_of_the_system(self) -> None:
        """Only what has to stay writable of it does."""
        inside = Path("/usr/share/temporary")
        kept = self.kept(TMPDIR=str(inside))
        self.assertNotIn(Path("/usr"), kept)
        self.assertIn(Path("/usr/lib"), kept)
        self.assertFalse(any(inside.is_relative_to(path) for path in kept))

    def test_the_root_as_the_home_folder(self) -> None:
        kept = set(trusted_paths({"PATH": "/usr/bin", "HOME": "/"}, Path("/")))
        self.assertLessEqual({Path("/usr"), Path("/etc"), Path("/.bashrc")}, kept)
        self.assertNotIn(Path("/"), kept)

    def test_a_file_that_an_agent_cli_needs_to_write(self) -> None:
        mine, other = self.home / ".state.json", self.home / ".vimrc"
        mine.touch()
        other.touch()
        kept = trusted_paths({"PATH": ""}, self.home, needed=[mine])
        self.assertIn(other, kept)
        self.assertNotIn(mine, kept)

    def test_a_link_that_leads_to_itself(self) -> None:
        (self.home / ".config").rmdir()
        (self.home / ".config").symlink_to(".config")
        self.assertIn(self.home / ".config", self.kept())

    def test_devices_are_no_settings(self) -> None:
        kept = self.kept(BASH_ENV="/dev/null", PYTHONPATH="/proc/self/cwd")
        self.assertFalse([path for path in kept if path.parts[1] in ("dev", "proc")])

    def test_files_in_folders_above(self) -> None:
        for name in ("a/b/c/file", "a/b/file", "a/file", "home/file"):
            (self.tmp / name).parent.mkdir(parents=True, exist_ok=True)
            (self.tmp / name).touch()
        found = set(beside_the_way(self.tmp / "a/b/c", self.home))
        own = {path.relative_to(self.tmp) for path in found if path.name == "file"}
        self.assertEqual(own, {Path("a/b/file"), Path("a/file")})
        self.assertIn(self.tmp / "a/node_modules", found)
