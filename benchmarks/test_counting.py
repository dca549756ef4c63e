"""What is read of a trace, and of the notes where nothing traces."""

from __future__ import annotations

import subprocess
import unittest

from benchmarks.counting import Noted, noted, subcommand, traced
from tests.support.hermetic import HermeticCase

TRACE = """\
71 execve("/usr/bin/director", ["director", "run"], 0x7ffd /* 12 vars */) = 0
72 execve("/bin/git", ["git", "-c", "core.x=y", "--git-dir=/a", "ls-files", "-z"], 0x1) = 0
72 openat(AT_FDCWD, "index", O_RDONLY) = 3
72 newfstatat(3, "", {st_mode=S_IFREG|0644, st_size=9, ...}, AT_EMPTY_PATH) = 0
72 newfstatat(AT_FDCWD, "a/b", {st_mode=S_IFREG|0644, st_size=9, ...}, AT_SYMLINK_NOFOLLOW) = 0
72 getdents64(4, 0x55 /* 3 entries */, 32768) = 80
71 fsync(5) = 0
71 fdatasync(5) = 0
72 +++ exited with 0 +++
"""


class TestTraced(unittest.TestCase):
    def test_each_call_counts_as_what_it_is(self) -> None:
        counts = traced(TRACE.splitlines())
        self.assertEqual(
            counts.measures(),
            {
                "git processes": 1,
                "fsyncs": 2,
                "programs": 2,
                "opened files": 1,
                "looks at paths": 1,
                "reads of folders": 1,
                "git ls-files": 1,
            },
        )


class TestSubcommand(unittest.TestCase):
    def test_options_before_it_are_none(self) -> None:
        self.assertEqual(subcommand(["-C", "folder", "-c", "a.b=c", "--no-pager", "log"]), "log")
        self.assertEqual(subcommand(["--version"]), "")


class TestNoted(HermeticCase):
    def test_what_was_not_counted_is_left_out(self) -> None:
        counts = noted(["git -c a=b fetch --quiet", "fsync", "fsync"])
        self.assertEqual(counts.measures(), {"git processes": 1, "fsyncs": 2, "git fetch": 1})

    def test_git_and_python_say_what_they_do(self) -> None:
        counting = Noted(self.tmp, self.env)
        env = counting.environment(self.env)
        script = "import os; os.fsync(os.open('x', os.O_CREAT | os.O_WRONLY))"
        for argv in (("git", "--version"), ("python3", "-c", script)):
            subprocess.run(counting.command(argv), cwd=self.tmp, env=env, check=True)
        counts = counting.counts()
        self.assertEqual((counts.git.total(), counts.other["sync"]), (1, 1))
