"""The temporary folder and the environment of a test."""

import os
import subprocess
import unittest
from pathlib import Path

from tests.support.hermetic import HermeticCase, TemporaryCase, remove_tree


class TestHermeticCase(HermeticCase):
    def test_every_folder_of_the_environment_is_inside_the_temporary_one(self) -> None:
        names = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        for name in (*names, "XDG_STATE_HOME"):
            folder = Path(self.env[name])
            self.assertTrue(folder.is_relative_to(self.tmp), name)
            self.assertTrue(folder.is_dir(), name)

    def test_nothing_of_the_callers_configuration_gets_in(self) -> None:
        allowed = {"GIT_CONFIG_NOSYSTEM"}
        strange = ("GIT_", "OPENCODE_", "DIRECTOR_", "PYTHON")
        self.assertEqual({n for n in self.env if n.startswith(strange)}, allowed)

    def test_git_knows_a_name_and_a_first_branch(self) -> None:
        command = ["git", "config", "--global", "--list"]
        done = subprocess.run(command, cwd=self.tmp, env=self.env, capture_output=True, text=True)
        settings = dict(line.split("=", 1) for line in done.stdout.splitlines())
        self.assertEqual(settings["user.email"], "sam@example.org")
        self.assertEqual(settings["init.defaultbranch"], "main")

    def test_leaves_the_process_and_the_disk_as_they_were(self) -> None:
        seen: list[Path] = []

        class Inner(HermeticCase):
            def runTest(self) -> None:  # noqa: N802 - unittest's name
                seen.append(self.tmp)
                closed = self.tmp / "closed"
                closed.mkdir()
                (closed / "file").write_text("x")
                (closed / "file").chmod(0o400)
                (closed / "link").symlink_to(self.tmp)
                closed.chmod(0o500)

        before = (dict(os.environ), Path.cwd())
        result = Inner().run(unittest.TestResult())
        assert result is not None
        self.assertTrue(result.wasSuccessful(), result.errors)
        self.assertEqual((dict(os.environ), Path.cwd()), before)
        self.assertFalse(seen[0].exists())


class TestRemoveTree(TemporaryCase):
    def test_does_not_follow_links(self) -> None:
        kept = self.tmp / "kept"
        kept.mkdir(mode=0o500)
        gone = self.tmp / "gone"
        gone.mkdir()
        (gone / "link").symlink_to(kept)
        remove_tree(gone)
        self.assertFalse(gone.exists())
        self.assertEqual(kept.stat().st_mode & 0o777, 0o500)
