"""Build folders come back as the last green gate left them, and never otherwise."""

from __future__ import annotations

from director.model.config import WorktreePolicy
from tests.worktrees.provisions_case import ProvisionsCase

MAKE = """\
mkdir -p deps/lib 'odd [x] name' && cp lock deps/lib/version && echo 1 > deps/a
echo o > 'odd [x] name/o' && echo g > pkg/generated.py && ln -s lib deps/link
"""


class TestBuildFolders(ProvisionsCase):
    policy = WorktreePolicy(keep=("out", "pkg/cache"))

    def test_only_what_was_kept_comes_back(self) -> None:
        worktree = self.provided(self.policy)
        self.agent("mkdir out; echo > out/cheat")
        worktree.reset(self.base)
        self.assertFalse((self.root / "out").exists())
        self.agent("mkdir out pkg/cache; echo 1 > out/a; echo 1 > pkg/cache/b")
        worktree.keep_builds()
        worktree.reset(self.base)
        self.assertEqual((self.text("out/a"), self.text("pkg/cache/b")), ("1", "1"))
        self.agent("echo cheat > out/a; echo > out/cheat")
        worktree.reset(self.base)
        self.assertEqual(self.text("out/a"), "1")
        self.assertFalse((self.root / "out/cheat").exists())

    def test_times_of_files_stay_for_build_tools(self) -> None:
        worktree = self.provided(self.policy)
        self.agent("mkdir out; echo 1 > out/a; touch -d 2001-01-01 out/a")
        worktree.keep_builds()
        worktree.reset(self.base)
        self.assertEqual(int((self.root / "out/a").stat().st_mtime), 978307200)

    def test_what_was_changed_meanwhile_is_thrown_away(self) -> None:
        worktree = self.provided(self.policy)
        for harm in ("echo cheat > {}/out/a", "echo > {}/out/cheat", "rm -r {}"):
            self.agent("mkdir -p out; echo 1 > out/a")
            worktree.keep_builds()
            self.agent(harm.format("../../notes/slot-1.kept"))
            worktree.reset(self.base)
            self.assertFalse((self.root / "out").exists())

    def test_a_link_is_not_kept(self) -> None:
        worktree = self.provided(self.policy)
        self.agent("mkdir x; ln -s x out; rm -r pkg; ln -s x pkg; mkdir x/cache")
        worktree.keep_builds()
        worktree.reset(self.base)
        self.assertEqual(self.names(), {".gitignore", "lock", "pkg", "pkg/a.py"})

    def test_they_may_lie_in_what_setup_makes(self) -> None:
        worktree = self.provided(WorktreePolicy(setup=MAKE, keep=("deps/cache",)))
        self.agent("mkdir deps/cache; echo 1 > deps/cache/c")
        worktree.keep_builds()
        for _ in range(2):
            worktree.reset(self.base)
            self.assertEqual(self.text("deps/cache/c"), "1")
        self.assertEqual(self.runs, 1)
