"""What a worktree is provided with: always as director left it, and never in the commit's place."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from director.model.config import WorktreePolicy
from director.model.errors import RequestError, StoppedError
from director.repositories.job_repository import Entry
from director.repositories.repository import open_repository
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.given import Sources, find_sources
from director.worktrees.provisions import Provisions, SetupFailedError
from director.worktrees.worktree_provisions import Builds, WorktreeProvisions
from director.worktrees.worktrees import Worktree
from tests.worktrees.jobs import JobCase, open_pool

MAKE = """\
mkdir -p deps/lib 'odd [x] name' && cp lock deps/lib/version && echo 1 > deps/a
echo o > 'odd [x] name/o' && echo g > pkg/generated.py && ln -s lib deps/link
"""


class ProvisionsCase(JobCase):
    files: ClassVar[dict[str, str]] = {
        ".gitignore": "deps/\n*.local\n.env\n",
        "lock": "one\n",
        "pkg/a.py": "A = 1\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)
        self.runs = 0
        self.code = 0

    def run_setup(self, worktree: Path, merged: bool) -> GateResult:
        """Run the setup command without a gate around it."""
        self.runs += 1
        command = self.policy.setup
        subprocess.run(["sh", "-ec", command], cwd=worktree, env=self.env, check=True)
        log = self.tmp / "log"
        log.write_text("first\nlast words\n")
        verdict = Verdict.RED if self.code else Verdict.GREEN
        return GateResult(command, verdict, self.code, 0.1, f"exit code {self.code}", log)

    def provided(self, policy: WorktreePolicy) -> Worktree:
        """Return a worktree of a new pool, at the base."""
        self.policy = policy
        user = open_repository(self.sample.root, self.env)
        self.provisions = Provisions(policy, find_sources(user, policy), self.job, self.run_setup)
        pool = open_pool(self.job, self.tmp / "pool.json", self.env, self.provisions)
        worktree = self.stack.enter_context(self.stack.enter_context(pool).lease(self.job.tip()))
        self.root = worktree.path
        return worktree

    @property
    def made(self) -> Path:
        """The copy of what setup made in the worktree."""
        return self.root.parent.with_name("notes") / "agents-slot-1.made"

    def agent(self, script: str) -> None:
        """Do something in the worktree as an agent would."""
        subprocess.run(["sh", "-ec", script], cwd=self.root, env=self.env, check=True)

    def text(self, name: str) -> str:
        return (self.root / name).read_text().strip()

    def names(self) -> set[str]:
        """Return the files, links and folders of the worktree."""
        found = subprocess.check_output(
            ["find", ".", "-mindepth", "1", "-not", "-path", "./.git"], cwd=self.root, text=True
        )
        return {line[2:] for line in found.splitlines()}


class TestSetup(ProvisionsCase):
    policy = WorktreePolicy(setup=MAKE, setup_inputs=("lock",))

    def test_it_runs_once_and_what_it_made_survives_resets(self) -> None:
        worktree = self.provided(self.policy)
        inode = (self.root / "deps/lib/version").stat().st_ino
        before = self.names()
        for commit in (self.base, self.add_commit(self.job, {"pkg/b.py": "B"}), self.base):
            worktree.reset(commit)
        self.assertEqual(self.runs, 1)
        self.assertEqual((self.root / "deps/lib/version").stat().st_ino, inode)
        self.assertEqual(self.names(), before)

    def test_it_runs_again_when_an_input_differs_and_back(self) -> None:
        worktree = self.provided(self.policy)
        worktree.reset(self.add_commit(self.job, {"lock": "two\n"}))
        self.assertEqual((self.runs, self.text("deps/lib/version")), (2, "two"))
        worktree.reset(self.base)
        self.assertEqual((self.runs, self.text("deps/lib/version")), (3, "one"))

    def test_inputs_may_be_folders_and_globs(self) -> None:
        for globs, path in ((("pkg/",), "pkg/a.py"), (("*.py",), "pkg/a.py"), (("l?ck",), "lock")):
            policy = replace(self.policy, setup_inputs=tuple(g.rstrip("/") for g in globs))
            self.provisions = Provisions(
                policy, Sources(self.sample.root), self.job, self.run_setup
            )
            changed = self.add_commit(self.job, {path: "changed\n"})
            other = self.add_commit(self.job, {"else": "changed\n"})
            key = self.provisions.setup_key
            self.assertNotEqual(key(self.base), key(changed), globs)
            self.assertEqual(key(self.base), key(other), globs)

    def test_without_inputs_they_are_the_lock_files_and_manifests(self) -> None:
        lock = self.add_commit(self.job, {"web/package-lock.json": "{}"})
        other = self.add_commit(self.job, {"else": "changed\n"})
        for inputs, again in ((None, True), ((), False), (("lock",), False)):
            policy = replace(self.policy, setup_inputs=inputs)
            provisions = Provisions(policy, Sources(self.sample.root), self.job, self.run_setup)
            keys = [provisions.setup_key(commit) for commit in (self.base, lock, other)]
            self.assertEqual(keys[0] != keys[1], again, inputs)
            self.assertEqual(keys[0], keys[2], inputs)

    def test_whatever_an_agent_changes_is_as_it_was_after_a_reset(self) -> None:
        worktree = self.provided(self.policy)
        before = self.names()
        for script in (
            "echo x > deps/lib/version",
            "rm -r deps",
            "rm deps/a; mkdir deps/a; echo > deps/a/b",
            "rm -r deps/lib; echo > deps/lib",
            "mv deps d; ln -s d deps",
            "rm deps/link; ln -s a deps/link",
            "echo > deps/new; mkdir -p deps/n/n; mkfifo deps/pipe",
            "chmod 755 deps/lib/version; chmod 700 deps/lib",
            "ln deps/a hard; echo 2 > hard",
            "rm -r pkg; ln -s /tmp pkg",
            "rm -r 'odd [x] name'; rm pkg/generated.py",
        ):
            with self.subTest(script):
                self.agent(script)
                worktree.reset(self.base)
                self.assertEqual(self.names(), before)
                self.assertEqual(self.text("deps/lib/version"), "one")
                self.assertEqual(self.text("deps/a"), "1")
                self.assertEqual(str((self.root / "deps/link").readlink()), "lib")
        self.assertEqual(self.runs, 1)

    def test_folders_that_nobody_may_write_are_no_obstacle(self) -> None:
        worktree = self.provided(replace(self.policy, setup=f"{MAKE}chmod -R a-w deps"))
        swap = "chmod u+w deps/lib; rm -f deps/lib/version; echo x > deps/lib/version"
        for script in (
            f"{swap}; chmod a-w deps/lib",
            "chmod u+w deps; echo > deps/new; chmod a-w deps",
            f"chmod -R u+w {self.made}; rm -r {self.made}; {swap}; chmod a-w deps/lib",
        ):
            self.agent(script)
            worktree.reset(self.base)
            self.assertEqual(self.text("deps/lib/version"), "one")
            self.assertFalse((self.root / "deps/new").exists())
        worktree.reset(self.add_commit(self.job, {"lock": "two\n"}))
        self.assertEqual(self.text("deps/lib/version"), "two")

    def test_a_change_that_hides_its_size_and_time_is_seen(self) -> None:
        worktree = self.provided(self.policy)
        path = self.root / "deps/lib/version"
        status = path.stat()
        path.write_text("two\n")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        worktree.reset(self.base)
        self.assertEqual(self.text("deps/lib/version"), "one")

    def test_a_copy_that_was_changed_is_not_restored_from(self) -> None:
        worktree = self.provided(self.policy)
        made = self.made
        self.agent(f"echo cheat > '{made}/deps/lib/version'; rm deps/lib/version")
        worktree.reset(self.base)
        self.assertEqual((self.runs, self.text("deps/lib/version")), (2, "one"))
        self.agent(f"echo > '{made}/deps/lib/cheat'; rm -r deps")
        worktree.reset(self.base)
        self.assertEqual((self.runs, (self.root / "deps/lib/cheat").exists()), (3, False))

    def test_the_commit_wins_over_what_setup_made(self) -> None:
        worktree = self.provided(self.policy)
        commit = self.add_commit(
            self.job,
            {"pkg/generated.py": "T = 1\n", "deps/lib/t": "tracked\n", "odd [x] name": "f\n"},
        )
        for _ in range(2):
            worktree.reset(commit)
            self.assertEqual(self.text("pkg/generated.py"), "T = 1")
            self.assertEqual(self.text("deps/lib/t"), "tracked")
            self.assertEqual(self.text("deps/lib/version"), "one")
            self.assertEqual(self.text("odd [x] name"), "f")
            self.agent("echo x > deps/lib/t; echo x > deps/lib/version; echo x > deps/lib/new")
        worktree.reset(self.base)
        self.assertFalse((self.root / "deps/lib/t").exists())
        self.assertEqual(self.text("pkg/generated.py"), "g")
        self.assertEqual(self.text("odd [x] name/o"), "o")

    def test_no_candidate_has_a_part_in_what_is_made_for_others(self) -> None:
        worktree = self.provided(WorktreePolicy("cp pkg/a.py made; mkdir -p x", ("lock",)))
        made = self.made
        candidate = self.add_commit(self.job, {"pkg/a.py": "poison\n", "x": "tracked\n"})
        self.agent(f"rm -r '{made}' made")
        worktree.reset(candidate)
        self.assertEqual((self.runs, self.text("made")), (2, "A = 1"))
        self.assertEqual((self.text("pkg/a.py"), self.text("x")), ("poison", "tracked"))
        worktree.reset(self.base)
        self.assertEqual((self.runs, (self.root / "x").is_dir()), (2, True))

    def test_what_is_made_for_a_candidate_is_for_it_alone(self) -> None:
        worktree = self.provided(WorktreePolicy("cp pkg/a.py made", ("lock",)))
        one = self.add_commit(self.job, {"lock": "two\n", "pkg/a.py": "poison\n"})
        other = self.add_commit(self.job, {"lock": "two\n", "pkg/a.py": "A = 2\n"})
        for commit, runs, text in (
            (one, 2, "poison"),
            (one, 2, "poison"),
            (other, 3, "A = 2"),
            (self.base, 4, "A = 1"),
            (one, 5, "poison"),
        ):
            worktree.reset(commit)
            self.assertEqual((self.runs, self.text("made")), (runs, text))
        merged = self.job.commit(self.job.tree(one), self.base, "merged\n")
        self.assertTrue(self.job.advance(merged, self.base))
        for commit in (merged, self.add_commit(self.job, {"pkg/a.py": "A = 3\n"})):
            worktree.reset(commit)
            self.assertEqual((self.runs, self.text("made")), (5, "poison"))

    def test_what_it_makes_in_the_folder_of_a_submodule_stays(self) -> None:
        link = Entry("sub", "160000", self.base)
        commit = self.job.commit(self.job.tree_with(self.base, [link]), self.base, "sub")
        self.assertTrue(self.job.advance(commit, self.base))
        worktree = self.provided(
            WorktreePolicy("echo > sub/file; git init -q sub; git init -q pkg")
        )
        for _ in range(2):
            self.assertEqual(self.text("sub/file"), "")
            self.assertFalse((self.root / "pkg/.git").exists())
            worktree.reset(commit)

    def test_it_starts_from_the_commit_alone(self) -> None:
        worktree = self.provided(replace(self.policy, setup=f"test ! -e deps/new; {MAKE}"))
        self.agent("echo > deps/new; echo > stray")
        worktree.reset(self.add_commit(self.job, {"lock": "two\n"}))
        self.assertFalse((self.root / "stray").exists())

    def test_what_it_does_to_tracked_files_is_undone(self) -> None:
        setup = "echo changed > lock; rm pkg/a.py; git add -A; git commit -qm mine; echo x > new"
        self.provided(WorktreePolicy(setup=setup))
        self.assertEqual((self.text("lock"), self.text("pkg/a.py")), ("one", "A = 1"))
        status = subprocess.check_output(["git", "status", "-s"], cwd=self.root, env=self.env)
        self.assertEqual(status, b"?? new\n")

    def test_one_that_fails_says_how_and_runs_again_the_next_time(self) -> None:
        worktree = self.provided(self.policy)
        self.code = 7
        changed = self.add_commit(self.job, {"lock": "two\n"})
        with self.assertRaisesRegex(SetupFailedError, "exit code 7: last words") as caught:
            worktree.reset(changed)
        self.assertIn(str(self.tmp / "log"), caught.exception.next_step)
        self.code = 0
        worktree.reset(changed)
        self.assertEqual((self.runs, self.text("deps/lib/version")), (3, "two"))

    def test_a_worktree_that_a_killed_run_left_is_provided_again(self) -> None:
        self.provided(self.policy)
        self.agent("echo cheat > deps/lib/version")
        notes = self.root.parent.with_name("notes") / "agents-slot-1"
        adopted = Worktree(
            self.root,
            notes,
            self.job,
            WorktreeProvisions(self.provisions, self.root, notes, Builds(self.tmp / "kept")),
        )
        self.assertEqual(adopted.snapshot(self.base, ()).strays, ())
        adopted.reset(self.base)
        self.assertEqual((self.runs, self.text("deps/lib/version")), (2, "one"))

    def test_what_is_provided_is_neither_stray_nor_candidate(self) -> None:
        worktree = self.provided(self.policy)
        self.agent("echo > stray; echo > deps/new; echo > pkg/new.py")
        snapshot = worktree.snapshot(self.base, ["pkg/new.py"])
        self.assertEqual(snapshot.strays, ("stray",))
        paths = [change.path for change in self.job.changes(self.base, snapshot.tree)]
        self.assertEqual(paths, ["pkg/new.py"])


class TestGiven(ProvisionsCase):
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

    def test_what_somebody_changed_meanwhile_is_thrown_away(self) -> None:
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


class TestNothingProvided(ProvisionsCase):
    def test_no_git_is_started_for_it(self) -> None:
        user = open_repository(self.sample.root, self.env)
        broken = replace(user, git=user.git.with_variables(PATH="/nowhere"))
        sources = find_sources(broken, WorktreePolicy())
        self.assertEqual((sources.roots, sources.linked, sources.secrets), ((), (), {}))
