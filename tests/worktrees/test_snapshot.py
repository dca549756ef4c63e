"""A candidate is what lies on disk (``snapshot``, ``worktree_files``, ``tracked_folders``).

Of ``ignoring`` in repositories, which says what strays are worth naming, and ``links``.
"""

from __future__ import annotations

import os
import socket
from unittest import mock

from director.worktrees.snapshot import Snapshot
from tests.worktrees.jobs import open_pool
from tests.worktrees.worktree_case import WorktreeCase


class TestSnapshot(WorktreeCase):
    def test_nothing_done(self) -> None:
        expected = Snapshot(self.job.tree(self.base), frozenset(), (), ())
        self.assertEqual(self.snapshot("a.py", "new.py"), expected)

    def test_changed_added_and_deleted_files_of_the_allowlist(self) -> None:
        self.agent("echo 'A = 2' > a.py; rm b.py; mkdir -p x/y; echo N > x/y/new.py")
        snapshot = self.snapshot("a.py", "b.py", "x/y/new.py", "never.py")
        self.assertEqual(
            self.candidate(snapshot),
            {
                "a.py": ("100644", "A = 2\n"),
                "b.py": ("", ""),
                "x/y/new.py": ("100644", "N\n"),
            },
        )
        self.assertEqual(snapshot.changed, {"a.py", "b.py"})
        self.assertEqual((snapshot.strays, snapshot.links), ((), ()))

    def test_changes_outside_the_allowlist_are_named_and_left_out(self) -> None:
        self.agent("echo x >> tests/test_a.py; rm pkg/c.py; echo 'A = 2' > a.py")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"tests/test_a.py", "pkg/c.py", "a.py"})
        self.assertEqual(set(self.candidate(snapshot)), {"a.py"})

    def test_what_the_agent_committed_counts_the_same(self) -> None:
        self.agent(
            "echo 'A = 2' > a.py; echo x >> tests/test_a.py; git add -A; git commit -qm mine;"
            " echo 'B = 2' > b.py; git add b.py; git commit -qm more"
        )
        snapshot = self.snapshot("a.py", "b.py")
        self.assertEqual(snapshot.changed, {"a.py", "b.py", "tests/test_a.py"})
        self.assertEqual(set(self.candidate(snapshot)), {"a.py", "b.py"})

    def test_a_moved_head_plays_no_part(self) -> None:
        self.agent("git checkout -q --orphan elsewhere; git rm -rqf --cached .; echo 2 > a.py")
        snapshot = self.snapshot("a.py")
        self.assertEqual(self.candidate(snapshot), {"a.py": ("100644", "2\n")})
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(snapshot.strays, ())

    def test_assume_unchanged_and_skip_worktree_hide_nothing(self) -> None:
        self.agent(
            "git update-index --assume-unchanged tests/test_a.py a.py;"
            " git update-index --skip-worktree b.py;"
            " echo x > tests/test_a.py; echo y > a.py; echo z > b.py"
        )
        self.assertEqual(self.snapshot("a.py").changed, {"tests/test_a.py", "a.py", "b.py"})

    def test_a_change_of_the_same_size_with_the_old_time_is_seen(self) -> None:
        path = self.root / "tests/test_a.py"
        stat = path.stat()
        path.write_text("assert 0\n")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertEqual(self.snapshot("a.py").changed, {"tests/test_a.py"})

    def test_a_file_that_was_only_touched_is_unchanged(self) -> None:
        os.utime(self.root / "b.py", (1, 1))
        self.agent("cp a.py copy; mv copy a.py")
        self.assertEqual(self.snapshot("a.py").changed, frozenset())

    def test_compared_with_another_base_than_it_was_reset_to(self) -> None:
        self.sample.write("a.py", "A = 2\n")
        self.sample.write("b.py", "B = 2\n")
        self.worktree.reset(self.sample.commit())
        self.agent("echo 'A = 3' > a.py")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"a.py", "b.py"})
        self.assertEqual(self.candidate(snapshot), {"a.py": ("100644", "A = 3\n")})

    def test_settings_of_the_agents_hide_nothing(self) -> None:
        self.agent(
            "git config core.fileMode false; git config core.ignoreStat true;"
            " git config core.checkStat minimal; git config core.trustctime false;"
            " chmod +x tests/test_a.py"
        )
        path = self.root / "b.py"
        stat = path.stat()
        path.write_text("B = 2\n")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        self.assertEqual(self.snapshot("a.py").changed, {"tests/test_a.py", "b.py"})

    def test_filters_of_the_agents_hide_nothing(self) -> None:
        self.agent(
            "git config filter.lie.clean 'echo assert 1';"
            " common=$(git rev-parse --git-common-dir); mkdir -p $common/info;"
            " echo 'tests/* filter=lie' > $common/info/attributes; echo cheat > tests/test_a.py"
        )
        self.assertEqual(self.snapshot("a.py").changed, {"tests/test_a.py"})

    def test_a_rename_is_a_deletion_and_a_new_file(self) -> None:
        self.agent("git mv a.py moved.py")
        snapshot = self.snapshot("moved.py")
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(self.candidate(snapshot), {"moved.py": ("100644", "A = 1\n")})
        both = self.candidate(self.snapshot("a.py", "moved.py"))
        self.assertEqual(both["a.py"], ("", ""))

    def test_modes(self) -> None:
        self.agent("chmod +x a.py tests/test_a.py; echo n > new.sh; chmod +x new.sh")
        snapshot = self.snapshot("a.py", "new.sh")
        self.assertEqual(snapshot.changed, {"a.py", "tests/test_a.py"})
        self.assertEqual(
            self.candidate(snapshot), {"a.py": ("100755", "A = 1\n"), "new.sh": ("100755", "n\n")}
        )

    def test_names_with_spaces_and_letters_beyond_ascii(self) -> None:
        self.agent("echo 2 > 'ä ö.py'; mkdir 'ß x'; echo 3 > 'ß x/ñ.py'; echo 4 > 'strüy'")
        snapshot = self.snapshot("ä ö.py", "ß x/ñ.py")
        self.assertEqual(
            self.candidate(snapshot),
            {"ä ö.py": ("100644", "2\n"), "ß x/ñ.py": ("100644", "3\n")},
        )
        self.assertEqual(snapshot.changed, {"ä ö.py"})
        self.assertEqual(snapshot.strays, ("strüy",))

    def test_a_name_that_is_a_pattern_is_taken_literally(self) -> None:
        self.agent("echo x > '[ab].py'; echo 2 > a.py; echo y > ':(glob)'")
        snapshot = self.snapshot("[ab].py", ":(glob)")
        self.assertEqual(set(self.candidate(snapshot)), {"[ab].py", ":(glob)"})
        self.assertEqual(snapshot.changed, {"a.py"})

    def test_content_is_stored_as_the_repository_says(self) -> None:
        self.sample.write(".gitattributes", "*.py text eol=lf\n")
        self.base = self.sample.commit()
        job = self.make_job(self.sample, self.tmp / "j.git")
        with (
            open_pool(job, self.tmp / "r.json", self.env) as pool,
            pool.lease(self.base) as tree,
        ):
            (tree.path / "a.py").write_bytes(b"A = 2\r\n")
            snapshot = tree.snapshot(self.base, ["a.py"])
            entry = job.entries(snapshot.tree, ["a.py"])["a.py"]
            self.assertEqual(job.git.output("cat-file", "blob", entry.oid), b"A = 2\n")

    def test_a_second_snapshot_sees_what_is_there_then(self) -> None:
        self.agent("echo 2 > a.py; echo 2 > b.py")
        self.snapshot("a.py")
        self.agent("echo 'A = 1' > a.py")
        snapshot = self.snapshot("a.py", "b.py")
        self.assertEqual(snapshot.changed, {"b.py"})
        self.assertEqual(set(self.candidate(snapshot)), {"b.py"})

    def test_the_agents_own_view_is_not_disturbed(self) -> None:
        self.agent("echo 2 > a.py; git add a.py; echo 3 > b.py")
        before = self.agents_git("status", "--porcelain")
        self.snapshot("a.py")
        self.assertEqual(self.agents_git("status", "--porcelain"), before)


