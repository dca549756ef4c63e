"""Submodules in worktrees: as the commit says, whatever anybody does, and nothing is fetched.

Of ``submodules``, and ``submodule_repositories``, which finds those that the user has.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from director.model.config import WorktreePolicy
from director.model.errors import RequestError
from director.repositories.history import Entry
from director.repositories.job_repository import (
    JobRepository,
    create_job_repository,
    open_job_repository,
)
from director.repositories.objects import ABSENT_MODE
from director.repositories.repository import open_repository
from director.worktrees.gates import GateResult, Verdict
from director.worktrees.pool import Pool
from director.worktrees.provisions import Provisions
from director.worktrees.snapshot import Snapshot
from director.worktrees.user_files import find_sources
from director.worktrees.worktree import Worktree
from tests.support.hermetic import HermeticCase
from tests.support.repositories import SampleRepo
from tests.worktrees.jobs import BRANCH, open_pool

LOCAL = ("-c", "protocol.file.allow=always")  # git refuses to clone submodules from folders
LIB, INNER = "parts/lib", "parts/lib/inner"


class SubmoduleCase(HermeticCase):
    """``self.sample`` has the submodule ``parts/lib``, which has one of its own, ``inner``."""

    object_format = "sha1"

    def setUp(self) -> None:
        super().setUp()
        inner = self.made("inner", {"deep.txt": "deep\n"})
        self.library = self.made("library", {"lib.txt": "one\n", "src/x.bin": "a\r\nb\n"})
        self.add(self.library, inner, "inner")
        self.old = self.library.git("rev-parse", "HEAD")
        self.library.write("lib.txt", "two\n")
        self.new = self.library.commit()
        self.library.git("tag", "v2")
        self.sample = self.made("repo", {"a.py": "A = 1\n", "parts/b.py": "B = 1\n"})
        self.add(self.sample, self.library, LIB)
        self.sample.git(*LOCAL, "submodule", "--quiet", "update", "--init", "--recursive")
        self.sample.write(".director/.gitignore", "*\n")
        self.base = self.sample.commit()
        self.stack = ExitStack()
        self.addCleanup(self.stack.close)

    def made(self, name: str, files: dict[str, str]) -> SampleRepo:
        return SampleRepo.create(self.tmp / name, self.env, files, self.object_format)

    def add(self, outer: SampleRepo, inner: SampleRepo, path: str) -> None:
        outer.git(*LOCAL, "submodule", "--quiet", "add", str(inner.root), path)
        outer.commit("a submodule")

    def open_job(self) -> JobRepository:
        user = open_repository(self.sample.root, self.env)
        path = self.sample.root / ".director" / "job.git"
        self.job = create_job_repository(path, user, BRANCH, user.head())
        return self.job

    def lease(self, provisions: Provisions | None = None) -> Worktree:
        """Return a worktree at the base, of a new job and pool."""
        if provisions is None:
            self.open_job()
        record = self.tmp / "pool.json"
        self.pool: Pool = self.stack.enter_context(
            open_pool(self.job, record, self.env, provisions)
        )
        self.worktree = self.stack.enter_context(self.pool.lease(self.base))
        self.root = self.worktree.path
        return self.worktree

    def agent(self, script: str) -> None:
        """Do something in the worktree as an agent would."""
        subprocess.run(
            ["sh", "-ec", script], cwd=self.root, env=self.env, check=True, capture_output=True
        )

    def git(self, *argv: str, inside: str = "") -> str:
        """Run git in the worktree as an agent would."""
        return subprocess.check_output(
            ["git", *argv], cwd=self.root / inside, env=self.env, text=True
        ).strip()

    def files(self, root: Path | None = None) -> dict[str, bytes]:
        """Return path → content of what lies in the worktree, but for what makes repositories."""
        top = root or self.root
        return {
            path.relative_to(top).as_posix(): path.read_bytes()
            for path in top.rglob("*")
            if path.is_file() and not {".git", ".director"}.intersection(path.parts)
        }

    def snapshot(self, *allowlist: str) -> Snapshot:
        return self.worktree.snapshot(self.base, allowlist)

    def link(self, tree: str, path: str = LIB) -> str | None:
        entry = self.job.entries(tree, [path]).get(path)
        return entry.oid if entry else None

    def moved(self, oid: str, mode: str = "160000") -> str:
        """Return a commit on the base where the submodule is at another commit."""
        tree = self.job.tree_with(self.base, [Entry(LIB, mode, oid)])
        return self.job.commit(tree, self.base, "moved\n")


class TestCheckout(SubmoduleCase):
    def test_a_worktree_holds_what_the_users_checkout_holds(self) -> None:
        before = self.sample.fingerprint()
        self.lease()
        self.assertEqual(self.files(), self.files(self.sample.root))
        self.assertEqual(self.files()[f"{INNER}/deep.txt"], b"deep\n")
        self.assertEqual(self.sample.fingerprint(), before)

    def test_git_finds_nothing_changed_in_it_or_in_there(self) -> None:
        self.lease()
        for inside in ("", LIB, INNER):
            self.assertEqual(self.git("status", "--porcelain", inside=inside), "", inside)
        self.assertEqual(self.git("rev-parse", "HEAD", inside=LIB), self.new)
        self.assertEqual(self.git("describe", "--tags", inside=LIB), "v2")
        self.assertEqual(self.git("diff", "HEAD", "--submodule=diff"), "")
        self.git(
            "-c", "protocol.allow=never", "submodule", "--quiet", "update", "--init", "--recursive"
        )

    def test_so_too_where_the_settings_want_other_indexes(self) -> None:
        self.sample.git("config", "--global", "index.version", "4")
        self.lease()
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(self.git("status", "--porcelain", inside=INNER), "")

    def test_one_that_is_a_repository_as_such_inside_the_checkout(self) -> None:
        for path, kept in ((INNER, "modules/inner"), (LIB, "")):
            module = self.sample.root / ".git/modules/parts/lib" / kept
            (self.sample.root / path / ".git").unlink()
            shutil.move(module, self.sample.root / path / ".git")
            config = self.sample.root / path / ".git/config"
            self.sample.git("config", "--file", str(config), "--unset", "core.worktree")
        self.lease()
        self.assertEqual(self.files(), self.files(self.sample.root))
        self.assertEqual(self.git("status", "--porcelain"), "")

    def test_one_whose_files_are_not_checked_out_now(self) -> None:
        expected = self.files(self.sample.root)
        self.sample.git("submodule", "--quiet", "deinit", "--all", "--force")
        self.lease()
        self.assertEqual(self.files(), expected)

    def test_in_a_linked_worktree_of_the_users(self) -> None:
        expected = self.files(self.sample.root)
        self.sample.git("worktree", "add", "--quiet", "-b", "side", str(self.tmp / "linked"))
        self.sample = SampleRepo(self.tmp / "linked", self.env)
        self.lease()
        self.assertEqual(self.files(), expected)

    def test_one_that_the_user_does_not_have_is_an_empty_folder(self) -> None:
        self.sample.git("submodule", "--quiet", "deinit", "--all", "--force")
        shutil.rmtree(self.sample.root / ".git/modules")
        worktree = self.lease()
        self.assertEqual(self.job.submodules.missing(self.base), (LIB,))
        for _ in range(2):
            self.assertEqual(list((self.root / LIB).iterdir()), [])
            self.assertEqual(self.git("status", "--porcelain"), "")
            self.agent(f"cd {LIB}; echo > helper; git init -q x; mkfifo x/pipe")
            self.assertEqual(self.snapshot().strays, (f"{LIB}/",))
            worktree.reset(self.base)
        self.agent(f"rm -r {LIB}")
        worktree.reset(self.base)
        self.assertTrue((self.root / LIB).is_dir())

    def test_one_whose_commit_holds_no_files_is_an_empty_folder(self) -> None:
        tree = subprocess.run(
            ["git", "mktree"], cwd=self.sample.root / LIB, input=b"", env=self.env,
            capture_output=True, check=True,
        ).stdout.decode().strip()  # fmt: skip
        checkout = SampleRepo(self.sample.root / LIB, self.env)
        bare = checkout.git("commit-tree", "-m", "no files", tree)
        worktree = self.lease()
        moved = self.moved(bare)
        self.assertEqual(self.job.submodules.missing(moved), ())
        for commit, held in ((moved, []), (self.base, ["inner", "lib.txt", "src"]), (moved, [])):
            worktree.reset(commit)
            found = sorted(path.name for path in (self.root / LIB).iterdir())
            self.assertEqual([name for name in found if name[0] != "."], held)
            self.assertEqual(self.git("status", "--porcelain"), "")
        self.agent(f"echo > {LIB}/helper")
        self.assertEqual(worktree.snapshot(moved, ()).strays, (f"{LIB}/",))

    def test_nor_is_one_whose_commit_is_not_there(self) -> None:
        self.sample.git("update-index", "--cacheinfo", f"160000,{self.base},{LIB}")
        self.sample.git("commit", "--quiet", "--message", "a commit of something else")
        unknown = "1" * len(self.base)
        self.open_job()
        self.assertEqual(self.job.submodules.missing(self.moved(unknown)), (LIB,))

    def test_a_name_leads_to_no_other_repository(self) -> None:
        """Names are the tree's: a node may have written them."""
        self.sample.git("submodule", "--quiet", "deinit", "--all", "--force")
        shutil.rmtree(self.sample.root / ".git/modules")
        self.open_job()
        for name in (f"{self.library.root}/.git", "../../../library/.git"):
            text = f'[submodule "{name}"]\n\tpath = {LIB}\n\turl = x\n'.encode()
            entry = Entry(".gitmodules", "100644", self.job.store(text))
            tree = self.job.tree_with(self.base, [entry])
            self.assertEqual(self.job.submodules.missing(tree), (LIB,), name)

    def test_the_next_command_finds_it_again_wherever_the_repository_is(self) -> None:
        expected = self.files(self.sample.root)
        self.lease()
        self.stack.close()
        moved = self.sample.root.rename(self.tmp / "elsewhere")
        user = open_repository(moved, self.env)
        self.job = open_job_repository(moved / ".director/job.git", user, BRANCH)
        alternates = (self.job.path / "objects/info/alternates").read_bytes()
        self.assertNotIn(bytes(self.sample.root), alternates)
        with open_pool(self.job, self.tmp / "again.json", self.env) as pool:
            self.assertEqual(self._held(pool), expected)

    def _held(self, pool: Pool) -> dict[str, bytes]:
        with pool.lease(self.base) as worktree:
            return self.files(worktree.path)

    def test_a_commit_without_submodules_is_its_own_tree(self) -> None:
        self.open_job()
        plain = self.moved(self.new, ABSENT_MODE)
        self.assertEqual(self.job.submodules.whole(plain), self.job.tree(plain))
        self.assertNotIn("/modules/", (self.job.path / "objects/info/alternates").read_text())


