"""The job repository borrows from the user's and keeps everything else to itself.

Also of ``job_settings``, which are carried over and restored (``restoring``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import ClassVar

from director.model.errors import StoppedError
from director.repositories.job_repository import (
    JobRepository,
    create_job_repository,
    open_job_repository,
)
from director.repositories.repository import open_repository
from director.repositories.restoring import own_content, restore_file
from tests.support.repositories import SampleRepo
from tests.worktrees.jobs import BRANCH, JobCase, open_pool


class TestCreate(JobCase):
    def test_leaves_the_users_repository_as_it_was(self) -> None:
        self.sample.write("a.py", "uncommitted\n")
        before = self.sample.fingerprint()
        self.make_job(self.sample)
        self.assertEqual(self.sample.fingerprint(), before)

    def test_branch_stands_at_the_base_and_reads_the_users_objects(self) -> None:
        self.assertEqual(self.job.tip(), self.base)
        self.assertEqual(self.job.contents(self.base, ["a.py"]), {"a.py": b"A = 1\n"})

    def test_copies_no_object(self) -> None:
        stored = [p for p in (self.job.path / "objects").rglob("*") if p.is_file()]
        self.assertEqual([p.name for p in stored], ["alternates"])

    def test_one_that_a_crash_left_half_made_is_made_again(self) -> None:
        (self.job.path / "HEAD").unlink()
        (self.job.path / "stale").touch()
        self.assertEqual(self.make_job(self.sample).tip(), self.base)
        self.assertFalse((self.job.path / "stale").exists())

    def test_what_is_in_its_place_is_replaced(self) -> None:
        user = open_repository(self.sample.root, self.env)
        elsewhere = self.tmp / "elsewhere"
        elsewhere.mkdir()
        for replace in (
            Path.touch,
            os.mkfifo,
            lambda path: path.symlink_to(elsewhere),
        ):
            shutil.rmtree(self.job.path)
            replace(self.job.path)
            self.assertEqual(open_job_repository(self.job.path, user, BRANCH).tip(), self.base)
            self.assertFalse(self.job.path.is_symlink())
        self.assertEqual(list(elsewhere.iterdir()), [])

    def test_is_the_owners_only(self) -> None:
        self.assertEqual(self.job.path.stat().st_mode & 0o777, 0o700)

    def test_opens_again_where_it_stood(self) -> None:
        new = self.add_commit(self.job, {"b.py": ""})
        self.assertTrue(self.job.advance(new, self.base))
        user = open_repository(self.sample.root, self.env)
        self.assertEqual(open_job_repository(self.job.path, user, BRANCH).tip(), new)

    def test_borrows_from_more_stores(self) -> None:
        other = SampleRepo.create(self.tmp / "other", self.env, {"z.py": "Z\n"})
        commit = other.git("rev-parse", "HEAD")
        user = open_repository(self.sample.root, self.env)
        store = other.root / ".git" / "objects"
        job = create_job_repository(self.tmp / "j.git", user, BRANCH, commit, [store])
        self.assertEqual(job.contents(commit, ["z.py"]), {"z.py": b"Z\n"})

    def test_settings_that_decide_how_files_look_are_carried_over(self) -> None:
        self.sample.git("config", "core.autocrlf", "input")
        self.sample.git("config", "filter.x.clean", "sed -e 's/a/b/'")
        self.sample.git("config", "user.name", "Not This")
        self.sample.git("config", "core.hooksPath", "/somewhere")
        (self.sample.root / ".git/info/attributes").write_text("*.bin -text\n")
        job = self.make_job(self.sample)
        self.assertEqual(job.git.text("config", "--local", "core.autocrlf"), "input")
        self.assertEqual(job.git.text("config", "--local", "filter.x.clean"), "sed -e 's/a/b/'")
        self.assertFalse(job.git.ok("config", "--local", "user.name"))
        self.assertEqual(job.git.text("config", "--local", "core.hooksPath"), "/dev/null")
        self.assertEqual((job.path / "info/attributes").read_text(), "*.bin -text\n")


class TestKindsOfRepositories(JobCase):
    def check(self, sample: SampleRepo) -> None:
        """A job can be made, committed to, published and opened; the user's things stay."""
        before = sample.fingerprint()
        job = self.make_job(sample)
        base = job.tip()
        self.assertEqual(base, sample.git("rev-parse", "HEAD"))
        new = self.add_commit(job, {"b.py": "B\n"})
        self.assertTrue(job.advance(new, base))
        self.assertIsNone(job.publish())
        self.assertEqual(sample.git("rev-parse", f"refs/heads/{BRANCH}"), new)
        self.assertEqual(sample.git("show", f"{BRANCH}:b.py"), "B")
        self.assertEqual(sample.fingerprint(), before)

    def test_sha1(self) -> None:
        self.check(self.sample)

    def test_sha256(self) -> None:
        sample = SampleRepo.create(self.tmp / "s", self.env, {"a.py": ""}, "sha256")
        self.check(sample)

    def test_a_linked_worktree(self) -> None:
        self.sample.git("worktree", "add", "-q", "../linked")
        linked = SampleRepo(self.tmp / "linked", self.env)
        linked.write("c.py", "")
        linked.commit()
        self.check(linked)

    def test_a_shallow_clone(self) -> None:
        for number in range(3):
            self.sample.write("a.py", f"A = {number}\n")
            self.sample.commit()
        url = f"file://{self.sample.root}"
        self.sample.git("clone", "-q", "--depth=1", url, str(self.tmp / "shallow"))
        shallow = SampleRepo(self.tmp / "shallow", self.env)
        self.assertTrue((shallow.root / ".git/shallow").exists())
        self.check(shallow)

    def test_a_clone_that_borrows_itself(self) -> None:
        self.sample.git("clone", "-q", "--shared", ".", str(self.tmp / "shared"))
        self.check(SampleRepo(self.tmp / "shared", self.env))

    def test_packed_and_with_a_name_that_needs_care(self) -> None:
        sample = SampleRepo.create(self.tmp / "ä repo 'x'", self.env)
        sample.git("gc", "-q")
        self.check(sample)

    def test_a_detached_head(self) -> None:
        self.sample.git("checkout", "-q", "--detach")
        self.check(self.sample)