class TestStrays(WorktreeCase):
    def test_new_paths_outside_the_allowlist_but_for_ignored_ones(self) -> None:
        self.agent("echo x > stray.py; echo x > debug.log; mkdir -p build/x; echo x > build/x/o")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.strays, ("stray.py",))
        self.assertEqual(self.candidate(snapshot), {})

    def test_the_rules_of_the_base_count_not_those_that_an_agent_wrote(self) -> None:
        self.agent("echo '*' > .gitignore; echo x > stray.py; mkdir new; echo '*' > new/.gitignore")
        self.agent(f"echo '*' | tee -a {self.job.path}/info/exclude > .git-exclude")
        self.assertEqual(self.snapshot("a.py").strays, (".git-exclude", "new/", "stray.py"))
        self.agent("rm .gitignore; mkdir build; touch build/o x.log")
        strays = self.snapshot("a.py", ".gitignore").strays
        self.assertEqual(strays, (".git-exclude", "new/", "stray.py"))

    def test_what_the_user_excludes_is_ignored_too(self) -> None:
        self.sample.write(".git/info/exclude", "/notes/\n")
        job = self.make_job(self.sample, self.tmp / "j.git")
        with (
            open_pool(job, self.tmp / "r.json", self.env) as pool,
            pool.lease(self.base) as tree,
        ):
            (tree.path / "notes").mkdir()
            (tree.path / "notes" / "a").touch()
            self.assertEqual(tree.snapshot(self.base, ["a.py"]).strays, ())

    def test_a_folder_is_ignored_when_all_that_is_in_it_is(self) -> None:
        self.agent("mkdir -p new/deep; touch new/a.log new/deep/b.log")
        self.assertEqual(self.snapshot("a.py").strays, ())
        self.agent("touch new/deep/c")
        self.assertEqual(self.snapshot("a.py").strays, ("new/",))

    def test_what_git_cannot_be_asked_about_is_named(self) -> None:
        self.agent("mkdir -p new/.git other; echo x > new/.git/HEAD; echo x > other/a; mkfifo pipe")
        self.assertEqual(self.snapshot("a.py").strays, ("new/", "other/"))

    def test_git_is_asked_about_ignored_paths_only_where_there_are_new_ones(self) -> None:
        self.agent("echo 2 > a.py")
        with mock.patch("director.worktrees.snapshot.ignored") as asked:
            self.snapshot("a.py")
        asked.assert_not_called()

    def test_an_ignored_file_on_the_allowlist_is_part_of_the_candidate(self) -> None:
        self.agent("mkdir build; echo x > build/gen.py; echo y > build/other.py; echo z > x.log")
        snapshot = self.snapshot("build/gen.py", "x.log")
        self.assertEqual(
            self.candidate(snapshot),
            {"build/gen.py": ("100644", "x\n"), "x.log": ("100644", "z\n")},
        )
        self.assertEqual(snapshot.strays, ())

    def test_neighbours_of_an_allowlisted_file_in_a_new_folder(self) -> None:
        self.agent("mkdir -p n/m/o; touch n/yes.py n/no.py n/m/yes.py n/m/no.py n/m/o/no.py")
        snapshot = self.snapshot("n/yes.py", "n/m/yes.py")
        self.assertEqual(snapshot.strays, ("n/m/no.py", "n/m/o/no.py", "n/no.py"))
        self.assertEqual(set(self.candidate(snapshot)), {"n/yes.py", "n/m/yes.py"})

    def test_new_exclude_rules_hide_nothing(self) -> None:
        self.agent(
            "echo '*' >> .gitignore; echo x > stray.py;"
            " mkdir -p $(git rev-parse --git-common-dir)/info;"
            " echo '*' > $(git rev-parse --git-common-dir)/info/exclude"
        )
        snapshot = self.snapshot(".gitignore")
        self.assertEqual(snapshot.strays, ("stray.py",))
        self.assertEqual(snapshot.changed, {".gitignore"})

    def test_a_nested_repository_is_a_stray(self) -> None:
        self.agent("git init -q vendor; touch vendor/x; git init -q pkg/inner; touch pkg/inner/y")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.strays, ("pkg/inner/", "vendor/"))
        self.assertEqual(self.candidate(snapshot), {})

    def test_an_allowlisted_file_in_a_nested_repository_is_just_a_file(self) -> None:
        self.agent("git init -q n; echo x > n/new.py; git -C n add .; git -C n commit -qm x")
        snapshot = self.snapshot("n/new.py")
        self.assertEqual(self.candidate(snapshot), {"n/new.py": ("100644", "x\n")})

    def test_a_repository_made_in_a_tracked_folder_hides_nothing(self) -> None:
        self.agent(
            "git init -q pkg; echo 2 > pkg/c.py; git -C pkg add .; git -C pkg commit -qm x;"
            " touch pkg/stray"
        )
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"pkg/c.py"})
        self.assertEqual(snapshot.strays, ("pkg/stray",))
        self.assertEqual(self.candidate(snapshot), {})

    def test_replacing_the_git_file_hides_nothing(self) -> None:
        self.agent("rm .git; git init -q; git add -A; git commit -qm all; echo 2 > a.py; touch s")
        snapshot = self.snapshot("a.py")
        self.assertEqual(self.candidate(snapshot), {"a.py": ("100644", "2\n")})
        self.assertEqual((snapshot.changed, snapshot.strays), ({"a.py"}, ("s",)))