class TestSha256(TestCheckout):
    object_format = "sha256"


class TestExact(SubmoduleCase):
    def test_whatever_is_done_in_there_only_the_commits_are_left(self) -> None:
        worktree = self.lease()
        before = self.files()
        for script in (
            f"echo cheat > {LIB}/lib.txt",
            f"echo > {LIB}/helper; mkdir {INNER}/x; echo > {INNER}/x/helper",
            f"rm -r {LIB}",
            f"rm -r {LIB}; echo > {LIB}",
            f"mkdir away; echo cheat > away/lib.txt; rm -r {LIB}; ln -s ../away {LIB}",
            f"rm {LIB}/.git; cd {LIB}; git init -q; echo cheat > lib.txt; git add .; "
            "git commit -qm x; git update-index --assume-unchanged lib.txt",
            f"rm {LIB}/.git; mkfifo {LIB}/.git; mkdir {LIB}/n; mkfifo {LIB}/n/.git",
            f"cd {LIB}; git checkout -q {self.old}; echo '*' > .git-ignored; git add -A",
            f"cd {LIB}; echo 'lib.txt binary' > .gitattributes; rm -rf $(git rev-parse --git-dir)",
            f"echo 'gitdir: /nowhere' > {INNER}/.git; rm -r $(git rev-parse --git-dir)/modules",
            f"git rm -qrf --cached {LIB}; git commit -qm gone; git mv a.py c.py",
        ):
            with self.subTest(script):
                self.agent(script)
                worktree.reset(self.base)
                self.assertEqual(self.files(), before)
                for inside in ("", LIB, INNER):
                    self.assertEqual(self.git("status", "--porcelain", inside=inside), "")

    def test_what_a_killed_run_left_is_made_good(self) -> None:
        self.lease()
        before = self.files()
        self.agent(f"echo cheat > {LIB}/lib.txt; echo > {INNER}/helper")
        adopted = Worktree(self.root, self.pool.notes / "agents-slot-1", self.job)
        adopted.reset(self.moved(self.new, ABSENT_MODE))
        self.assertFalse((self.root / LIB).exists())
        adopted.reset(self.base)
        self.assertEqual(self.files(), before)

    def test_it_follows_the_commit(self) -> None:
        worktree = self.lease()
        gone = self.moved(self.new, ABSENT_MODE)
        for commit, text in (
            (self.moved(self.old), b"one\n"),
            (self.base, b"two\n"),
            (gone, None),
            (self.base, b"two\n"),
        ):
            worktree.reset(commit)
            self.assertEqual(self.files().get(f"{LIB}/lib.txt"), text)
            self.assertEqual((self.root / LIB).exists(), text is not None)
            self.assertEqual(self.git("status", "--porcelain"), "")