class TestSettings(JobCase):
    """What others do to the settings is undone before anything reads them."""

    FORGED: ClassVar[dict[str, bytes]] = {
        "config": b"[core]\n\tbare = true\n[user]\n\tforged = yes\n",
        "HEAD": b"ref: refs/heads/none\n",
        "objects/info/alternates": b"/nowhere\n",
        "info/attributes": b"* text\n",
        "info/exclude": b"*\n",
        "info/grafts": b"forged\n",
        "shallow": b"forged\n",
        "config.worktree": b"forged\n",
    }

    def setUp(self) -> None:
        super().setUp()
        self.before = self.held()

    def held(self) -> dict[str, bytes | None]:
        return {name: own_content(self.job.path / name) for name in self.FORGED}

    def forge(self) -> None:
        for name, content in self.FORGED.items():
            restore_file(self.job.path / name, content)

    def test_before_each_process_of_git(self) -> None:
        moved = self.job.git.with_variables(A="1").with_settings("a.b=c").at_work_in(self.tmp)
        for number, git in enumerate((self.job.git, moved)):
            with self.subTest(number):
                self.forge()
                self.assertFalse(git.ok("config", "user.forged"))
                self.assertEqual(self.held(), self.before)
                self.forge()
                asked = git.dialogue("cat-file", "--batch-check")
                self.addCleanup(asked.end)
                asked.say(self.base.encode() + b"\n")
                self.assertIn(b" commit ", asked.line())
                self.assertEqual(self.held(), self.before)

    def test_before_the_users_git_reads_it(self) -> None:
        new = self.add_commit(self.job, {"b.py": "1"})
        self.assertTrue(self.job.advance(new, self.base))
        self.forge()
        self.assertIsNone(self.job.publish())
        self.assertEqual(self.sample.git("rev-parse", f"refs/heads/{BRANCH}"), new)

    def test_before_a_worktree_is_handed_out_what_its_own_repository_borrows(self) -> None:
        pool = open_pool(self.job, self.tmp / "record.json", self.env)
        with pool as opened, opened.lease(self.base) as worktree:
            shared = self.job.path / "objects/info/alternates"
            shared.unlink()
            worktree.reset(self.base)
            self.assertEqual(own_content(shared), self.before["objects/info/alternates"])

    def test_one_that_is_gone_is_named_before_git_reads_or_anything_is_written(self) -> None:
        pool = open_pool(self.job, self.tmp / "record.json", self.env)
        with pool as opened, opened.lease(self.base) as worktree:
            shutil.rmtree(self.job.path)
            for use in (
                lambda: self.job.git.text("rev-parse", "HEAD"),
                self.job.point,
                lambda: worktree.reset(self.base),
            ):
                with self.assertRaisesRegex(StoppedError, r"job\.git is gone"):
                    use()
                self.assertFalse(self.job.path.exists())