class TestLinksAndFolders(WorktreeCase):
    def setUp(self) -> None:
        super().setUp()
        self.outside = self.tmp / "outside"
        self.outside.mkdir()
        (self.outside / "c.py").write_text("C = 'outside'\n")

    def test_an_allowlisted_file_that_became_a_link(self) -> None:
        self.agent(f"ln -sf {self.outside}/c.py a.py; ln -s tests/test_a.py new.py")
        snapshot = self.snapshot("a.py", "new.py", "b.py")
        self.assertEqual(set(snapshot.links), {"a.py", "new.py"})
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(self.candidate(snapshot), {})

    def test_a_folder_on_the_way_that_became_a_link(self) -> None:
        self.agent(f"rm -r pkg; ln -s {self.outside} pkg; ln -s {self.outside} fresh")
        snapshot = self.snapshot("pkg/c.py", "fresh/c.py")
        self.assertEqual(set(snapshot.links), {"pkg/c.py", "fresh/c.py"})
        self.assertEqual(snapshot.changed, {"pkg/c.py", "pkg/deep/d.py"})
        self.assertEqual(self.candidate(snapshot), {})

    def test_a_folder_that_moved_away_behind_a_link_is_gone(self) -> None:
        self.agent(f"mv pkg {self.outside}/pkg; ln -s {self.outside}/pkg pkg")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"pkg/c.py", "pkg/deep/d.py"})
        self.assertEqual(snapshot.strays, ("pkg",))
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)
        self.assertEqual((self.outside / "pkg" / "c.py").read_text(), "C = 1\n")

    def test_a_link_that_was_one_before_may_change(self) -> None:
        self.sample.root.joinpath("link").symlink_to("a.py")
        self.base = self.sample.commit()
        self.worktree.reset(self.base)
        self.agent("ln -sf b.py link")
        snapshot = self.snapshot("link")
        self.assertEqual(self.candidate(snapshot), {"link": ("120000", "b.py")})
        self.assertEqual((snapshot.links, snapshot.changed), ((), {"link"}))

    def test_an_allowlisted_file_that_became_a_folder(self) -> None:
        self.agent("rm a.py; mkdir a.py; touch a.py/inner")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(self.candidate(snapshot), {})

    def test_an_allowlisted_file_that_became_a_repository(self) -> None:
        self.agent("rm a.py; git init -q a.py; git -C a.py commit -q --allow-empty -m x")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(self.candidate(snapshot), {})

    def test_an_allowlisted_file_that_became_something_else(self) -> None:
        self.agent("rm a.py; mkfifo a.py")
        here = os.open(self.root, os.O_RDONLY)
        self.addCleanup(os.close, here)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{here}/new.py")  # an address is at most 107 bytes long
        snapshot = self.snapshot("a.py", "new.py")
        self.assertEqual(snapshot.changed, {"a.py"})
        self.assertEqual(self.candidate(snapshot), {})

    def test_a_file_in_place_of_a_tracked_folder(self) -> None:
        self.agent("rm -r pkg; echo P > pkg")
        snapshot = self.snapshot("pkg")
        self.assertEqual(snapshot.changed, {"pkg/c.py", "pkg/deep/d.py"})
        self.assertEqual(self.candidate(snapshot)["pkg"], ("100644", "P\n"))

    def test_a_folder_in_place_of_a_tracked_file(self) -> None:
        self.agent("rm b.py; mkdir b.py; echo I > b.py/__init__.py")
        for allowlist in (["b.py/__init__.py"], ["b.py", "b.py/__init__.py"]):
            snapshot = self.snapshot(*allowlist)
            self.assertEqual(snapshot.changed, {"b.py"})
            self.assertEqual(self.candidate(snapshot)["b.py/__init__.py"], ("100644", "I\n"))

    def test_an_allowlisted_path_below_a_file_is_absent(self) -> None:
        self.agent("rm -r pkg; echo P > pkg")
        snapshot = self.snapshot("pkg/c.py")
        self.assertEqual(self.candidate(snapshot), {"pkg/c.py": ("", "")})