class TestCandidates(SubmoduleCase):
    def test_files_in_there_may_not_be_changed(self) -> None:
        self.lease()
        self.agent(
            f"echo A > a.py; echo cheat > {LIB}/lib.txt; rm {INNER}/deep.txt; echo > {LIB}/n"
        )
        snapshot = self.snapshot("a.py")
        self.assertEqual(snapshot.changed, {"a.py", f"{LIB}/lib.txt", f"{INNER}/deep.txt"})
        self.assertEqual(snapshot.submodules, (LIB, INNER))
        self.assertEqual(snapshot.strays, (f"{LIB}/n",))
        self.assertEqual(self.link(snapshot.tree), self.new)
        self.assertEqual([c.path for c in self.job.changes(self.base, snapshot.tree)], ["a.py"])

    def test_another_commit_counts_only_where_the_allowlist_names_it(self) -> None:
        self.lease()
        self.agent(f"git -C {LIB} checkout -q {self.old}; git add .; git commit -qam moved")
        refused = self.snapshot("a.py")
        self.assertEqual(refused.changed, {f"{LIB}/lib.txt"})
        self.assertEqual(refused.tree, self.job.tree(self.base))
        taken = self.snapshot(LIB)
        self.assertEqual((taken.changed, taken.strays, taken.refused), (frozenset(), (), ""))
        self.assertEqual(self.link(taken.tree), self.old)
        commit = self.job.commit(taken.tree, self.base, "x\n")
        with self.pool.lease_gate(commit) as gate:
            self.assertEqual((gate.path / LIB / "lib.txt").read_text(), "one\n")

    def test_a_branch_or_a_tag_does_as_well_and_edits_beside_it_do_not_count(self) -> None:
        self.lease()
        self.agent(f"cd {LIB}; git checkout -q {self.old}; git checkout -q -b mine v2~1")
        self.agent(f"echo cheat > {LIB}/lib.txt")
        snapshot = self.snapshot(LIB)
        self.assertEqual(self.link(snapshot.tree), self.old)
        self.assertEqual(snapshot.changed, {f"{LIB}/lib.txt"})

    def test_a_commit_that_only_the_agent_has_is_refused_by_its_id(self) -> None:
        self.lease()
        self.agent(f"cd {LIB}; echo mine > lib.txt; git commit -qam mine")
        head = self.git("rev-parse", "HEAD", inside=LIB)
        snapshot = self.snapshot(LIB)
        self.assertIn(f"the submodule {LIB} is at commit {head}", snapshot.refused)
        self.assertEqual(snapshot.tree, self.job.tree(self.base))
        self.assertEqual(snapshot.changed, frozenset())

    def test_it_may_be_removed_where_the_allowlist_names_it(self) -> None:
        self.lease()
        self.agent(f"git rm -qf {LIB}")
        snapshot = self.snapshot(LIB, ".gitmodules")
        self.assertEqual(self.link(snapshot.tree), None)
        self.assertEqual((snapshot.changed, snapshot.refused), ({".gitmodules"}, ""))

    def test_what_an_agent_makes_of_its_repository_is_only_read(self) -> None:
        self.lease()
        for script in ("rm {g}/HEAD; mkfifo {g}/HEAD", "echo 'ref: refs/../HEAD' > {g}/HEAD",
                       "echo 'ref: refs/x' > {g}/HEAD; mkfifo {g}/refs/x", "rm -r {g}",
                       "ln -sf /dev/zero {g}/HEAD", "echo x > {g}/HEAD"):  # fmt: skip
            self.agent(f"g=$(git -C {LIB} rev-parse --absolute-git-dir); " + script.format(g="$g"))
            self.assertEqual(self.link(self.snapshot(LIB).tree), self.new)
            self.worktree.reset(self.base)


