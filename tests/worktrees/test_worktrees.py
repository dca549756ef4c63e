"""A candidate is what lies on disk, and a reset worktree holds exactly its commit."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar
from unittest import mock

from director.worktrees.pool import Pool
from director.worktrees.pool_folders import sweep_pool, worktrees_folder
from director.worktrees.worktrees import Snapshot, Worktree
from tests.support.hermetic import remove_tree
from tests.worktrees.jobs import JobCase, drop_lock, open_pool

GITIGNORE = "*.log\nbuild/\n__pycache__/\n"


class WorktreeCase(JobCase):
    files: ClassVar[dict[str, str]] = {
        ".gitignore": GITIGNORE,
        "a.py": "A = 1\n",
        "b.py": "B = 1\n",
        "pkg/c.py": "C = 1\n",
        "pkg/deep/d.py": "D = 1\n",
        "tests/test_a.py": "assert 1\n",
        "ä ö.py": "U = 1\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.record = self.tmp / "worktrees.json"
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.pool: Pool = stack.enter_context(open_pool(self.job, self.record, self.env))
        self.worktree: Worktree = stack.enter_context(self.pool.lease(self.base))
        self.root = self.worktree.path

    def agent(self, script: str) -> None:
        """Do something in the worktree as an agent would."""
        subprocess.run(
            ["sh", "-ec", script], cwd=self.root, env=self.env, check=True, capture_output=True
        )

    def snapshot(self, *allowlist: str) -> Snapshot:
        return self.worktree.snapshot(self.base, allowlist)

    def candidate(self, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
        """Return path → (mode, content) of what the snapshot's tree changes; ("", "") if gone."""
        result = {}
        for change in self.job.changes(self.base, snapshot.tree):
            gone = change.new.mode == "000000"
            content = "" if gone else self.job.git.output("cat-file", "blob", change.new.oid)
            text = content if isinstance(content, str) else content.decode()
            result[change.path] = ("" if gone else change.new.mode, text)
        return result

    def assert_holds_exactly(self, commit: str) -> None:
        """The worktree's files, modes and links are those of ``commit``, and there is no more."""
        clean = self.tmp / f"clean-{commit}"
        if not clean.exists():
            self.job.git.output("worktree", "add", "-q", "--detach", str(clean), commit)
        self.assertEqual(described(self.root), described(clean))

    def agents_git(self, *argv: str) -> str:
        return subprocess.check_output(
            ["git", *argv], cwd=self.root, env=self.env, text=True
        ).strip()


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
        with mock.patch("director.worktrees.worktrees.ignored") as asked:
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
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(self.root / "new.py"))
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


