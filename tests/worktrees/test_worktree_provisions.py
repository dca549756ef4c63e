"""Setup: what it made is always as it left it, and never in the commit's place.

Of ``worktree_provisions`` and ``provisions``; of ``seals``, which tell what was changed.
"""

from __future__ import annotations

import os
import subprocess

from director.model.config import WorktreePolicy
from director.repositories.history import Entry
from director.worktrees.builds import Builds
from director.worktrees.mapped_writes import tells_of_mapped_writes
from director.worktrees.provisions import Provisions, SetupFailedError
from director.worktrees.user_files import Sources
from director.worktrees.worktree import Worktree
from director.worktrees.worktree_provisions import WorktreeProvisions
from tests.worktrees.provisions_case import ProvisionsCase

MAKE = """\
mkdir -p deps/lib 'odd [x] name' && cp lock deps/lib/version && echo 1 > deps/a
echo o > 'odd [x] name/o' && echo g > pkg/generated.py && ln -s lib deps/link
"""


class TestSetup(ProvisionsCase):
    policy = WorktreePolicy(setup=MAKE, setup_inputs=("lock",))

    def test_it_runs_once_and_what_it_made_survives_resets(self) -> None:
        worktree = self.provided(self.policy)
        inode = (self.root / "deps/lib/version").stat().st_ino
        before = self.names()
        for commit in (self.base, self.add_commit(self.job, {"pkg/b.py": "B"}), self.base):
            worktree.reset(commit)
        self.assertEqual(self.runs, 1)
        if tells_of_mapped_writes(self.tmp):  # else it is restored each time
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
            policy = self.policy._replace(setup_inputs=tuple(g.rstrip("/") for g in globs))
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
            policy = self.policy._replace(setup_inputs=inputs)
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

    def test_folders_that_may_not_be_written_are_no_obstacle(self) -> None:
        worktree = self.provided(self.policy._replace(setup=f"{MAKE}chmod -R a-w deps"))
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
        worktree = self.provided(self.policy._replace(setup=f"test ! -e deps/new; {MAKE}"))
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