class TestPackedRefs(JobCase):
    """The file with refs that git has packed: of the user's `git gc`, or of an agent's."""

    def setUp(self) -> None:
        super().setUp()
        self.packed = self.job.path / "packed-refs"
        self.attempt = self.add_commit(self.job, {"a.py": "A = 2\n"})
        self.job.keep_attempt("a", 1, self.attempt)

    def test_what_git_packed_stays_as_it_is(self) -> None:
        self.job.git.output("tag", "--annotate", "--message=x", "v1", self.base)
        self.job.git.output("pack-refs", "--all")
        before = self.packed.read_bytes()
        self.assertIn(b"\n^", before)
        self.assertEqual(self.reopened().notices, [])
        self.assertEqual(self.packed.read_bytes(), before)

    def test_what_git_could_not_read_is_removed_and_the_rest_is_kept(self) -> None:
        self.job.git.output("pack-refs", "--all")
        whole = self.packed.read_bytes()
        for garbage in (b"garbage\n", b"\0\xff", b"x" * 50, b"%s refs/../x\n" % (b"0" * 40)):
            with self.subTest(garbage):
                self.packed.write_bytes(whole + garbage)
                job = self.reopened()
                self.assertEqual(len(job.notices), 1)
                self.assertEqual(job.attempts("a"), [("attempts/a/1", self.attempt)])
                said = job.git.text("for-each-ref", "--format=%(refname)")
                self.assertEqual(said.split(), ["refs/attempts/a/1", job.ref])

    def test_what_is_no_file_is_removed(self) -> None:
        self.packed.mkdir()
        self.assertEqual(len(self.reopened().notices), 1)
        os.mkfifo(self.packed)
        self.assertEqual(len(self.reopened().notices), 1)
        self.assertFalse(self.packed.exists())

    def test_what_an_agent_wrote_stops_no_git(self) -> None:
        self.packed.write_text("garbage\n")
        self.assertIsNone(self.job.publish())
        self.packed.write_text("garbage\n")
        self.assertEqual(self.job.git.text("rev-parse", self.job.ref), self.base)

    def reopened(self) -> JobRepository:
        user = open_repository(self.sample.root, self.env)
        return open_job_repository(self.job.path, user, BRANCH)


