"""What the user's working tree gives to worktrees."""

from __future__ import annotations

from director.model.config import WorktreePolicy
from director.model.errors import RequestError, StoppedError
from director.repositories.repository import open_repository
from director.worktrees.user_files import find_sources
from tests.worktrees.provisions_case import ProvisionsCase


class TestUserFiles(ProvisionsCase):
    def setUp(self) -> None:
        super().setUp()
        for name in (".env", "conf/a.local", "conf/b.local", "deps/tool/x", "deps/tool/y"):
            self.sample.write(name, f"{name}\n")
        self.before = self.sample.fingerprint()

    def tearDown(self) -> None:
        self.assertEqual(self.sample.fingerprint(), self.before)
        super().tearDown()

    def test_copies_are_restored(self) -> None:
        worktree = self.provided(WorktreePolicy(copy=(".env", "conf")))
        for script in ("echo x > .env", "rm -r conf", "rm .env; ln -s /etc/passwd .env"):
            self.agent(script)
            worktree.reset(self.base)
            self.assertEqual(self.text(".env"), ".env")
            self.assertEqual(self.text("conf/b.local"), "conf/b.local")
        self.assertEqual(self.runs, 0)

    def test_a_changed_copy_of_the_users_files_is_taken_again(self) -> None:
        worktree = self.provided(WorktreePolicy(copy=(".env",), link=("deps",)))
        self.agent("for f in ../../notes/given-*/tree/.env; do echo cheat > $f; done; rm .env")
        worktree.reset(self.base)
        self.assertEqual(self.text(".env"), ".env")
        self.agent("chmod -R u+w deps/; echo cheat > deps/tool/x")
        worktree.reset(self.base)
        self.assertEqual(self.text("deps/tool/x"), "deps/tool/x")

    def test_what_is_linked_is_one_copy_that_cannot_be_written(self) -> None:
        self.provided(WorktreePolicy(link=("deps",)))
        target = (self.root / "deps").readlink()
        self.assertNotIn(self.sample.root, target.parents)
        modes = {path.stat().st_mode & 0o222 for path in (target, *target.rglob("*"))}
        self.assertEqual(modes, {0})

    def test_links_that_lead_nowhere_good_are_refused(self) -> None:
        (self.sample.root / "deps/up").symlink_to("../conf")
        self.before = self.sample.fingerprint()
        user = open_repository(self.sample.root, self.env)
        find_sources(user, WorktreePolicy(copy=("deps",)))
        with self.assertRaisesRegex(RequestError, r"deps/up is a symbolic link \(to ../conf\)"):
            find_sources(user, WorktreePolicy(link=("deps",)))

    def test_worktreeinclude_names_ignored_files_only(self) -> None:
        self.sample.write("plain", "not ignored\n")
        self.sample.write(".worktreeinclude", "a.local\nplain\npkg/\ndeps/tool/*\n!deps/tool/y\n")
        self.sample.write(".director/x.local", "records\n")
        self.before = self.sample.fingerprint()
        worktree = self.provided(WorktreePolicy(copy=(".env",)))
        expected = {
            *(".gitignore", "lock", "pkg", "pkg/a.py", ".env", "conf", "conf/a.local"),
            *("deps", "deps/tool", "deps/tool/x"),
        }
        self.assertEqual(self.names(), expected)
        self.agent("echo > conf/stray; echo > deps/stray; echo > deps/tool/y")
        worktree.reset(self.base)
        self.assertEqual(self.names(), expected)

    def test_one_that_is_gone_when_it_is_needed_again_stops(self) -> None:
        worktree = self.provided(WorktreePolicy(link=("conf",)))
        (self.sample.root / "conf").rename(self.sample.root / "moved")
        self.agent("chmod -R u+w ../../notes/given-*; rm -rf ../../notes/given-*")
        with self.assertRaisesRegex(StoppedError, "conf is gone"):
            worktree.reset(self.base)
        (self.sample.root / "moved").rename(self.sample.root / "conf")

    def test_setup_finds_copies_and_may_change_them(self) -> None:
        worktree = self.provided(WorktreePolicy(setup="echo more >> .env", copy=(".env",)))
        self.agent("echo x > .env")
        worktree.reset(self.base)
        self.assertEqual((self.text(".env"), self.runs), (".env\nmore", 1))


class TestNothingProvided(ProvisionsCase):
    def test_no_git_is_started_for_it(self) -> None:
        broken = open_repository(self.sample.root, self.env)
        broken.git = broken.git.with_variables(PATH="/nowhere")
        sources = find_sources(broken, WorktreePolicy())
        self.assertEqual((sources.roots, sources.linked, sources.secrets), ((), (), {}))