class TestReset(WorktreeCase):
    def test_whatever_was_done_only_the_commit_is_left(self) -> None:
        outside = self.tmp / "outside"
        outside.mkdir()
        (outside / "c.py").write_text("mine\n")
        doings = {
            "edits": "echo x > a.py; rm b.py; chmod +x pkg/c.py",
            "strays": "touch stray; mkdir -p n/e/w; touch n/e/w/f",
            "ignored": "mkdir -p build __pycache__; touch build/x __pycache__/y z.log",
            "commits": "echo x > a.py; git add -A; git commit -qm x; touch y; git add y",
            "a nested repository": "git init -q vendor; touch vendor/f; git init -q pkg",
            "no .git": "rm .git",
            "a .git of its own": "rm .git; git init -q; git add -A; git commit -qm x",
            "a .git that is a link": f"rm .git; ln -s {self.tmp} .git",
            "a branch": "git checkout -q -b mine; git commit -q --allow-empty -m x",
            "hidden": "git update-index --assume-unchanged a.py; echo y > a.py",
            "a lock": "touch $(git rev-parse --git-dir)/index.lock",
            "a merge under way": "git rev-parse HEAD > $(git rev-parse --git-dir)/MERGE_HEAD",
            "a folder for a file": "rm a.py; mkdir a.py; touch a.py/x",
            "a file for a folder": "rm -r pkg; touch pkg",
            "a link for a folder": f"rm -r pkg; ln -s {outside} pkg",
            "a link for a file": f"ln -sf {outside}/c.py a.py",
            "an exclude": "echo '*' > .gitignore; touch hidden",
            "sparse": "git config core.sparseCheckout true;"
            " mkdir -p $(git rev-parse --git-common-dir)/info $(dirname"
            " $(git rev-parse --git-path info/sparse-checkout));"
            " echo /a.py | tee $(git rev-parse --git-common-dir)/info/sparse-checkout"
            " > $(git rev-parse --git-path info/sparse-checkout)",
            "a filter": "git config filter.x.smudge 'echo evil';"
            " cd $(git rev-parse --absolute-git-dir); mkdir -p info;"
            " echo '* filter=x' > info/attributes; cd $OLDPWD;"
            " rm a.py b.py",
            "replaced objects": "git replace $(git rev-parse HEAD:a.py)"
            " $(echo evil | git hash-object -w --stdin); rm a.py",
            "line ends": "git config core.autocrlf true; rm a.py",
            "no git folder": "rm -rf $(git rev-parse --absolute-git-dir)",
            "another git folder": "git init -q --bare $(git rev-parse --absolute-git-dir)",
            "nothing at all": "rm -rf $PWD",
            "a file in its place": "rm -rf $PWD; touch $PWD",
            "a link in its place": f"rm -rf $PWD; ln -s {outside} $PWD",
            "a repository in a tracked folder": "git init -q pkg; touch pkg/stray pkg/deep/stray",
        }
        for name, script in doings.items():
            with self.subTest(name):
                self.agent(script)
                self.worktree.reset(self.base)
                self.assert_holds_exactly(self.base)
                self.assertEqual(self.agents_git("status", "--porcelain", "--ignored"), "")
                self.assertEqual(self.agents_git("rev-parse", "HEAD"), self.base)
                self.assertEqual(self.agents_git("rev-parse", "--abbrev-ref", "HEAD"), "HEAD")
        self.assertEqual((outside / "c.py").read_text(), "mine\n")

    def test_to_another_commit_and_back(self) -> None:
        self.sample.git("rm", "-qr", "pkg")
        self.sample.write("pkg", "a file now\n")
        self.sample.write("a.py", "A = 3\n").chmod(0o755)
        (self.sample.root / "link").symlink_to("a.py")
        other = self.sample.commit()
        for commit in (other, self.base, other):
            self.worktree.reset(commit)
            self.assert_holds_exactly(commit)
            self.assertEqual(self.agents_git("rev-parse", "HEAD"), commit)

    def test_a_candidate_can_be_checked_out_as_it_was_read(self) -> None:
        self.agent("echo 'A = 2' > a.py; mkdir n; echo x > n/new.py; touch stray.log")
        snapshot = self.snapshot("a.py", "n/new.py")
        commit = self.job.commit(snapshot.tree, self.base, "candidate\n")
        self.worktree.reset(commit)
        self.assert_holds_exactly(commit)
        self.assertEqual((self.root / "a.py").read_text(), "A = 2\n")
        self.assertFalse((self.root / "stray.log").exists())

    def test_whatever_was_done_only_the_candidate_is_left(self) -> None:
        doings = {
            "edits": "echo 2 > a.py; echo x > b.py; rm pkg/c.py",
            "strays": "echo 2 > a.py; touch stray pkg/stray; mkdir -p empty/er pkg/empty",
            "a folder for a file": "echo 2 > a.py; rm b.py; mkdir b.py; touch b.py/x",
            "a file for a folder": "echo 2 > a.py; rm -r pkg; touch pkg",
            "a link for a folder": f"echo 2 > a.py; mv pkg {self.tmp}/p; ln -s {self.tmp}/p pkg",
            "a repository": "echo 2 > a.py; git init -q pkg; git init -q other",
            "touched": "echo 2 > a.py; touch b.py; cp -p pkg/c.py x; mv x pkg/c.py",
            "a pipe": "echo 2 > a.py; mkfifo pkg/pipe tests/pipe pipe",
            "content that is another once it is out": "printf '2\\n' > a.py; chmod 600 b.py",
        }
        for name, script in doings.items():
            with self.subTest(name):
                self.worktree.reset(self.base)
                self.agent(script)
                tree = self.snapshot("a.py").tree
                commit = self.job.commit(tree, self.base, "candidate\n")
                for wanted in (commit, self.base, commit):
                    self.worktree.reset(wanted)
                    self.assert_holds_exactly(wanted)
                    self.assertEqual(self.agents_git("status", "--porcelain", "--ignored"), "")

    def test_what_a_snapshot_saw_counts_for_one_reset_only(self) -> None:
        self.agent("echo 2 > a.py; touch stray")
        self.snapshot("a.py")
        self.worktree.reset(self.base)
        self.agent("echo 2 > b.py; touch other")
        self.worktree.reset(self.base)
        self.assert_holds_exactly(self.base)

    def test_the_agents_git_has_nothing_to_commit_after_a_reset(self) -> None:
        self.agent("echo x > a.py; git add a.py")
        self.worktree.reset(self.base)
        self.assertEqual(self.agents_git("diff", "--cached", "--name-only"), "")

    def test_a_snapshot_of_a_removed_worktree_says_that_all_is_gone(self) -> None:
        self.agent("rm -rf $PWD")
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, set(self.files))
        self.assertEqual(self.candidate(snapshot), {"a.py": ("", "")})