class TestProvided(SubmoduleCase):
    def provided(self, policy: WorktreePolicy) -> Worktree:
        job = self.open_job()
        job.submodules.leave_out(policy.link)
        sources = find_sources(job.user, policy)

        def run_setup(worktree: Path, merged: bool) -> GateResult:
            script = ["sh", "-ec", policy.setup]
            subprocess.run(script, cwd=worktree, env=self.env, check=True, capture_output=True)
            return GateResult(policy.setup, Verdict.GREEN, 0, 0.1, "", self.tmp / "log")

        provisions = Provisions(policy, sources, job, run_setup)
        provisions.refuse_tracked(job.tip())
        return self.lease(provisions)

    def forget_submodules(self) -> None:
        """Make the user's checkout one that has files there, but no repository."""
        for path in (INNER, LIB):
            (self.sample.root / path / ".git").unlink()
        shutil.rmtree(self.sample.root / ".git/modules")

    def test_what_setup_makes_in_there_stays(self) -> None:
        setup = (
            f"echo made > {LIB}/made; echo x > {LIB}/lib.txt; mkdir {INNER}/out; > {INNER}/out/o"
        )
        worktree = self.provided(WorktreePolicy(setup))
        for _ in range(2):
            self.assertEqual((self.root / LIB / "made").read_text(), "made\n")
            self.assertEqual((self.root / LIB / "lib.txt").read_text(), "two\n")
            self.assertTrue((self.root / INNER / "out/o").exists())
            self.agent(f"echo cheat > {LIB}/made; echo > {INNER}/out/cheat")
            worktree.reset(self.base)
        self.assertFalse((self.root / INNER / "out/cheat").exists())

    def test_so_does_what_it_fills_an_empty_one_with(self) -> None:
        self.forget_submodules()
        setup = "git -c protocol.file.allow=always submodule --quiet update --init"
        worktree = self.provided(WorktreePolicy(setup))
        for _ in range(2):
            self.assertEqual((self.root / LIB / "lib.txt").read_text(), "two\n")
            self.assertFalse((self.root / LIB / ".git").exists())
            self.assertEqual(self.git("status", "--porcelain"), "")
            self.agent(f"echo cheat > {LIB}/lib.txt; echo > {LIB}/cheat")
            worktree.reset(self.base)
        self.assertFalse((self.root / LIB / "cheat").exists())

    def test_a_copy_of_the_users_folder_is_for_what_the_commit_does_not_hold(self) -> None:
        self.sample.write(f"{LIB}/built/x.o", "built\n")
        self.sample.write(f"{LIB}/lib.txt", "not committed\n")
        worktree = self.provided(WorktreePolicy(copy=(LIB,)))
        for _ in range(2):
            self.assertEqual((self.root / LIB / "built/x.o").read_text(), "built\n")
            self.assertEqual((self.root / LIB / "lib.txt").read_text(), "two\n")
            self.assertEqual(self.git("rev-parse", "HEAD", inside=LIB), self.new)
            self.agent(f"rm -r {LIB}/built")
            worktree.reset(self.base)

    def test_a_copy_fills_one_that_git_does_not_know(self) -> None:
        self.forget_submodules()
        worktree = self.provided(WorktreePolicy(copy=(LIB,)))
        self.agent(f"echo cheat > {LIB}/lib.txt")
        worktree.reset(self.base)
        self.assertEqual((self.root / LIB / "lib.txt").read_text(), "two\n")

    def test_a_link_takes_its_place(self) -> None:
        self.sample.write(f"{LIB}/built/x.o", "built\n")
        worktree = self.provided(WorktreePolicy(link=(LIB,)))
        for _ in range(2):
            self.assertTrue((self.root / LIB).is_symlink())
            self.assertEqual((self.root / LIB / "built/x.o").read_text(), "built\n")
            self.assertFalse((self.root / LIB / ".git").exists())
            worktree.reset(self.base)
        self.assertEqual(self.job.submodules.missing(self.base), ())

    def test_other_paths_that_git_tracks_are_refused_still(self) -> None:
        with self.assertRaisesRegex(RequestError, "parts/b.py"):
            self.provided(WorktreePolicy(copy=("parts",)))
