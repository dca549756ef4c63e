"""Whatever git is configured to believe: what is on disk is seen, and put back exactly."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path

from director.agents.registry import starter_files
from director.worktrees.exact_settings import exact_settings
from director.worktrees.worktree import Worktree
from tests.support.hermetic import TemporaryCase
from tests.worktrees.jobs import JobCase, open_pool
from tests.worktrees.worktree_case import described

TEST = "tests/test_a.py"


class TestWorktreesOfAnyConfiguration(JobCase):
    """A job is made and worked on after the user's configuration was changed."""

    def setUp(self) -> None:
        super().setUp()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.count = 0

    def configure(self, setting: str, where: str = "--global") -> None:
        self.sample.git("config", where, *setting.split("=", 1))

    def worktree(self) -> Worktree:
        """Return a worktree of a new job that holds its base."""
        self.count += 1
        self.base = self.sample.git("rev-parse", "HEAD")
        self.job = self.make_job(self.sample, self.tmp / f"{self.count}.git")
        record = self.tmp / f"{self.count}.json"
        pool = self.stack.enter_context(open_pool(self.job, record, self.env))
        return self.stack.enter_context(pool.lease(self.base))

    def settled(self) -> tuple[Worktree, str]:
        """Return a worktree, and the commit it holds, whose index is younger than its files.

        As long as it is not, git looks into the files in any case.
        """
        worktree = self.worktree()
        written = (worktree.path / TEST).stat().st_mtime
        while int(time.time()) <= int(written):
            time.sleep(0.02)
        commit = self.add_commit(self.job, {"a.py": "A = 2\n"})
        worktree.reset(commit)
        return worktree, commit

    def test_a_file_whose_time_was_put_back_is_seen_and_put_back(self) -> None:
        for setting in ("core.trustctime=false", "core.checkStat=minimal"):
            with self.subTest(setting):
                self.configure(setting)
                worktree, commit = self.settled()
                place = worktree.path / TEST
                before = place.stat()
                place.write_text("assert 2\n")
                os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
                self.assertEqual(worktree.snapshot(commit, ["a.py"]).changed, {TEST})
                worktree.reset(commit)
                self.assertEqual(place.read_text(), "assert 1\n")

    def test_modes_are_seen_and_put_back(self) -> None:
        for where in ("--global", "--local"):
            with self.subTest(where):
                self.configure("core.fileMode=false", where)
                worktree = self.worktree()
                (worktree.path / TEST).chmod(0o755)
                self.assertEqual(worktree.snapshot(self.base, ["a.py"]).changed, {TEST})
                worktree.reset(self.base)
                self.assertFalse((worktree.path / TEST).stat().st_mode & 0o111)

    def test_the_mode_of_a_new_file_is_kept(self) -> None:
        self.configure("core.fileMode=false", "--local")
        worktree = self.worktree()
        (worktree.path / "tool").touch(0o755)
        tree = worktree.snapshot(self.base, ["tool"]).tree
        self.assertEqual(self.job.entries(tree, ["tool"])["tool"].mode, "100755")

    def test_a_name_that_differs_in_case_is_another_file(self) -> None:
        self.configure("core.ignoreCase=true", "--local")
        worktree = self.worktree()
        (worktree.path / "A.py").write_text("import os\n")
        self.assertEqual(worktree.snapshot(self.base, ["a.py"]).strays, ("A.py",))
        worktree.reset(self.base)
        self.assertFalse((worktree.path / "A.py").exists())

    def test_links_are_links(self) -> None:
        self.sample.root.joinpath("link").symlink_to("a.py")
        self.sample.commit()
        self.configure("core.symlinks=false", "--local")
        worktree = self.worktree()
        self.assertTrue((worktree.path / "link").is_symlink())

    def test_an_index_has_no_part_that_lies_where_agents_write(self) -> None:
        self.configure("core.splitIndex=true")
        worktree, _ = self.settled()
        self.assertEqual(list(self.job.path.rglob("sharedindex.*")), [])
        self.assertEqual(worktree.snapshot(self.job.tip(), ["b.py"]).strays, ())

    def test_a_worktree_is_whole_where_checkouts_are_sparse(self) -> None:
        self.configure("core.sparseCheckout=true")
        self.sample.write(".git/info/sparse-checkout", "/a.py\n")
        worktree = self.worktree()
        self.assertTrue((worktree.path / TEST).exists())

    def test_settings_for_speed_change_nothing(self) -> None:
        for setting in ("feature.manyFiles=true", "core.untrackedCache=true",
                        "index.version=4", "index.sparse=true", "core.preloadIndex=true",
                        "submodule.recurse=true", "core.ignoreStat=true"):  # fmt: skip
            self.configure(setting)
        worktree, commit = self.settled()
        (worktree.path / TEST).write_text("assert 2\n")
        (worktree.path / "stray").touch()
        snapshot = worktree.snapshot(commit, ["a.py", "new.py"])
        self.assertEqual((snapshot.changed, snapshot.strays), ({TEST}, ("stray",)))
        worktree.reset(self.base)
        self.job.git.output("worktree", "add", "-q", "--detach", str(self.tmp / "c"), self.base)
        self.assertEqual(described(worktree.path), described(self.tmp / "c"))

    def test_what_the_user_sees_of_their_own_checkout_is_as_their_git_has_it(self) -> None:
        self.configure("core.fileMode=false", "--local")
        (self.sample.root / "a.py").chmod(0o755)
        self.assertEqual(
            self.make_job(self.sample, self.tmp / "job.git").user.uncommitted(starter_files()), 0
        )


class TestProbe(TemporaryCase):
    def test_settings_are_as_the_file_system_is(self) -> None:
        settings = exact_settings(self.tmp)
        for name in ("filemode", "symlinks"):
            self.assertIn(f"core.{name}=true", settings)
        self.assertIn("core.ignorecase=false", settings)
        self.assertEqual(list(self.tmp.iterdir()), [Path(self.env["HOME"])])

    def test_a_folder_that_cannot_be_written_is_taken_for_a_usual_one(self) -> None:
        self.assertEqual(exact_settings(self.tmp / "none"), exact_settings(self.tmp))