class TestPool(WorktreeCase):
    def test_worktrees_in_use_are_apart_and_reused_afterwards(self) -> None:
        with self.pool.lease(self.base) as second:
            self.assertNotEqual(second.path, self.root)
            (second.path / "a.py").write_text("x")
            (second.path / "stray").touch()
        with self.pool.lease(self.base) as third:
            self.assertEqual(third.path, second.path)
            self.assertEqual((third.path / "a.py").read_text(), "A = 1\n")
            self.assertFalse((third.path / "stray").exists())

    def test_one_beyond_repair_is_replaced(self) -> None:
        with self.pool.lease(self.base) as second:
            (self.pool.notes / f"agents-{second.path.name}.index.lock").touch()
        with self.pool.lease(self.base) as third:
            self.assertEqual((third.path / "a.py").read_text(), "A = 1\n")

    def test_a_lease_ends_with_an_error_too(self) -> None:
        with self.assertRaises(ZeroDivisionError), self.pool.lease(self.base) as second:
            raise ZeroDivisionError
        with self.pool.lease(self.base) as third:
            self.assertEqual(third.path, second.path)

    def test_lies_outside_the_users_tree_for_the_owner_only(self) -> None:
        folder = self.root.parent.parent
        self.assertEqual(folder.parent, Path(self.env["XDG_STATE_HOME"]) / "director")
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertFalse(folder.is_relative_to(self.sample.root))