class TestBranch(JobCase):
    def test_advances_by_compare_and_swap(self) -> None:
        one = self.add_commit(self.job, {"b.py": "1"})
        two = self.add_commit(self.job, {"b.py": "2"})
        self.assertTrue(self.job.advance(one, self.base))
        self.assertFalse(self.job.advance(two, self.base))
        self.assertEqual(self.job.tip(), one)
        self.assertEqual(self.job.git.text("rev-parse", self.job.ref), one)

    def test_a_ref_that_an_agent_moved_gains_it_nothing(self) -> None:
        foul = self.add_commit(self.job, {"a.py": "foul\n"})
        self.job.git.output("update-ref", self.job.ref, foul)
        self.assertEqual(self.job.tip(), self.base)
        good = self.add_commit(self.job, {"a.py": "good\n"})
        self.assertTrue(self.job.advance(good, self.base))
        self.job.git.output("update-ref", self.job.ref, foul)
        self.assertIsNone(self.job.publish())
        self.assertEqual(self.sample.git("rev-parse", f"refs/heads/{BRANCH}"), good)

    def test_whatever_stands_in_the_way_of_the_ref_is_removed(self) -> None:
        tip, ref = self.base, self.job.path / self.job.ref
        for number, stand in enumerate(("file", "link", "below")):
            shutil.rmtree(ref.parent)
            if stand == "file":
                ref.parent.write_text(self.base)
            elif stand == "link":
                (self.tmp / "elsewhere").mkdir()
                ref.parent.symlink_to(self.tmp / "elsewhere")
            else:
                (ref / "below").mkdir(parents=True)
            new = self.add_commit(self.job, {"b.py": str(number)})
            self.assertTrue(self.job.advance(new, tip), stand)
            self.assertEqual(self.job.git.text("rev-parse", self.job.ref), new, stand)
            tip = new
        self.assertEqual(list((self.tmp / "elsewhere").iterdir()), [])

    def test_what_was_noted_last_and_is_whole_is_the_tip_of_the_next_run(self) -> None:
        one = self.add_commit(self.job, {"b.py": "1"})
        self.job.advance(one, self.base)
        with self.tips.open("a") as stream:
            stream.write(json.dumps({"tip": "f" * 40}) + "\n")
        self.job.git.output("update-ref", self.job.ref, self.base)
        job = self.opened()
        self.assertEqual(job.tip(), one)
        self.assertIn("f" * 40, job.notices[0])
        self.assertEqual(self.opened().notices, [])

    def test_no_note_lies_where_agents_use_git(self) -> None:
        self.job.advance(self.add_commit(self.job, {"b.py": "1"}), self.base)
        self.assertEqual(list(self.job.path.rglob("*.jsonl")), [])
        self.assertTrue(self.tips.exists())

    def test_a_damaged_object_is_read_from_where_it_was_published(self) -> None:
        for spoilt in (b"", b"\0" * 50, zlib.compress(b"blob 1\0x")):
            with self.subTest(spoilt):
                tip = self.job.tip()
                new = self.add_commit(self.job, {"b.py": repr(spoilt)})
                self.assertTrue(self.job.advance(new, tip))
                self.assertIsNone(self.job.publish())
                for oid in (new, self.job.tree(new), self.job.entries(new, ["b.py"])["b.py"].oid):
                    self.spoil(oid, spoilt)
                self.job = self.opened()
                self.assertEqual(self.job.tip(), new)
                self.assertIn("read from your repository now: 3", self.job.notices[0])
                self.assertEqual(self.job.contents(new, ["b.py"])["b.py"], repr(spoilt).encode())

    def test_what_was_not_published_and_is_damaged_is_lost_and_named(self) -> None:
        one = self.add_commit(self.job, {"b.py": "1"})
        self.job.advance(one, self.base)
        two = self.add_commit(self.job, {"c.py": "2"})
        self.job.advance(two, one)
        self.spoil(self.job.entries(two, ["c.py"])["c.py"].oid, b"")
        job = self.opened()
        self.assertEqual(job.tip(), one)
        self.assertIn(one, job.notices[-1])

    def test_a_commit_whose_objects_are_not_what_they_say_never_becomes_the_tip(self) -> None:
        new = self.add_commit(self.job, {"b.py": "1"})
        self.spoil(self.job.entries(new, ["b.py"])["b.py"].oid, zlib.compress(b"blob 1\0x"))
        with self.assertRaisesRegex(StoppedError, "is damaged"):
            self.job.advance(new, self.base)
        self.assertEqual(self.job.tip(), self.base)

    def test_what_others_write_into_the_journal_is_undone(self) -> None:
        with self.tips.open("a") as stream:
            stream.write(json.dumps({"tip": "f" * 40}) + "\n")
        one = self.add_commit(self.job, {"b.py": "1"})
        self.job.advance(one, self.base)
        self.assertNotIn("f" * 40, self.tips.read_text())
        self.assertFalse(self.job.restore_journal())
        self.tips.unlink()
        self.assertTrue(self.job.restore_journal())
        self.assertEqual(self.opened().tip(), one)

    def test_a_base_that_is_gone_is_named(self) -> None:
        self.tips.write_text(json.dumps({"tip": "f" * 40}) + "\n")
        with self.assertRaisesRegex(StoppedError, "where the job branch began, is gone"):
            self.opened()

    @property
    def tips(self) -> Path:
        return self.job.path.with_name("tips.jsonl")

    def opened(self) -> JobRepository:
        return open_job_repository(
            self.job.path, open_repository(self.sample.root, self.env), BRANCH
        )

    def spoil(self, oid: str, content: bytes) -> None:
        path = self.job.path / "objects" / oid[:2] / oid[2:]
        path.unlink()
        path.write_bytes(content)

    def test_commits_are_in_the_users_name_and_carry_their_trailers(self) -> None:
        message = "a: add it\n\nBody: not a trailer because more follows\n\n"
        trailers = "Director-Node: a\nDirector-Attempts: 2\n"
        one = self.add_commit(self.job, {"b.py": "1"}, message + trailers)
        self.job.advance(one, self.base)
        two = self.add_commit(self.job, {"b.py": "2"}, "no trailers\n")
        self.job.advance(two, one)
        log = self.job.log(self.base, two)
        self.assertEqual([commit.oid for commit in log], [one, two])
        expected = {"Director-Node": "a", "Director-Attempts": "2"}
        self.assertEqual([dict(commit.trailers) for commit in log], [expected, {}])
        author = self.job.git.text("log", "-1", "--format=%an <%ae> %cn <%ce>", one)
        self.assertEqual(author, "Sam Sample <sam@example.org> Sam Sample <sam@example.org>")
        self.assertEqual(self.job.log(two, two), [])

    def test_what_an_agents_git_does_here_stays_here(self) -> None:
        before = self.sample.fingerprint()
        folder = self.tmp / "wt"
        self.job.git.output("worktree", "add", "-q", "--detach", str(folder), self.base)
        script = (
            "git config user.name Evil && git config core.hooksPath /evil && git tag evil"
            " && git branch evil && git commit -q --allow-empty -m evil && git stash -q || true"
            " && git update-ref refs/heads/main HEAD && git gc -q --prune=now"
        )
        subprocess.run(["sh", "-c", script], cwd=folder, env=self.env, check=True)
        self.assertEqual(self.sample.fingerprint(), before)
        self.assertEqual(self.sample.git("cat-file", "-t", self.base), "commit")

    def test_tips_of_branches(self) -> None:
        self.assertIsNone(self.job.tip_of("nothing"))
        self.assertEqual(self.job.tip_of(BRANCH), self.base)