class TestLifeOfThePool(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.record = self.tmp / "worktrees.json"

    def test_nothing_is_left_behind(self) -> None:
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            (worktree.path / "closed").mkdir()
            (worktree.path / "closed" / "f").touch()
            (worktree.path / "closed").chmod(0o500)
            self.assertTrue(self.record.exists())
        self.assertFalse(worktree.path.parent.parent.exists())
        self.assertFalse(self.record.exists())

    def test_nor_after_an_error(self) -> None:
        with (
            self.assertRaises(ZeroDivisionError),
            open_pool(self.job, self.record, self.env) as pool,
            pool.lease(self.base) as worktree,
        ):
            raise ZeroDivisionError
        self.assertFalse(worktree.path.parent.parent.exists())

    def crash(self) -> Path:
        """Leave a pool as a killed run does, with work in its worktree; return that worktree."""
        crashed = open_pool(self.job, self.record, self.env)
        self.addCleanup(crashed.__exit__, None, None, None)
        with crashed.__enter__().lease(self.base) as worktree:
            (worktree.path / "a.py").write_text("paid for\n")
            (worktree.path / "stray").touch()
            notes = worktree.path.parent.with_name("notes")
            (notes / f"agents-{worktree.path.name}.index.lock").touch()
        drop_lock(notes.parent)
        return worktree.path

    def test_what_a_crash_left_is_gone_on_with_where_it_is_asked_for(self) -> None:
        old = self.crash()
        with (
            open_pool(self.job, self.record, self.env) as pool,
            pool.lane(old) as lane,
        ):
            worktree = lane.work
            self.assertEqual(worktree.path, old)
            self.assertEqual((old / "a.py").read_text(), "paid for\n")
            snapshot = worktree.snapshot(self.base, ["a.py"])
            self.assertEqual((snapshot.changed, snapshot.strays), ({"a.py"}, ("stray",)))
            with pool.lane(old) as another:
                other = another.work
                self.assertNotEqual(other.path, old)
                other.reset(self.base)
                self.assertEqual((other.path / "a.py").read_text(), "A = 1\n")
        self.assertFalse(old.parent.parent.exists())

    def test_what_a_crash_left_is_reset_for_everybody_else(self) -> None:
        old = self.crash()
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            self.assertEqual(worktree.path, old)
            self.assertEqual((old / "a.py").read_text(), "A = 1\n")
            self.assertFalse((old / "stray").exists())

    def test_a_pool_whose_folder_has_vanished_is_made_again(self) -> None:
        old = self.crash()
        remove_tree(old.parent.parent)
        with (
            open_pool(self.job, self.record, self.env) as pool,
            pool.lane(old) as lane,
        ):
            worktree = lane.work
            self.assertNotEqual(worktree.path, old)
            worktree.reset(self.base)
            self.assertEqual((worktree.path / "a.py").read_text(), "A = 1\n")

    def test_sweep_removes_what_is_noted_and_the_note(self) -> None:
        sweep_pool(self.record)
        old = self.crash()
        sweep_pool(self.record)
        self.assertFalse(old.parent.parent.exists())
        self.record.write_text('{"folder": "/nowhere/at/all"}')
        sweep_pool(self.record)
        self.assertFalse(self.record.exists())

    def test_the_user_sees_nothing_of_it(self) -> None:
        before = self.sample.fingerprint()
        with open_pool(self.job, self.record, self.env) as pool, pool.lease(self.base) as worktree:
            (worktree.path / "a.py").write_text("x")
            worktree.snapshot(self.base, ["a.py"])
            self.assertEqual(self.sample.git("worktree", "list").count("\n"), 0)
        self.assertEqual(self.sample.fingerprint(), before)

    def test_where_they_are(self) -> None:
        self.assertEqual(
            worktrees_folder({"XDG_STATE_HOME": "/c", "HOME": "/h"}), Path("/c/director")
        )
        self.assertEqual(
            worktrees_folder({"XDG_STATE_HOME": "", "HOME": "/h"}),
            Path("/h/.local/state/director"),
        )


def described(root: Path) -> dict[str, tuple[str, str]]:
    """Return path → (executable or link, content) of all there is but ``.git``."""
    found = {}
    for place, folders, names in os.walk(root):
        if Path(place) == root:
            folders[:] = [name for name in folders if name != ".git"]
            names = [name for name in names if name != ".git"]
        for path in (Path(place, name) for name in [*folders, *names]):
            rel = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[rel] = ("link", str(path.readlink()))
            elif path.is_dir():
                found[rel] = ("folder", "")
            else:
                found[rel] = (f"{path.stat().st_mode & 0o111 != 0}", path.read_text())
    return found
