"""Landing a finished job on a branch of the user's: what is there then, and how it is recorded.

With it: the command (``commands.land``, ``land_words``), ``prospect``, ``gating``, ``checkouts``,
``landed``, ``landing.commits``, ``reverts``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest

from tests.landing.land_case import LandCase
from tests.support.fake_opencode import say
from tests.support.jobs import JobCase, node
from tests.support.typist import Typist


class TestShapes(LandCase):
    def test_squash_is_one_commit_with_all_files_and_a_telling_message(self) -> None:
        old = self.head()
        found = self.land("--squash", "--yes")
        self.assertEqual(self.repo.git("rev-parse", "HEAD^@"), old)
        self.assertEqual(self.files(), self.files(self.branch))
        self.assertEqual(self.repo.git("status", "--porcelain", "-uno"), "")
        self.assertEqual((self.repo.root / "a.txt").read_text(), "good\n")
        message = self.repo.git("log", "-1", "--format=%B")
        self.assertTrue(message.startswith("make things\n\n- a: Make a\n- b: Make b\n\n"), message)
        trailers = self.repo.git("log", "-1", "--format=%(trailers:only)").splitlines()
        job = self.stored("plan.json")["job_id"]
        expected = [f"Director-Job: {job}", "Director-Node: a", "Director-Node: b"]
        expected += ["Director-Kind: landing", f"Director-Tip: {self.tip()}"]
        self.assertEqual(trailers, expected)
        self.assertEqual((found["files"], found["nodes"]), (4, ["a", "b"]))
        verdicts = [gate["verdict"] for gate in found["gates"]]
        self.assertEqual(verdicts, ["green"] * 3)
        self.assertEqual(found["undo"], ["git", "reset", "--keep", old])

    def test_merge_keeps_the_commits_of_the_job(self) -> None:
        old = self.head()
        self.land("--merge", "--yes")
        self.assertEqual(self.repo.git("rev-parse", "HEAD^@").split(), [old, self.tip()])
        self.assertIn(f"Merge {self.branch}: make things", self.repo.git("log", "-1"))

    def test_undo_takes_it_back(self) -> None:
        before = self.repo.git("ls-files", "--stage")
        old = self.head()
        said = self.ends(0, "land", "--squash", "--yes").out
        self.assertIn(f"Undo: `git reset --keep {old}`", said)
        self.repo.git("reset", "--quiet", "--keep", old)
        self.assertEqual(self.repo.git("ls-files", "--stage"), before)
        self.assertFalse((self.repo.root / "a.txt").exists())

    def test_the_job_can_be_verified_and_land_knows_that_it_landed(self) -> None:
        for how in ("--squash", "--merge"):
            with self.subTest(how):
                old = self.head()
                commit = self.land(how, "--yes")["landed"]["commit"]
                (self.home / "landed.json").unlink()  # a kill came before it was written
                again = self.land(how, "--yes")
                self.assertEqual(again["landed"]["commit"], commit)
                self.assertEqual(again["landed"]["how"], how[2:])
                self.assertIn("Nothing to land", again["what"])
                self.assertEqual(self.head(), commit)
                self.ends(0, "verify")
                self.repo.git("reset", "--quiet", "--keep", old)

    def test_work_that_was_brought_there_by_hand_is_known(self) -> None:
        self.repo.git("merge", "--quiet", "--squash", self.branch)
        self.repo.git("commit", "--quiet", "--message", "by hand")
        found = self.land()
        self.assertEqual(found["landed"]["commit"], self.head())
        self.assertEqual(self.repo.git("log", "-1", "--format=%s"), "by hand")

    def test_it_is_on_record_and_status_says_it(self) -> None:
        self.assertIn("director land", self.ends(0, "status").in_one_line)
        self.land()
        record = self.stored("landed.json")
        self.assertEqual((record["onto"], record["how"]), ("main", "squash"))
        self.assertEqual((record["commit"], record["tip"]), (self.head(), self.tip()))
        shown = self.ends(0, "status").in_one_line
        self.assertIn(f"landed on main as {self.head()[:10]} (squash)", shown)
        self.assertNotIn("director land ", shown)
        self.assertEqual(self.ends(0, "status", "--json").json["landed"]["how"], "squash")
        self.assertEqual(self.lines("events.jsonl")[-2]["kind"], "landed")

    def test_what_was_reset_or_reverted_can_land_again(self) -> None:
        old = self.head()
        self.land()
        self.repo.git("reset", "--quiet", "--keep", old)
        self.assertIn("main does not have it any more", self.ends(0, "status").in_one_line)
        first = self.land()["landed"]["commit"]
        self.assertIsNone(self.ends(0, "status", "--json").json["landing_undone"])
        self.repo.git("revert", "--no-edit", first)
        told = self.ends(0, "status", "--json").json
        self.assertEqual(told["landing_undone"], f"{self.head()[:10]} reverted it")
        self.assertEqual(
            self.ends(0, "status").in_one_line.count("land it on your branch again"), 1
        )
        second = self.land()["landed"]["commit"]
        self.assertNotEqual(second, first)
        self.assertLessEqual({"a.txt", "b.txt"}, self.files())
        self.repo.git("revert", "--no-edit", second)
        self.repo.git("revert", "--no-edit", "HEAD")  # it is there again
        self.assertEqual(self.land()["landed"]["commit"], second)

    def test_a_merge_that_was_reverted_comes_back_by_git(self) -> None:
        merge = self.land("--merge", "--yes")["landed"]["commit"]
        self.repo.git("revert", "--no-edit", "--mainline", "1", merge)
        found = self.ends(2, "land", "--merge", "--yes", "--json").json
        self.assertEqual(found["next_command"], ["git", "revert", self.head()[:10]])
        self.repo.git("revert", "--no-edit", "HEAD")
        self.assertIn("Nothing to land", self.land()["what"])

    def test_what_stands_where_it_works_is_removed(self) -> None:
        os.mkfifo(self.home / "landing")
        self.land()
        self.assertFalse((self.home / "landing").exists())

    def test_an_archived_job_lands_by_its_id(self) -> None:
        job = self.stored("plan.json")["job_id"]
        archive = self.home / "jobs" / job
        archive.mkdir(parents=True)
        kept = {"config.toml", ".gitignore", "jobs", "models.json", "lock"}
        for path in list(self.home.iterdir()):
            if path.name not in kept:
                path.rename(archive / path.name)
        self.land("--squash", "--yes", "--job", job)
        self.assertTrue((archive / "landed.json").exists())
        self.assertIn("a.txt", self.files())


class TestMovedBase(LandCase):
    def test_newer_commits_are_merged_and_the_merged_tree_is_gated(self) -> None:
        newer = self.commit_on_main("other", "x\n")
        shown = self.ends(0, "land", "--squash", "--yes").out
        self.assertIn("main has 1 newer commit; it merges without conflict", shown)
        self.assertEqual(self.repo.git("rev-parse", "HEAD^@"), newer)
        self.assertLessEqual({"other", "a.txt", "b.txt"}, self.files())

    def test_a_conflict_names_files_and_nodes_and_changes_nothing(self) -> None:
        self.commit_on_main("b.txt", "something else\n")
        found = self.refuses(1, "conflict")
        self.assertEqual(
            found["conflicts"], [{"path": "b.txt", "nodes": ["b"], "unresolvable": ""}]
        )
        self.assertIn("b.txt (node b)", found["what"])
        self.assertIn(self.branch, found["next"])
        self.assertEqual(found["gates"], [])

    def test_what_is_green_apart_and_red_together_does_not_land(self) -> None:
        self.configure('[gates]\nwhole = "test ! -e veto"\n')
        self.commit_on_main("unrelated", "x\n")
        config = (self.home / "config.toml").read_text()
        both = "test ! -e a.txt || test ! -e veto"
        (self.home / "config.toml").write_text(config.replace("test ! -e veto", both))
        self.commit_on_main("veto", "no\n")
        found = self.refuses(1, "integration_red")
        self.assertIn("not green on the merged tree: whole (red)", found["what"])
        said = self.ends(1, "land", "--squash", "--yes").out
        self.assertIn("✗ whole", said)
        self.assertIn(both, said)

    def test_a_frozen_test_that_is_red_on_the_merged_tree_keeps_it_out(self) -> None:
        (self.made.outside).unlink()  # the test of node a wants it
        self.addCleanup(self.made.outside.touch)
        found = self.refuses(1, "integration_red")
        self.assertIn("tests of a", found["what"])

    def test_a_gate_that_is_as_red_without_the_work_does_not_count(self) -> None:
        self.configure('[gates]\nwhole = "test ! -e rot"\n')
        self.commit_on_main("rot", "x\n")
        found = self.land()
        whole = found["gates"][-1]
        self.assertEqual((whole["verdict"], whole["red_before"]), ("red", True))
        self.assertIn("a.txt", self.files())

    def test_a_dry_run_says_so_and_changes_nothing(self) -> None:
        self.commit_on_main("other", "x\n")
        with self.untouched():
            found = self.land("--dry-run")
        self.assertTrue(found["dry_run"])
        self.assertIsNone(found["landed"])
        self.assertEqual(len(found["gates"]), 3)
        self.assertFalse((self.home / "landed.json").exists())

    def test_a_job_that_is_not_as_director_left_it_does_not_land(self) -> None:
        self.edit_receipt("a", attempts=7)
        found = self.refuses(1, "not_verified")
        self.assertIn("Director-Attempts", found["what"])


class TestCommits(LandCase):
    def test_the_message_of_the_configuration_holds_here_too(self) -> None:
        text = '[git]\nmessage = "{type}({node}): {title}"\nsignoff = true\n'
        self.configure(text)
        self.land()
        message = self.repo.git("log", "-1", "--format=%B")
        self.assertTrue(message.startswith("chore(a, b): make things\n"), message)
        self.assertIn("Signed-off-by: Sam Sample <sam@example.org>", message)

    @unittest.skipUnless(shutil.which("ssh-keygen"), "there is no ssh-keygen to sign with")
    def test_commits_are_signed_where_the_jobs_are(self) -> None:
        key = self.place / "key"
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "t", "-f", str(key)]
        subprocess.run(make, check=True)
        allowed = self.place / "allowed"
        allowed.write_text(f"* {key.with_suffix('.pub').read_text()}")
        self.repo.git("config", "gpg.format", "ssh")
        self.repo.git("config", "user.signingkey", str(key))
        self.repo.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
        self.configure("[git]\nsign = true\n")
        self.land("--merge", "--yes")
        self.assertEqual(self.repo.git("log", "-1", "--format=%G? %P").split()[0], "G")
        self.assertEqual(len(self.repo.git("rev-parse", "HEAD^@").split()), 2)

    def test_without_the_key_nothing_lands(self) -> None:
        self.repo.git("config", "gpg.format", "ssh")
        self.repo.git("config", "user.signingkey", str(self.place / "none"))
        self.configure("[git]\nsign = true\n")
        self.assertIn("cannot sign", self.refuses(3, "stopped")["what"])


class TestPartial(JobCase):
    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.ends(0, "run", "--node", "a")

    def test_a_failed_node_is_to_be_tried_again_first(self) -> None:
        for agent in ("executor", "escalation"):
            self.fake.always(agent, say("nothing"), node="b")
        self.ends(1, "run", "--max-attempts", "1")
        told = self.ends(2, "land", "--squash", "--yes", "--json").json
        self.assertEqual(told["next_command"], ["director", "run", "--retry-failed"])

    def test_an_unfinished_job_lands_only_in_part_and_the_rest_later(self) -> None:
        before = self.repo.fingerprint()
        refused = self.ends(2, "land", "--squash", "--yes").err
        self.assertIn("1 of 2 nodes are done, not b", refused)
        merged = self.ends(2, "land", "--partial", "--merge", "--yes").err
        self.assertIn("a part of a job cannot land as a merge", merged)
        self.assertEqual(self.repo.fingerprint(), before)
        found = self.ends(0, "land", "--partial", "--squash", "--yes", "--json").json
        self.assertEqual((found["nodes"], found["left_out"]), (["a"], ["b"]))
        listed = self.repo.git("ls-tree", "-r", "--name-only", "main").split()
        self.assertEqual(listed, ["README", "a.txt", "tests/a.sh"])
        self.implement("b")
        self.ends(0, "run")
        self.ends(0, "land", "--merge", "--yes")
        listed = self.repo.git("ls-tree", "-r", "--name-only", "main").split()
        self.assertEqual(listed, ["README", "a.txt", "b.txt", "tests/a.sh", "tests/b.sh"])
        self.assertFalse(self.stored("landed.json")["partial"])


class TestAsked(LandCase):
    def test_without_a_terminal_it_wants_to_be_told(self) -> None:
        for flags in ((), ("--squash",), ("--yes",)):
            with self.subTest(flags), self.untouched():
                said = self.ends(2, "land", *flags).err
                self.assertIn("there is no terminal on which to ask", said)

    def test_a_person_sees_what_would_land_and_chooses(self) -> None:
        env = {**self.env, "DIRECTOR_PAGER": "cat"}
        with Typist(self.repo.root, env, "land") as person:
            seen = person.sees("[q]uit > ")
            self.assertIn("2 merges, 2 receipts; all tests and gate whole green", seen)
            person.types("x")
            self.assertIn("Type one of the letters", person.sees("[q]uit > "))
            person.types("d")
            self.assertIn("+good", person.sees("[q]uit > "))
            person.types("m")
            code, rest = person.leaves()
        self.assertEqual(code, 0, rest)
        self.assertIn("Landed on main with a merge commit", rest)
        self.assertEqual(len(self.repo.git("rev-parse", "HEAD^@").split()), 2)

    def test_quitting_changes_nothing(self) -> None:
        with self.untouched(), Typist(self.repo.root, self.env, "land", "--merge") as person:
            person.sees("Land it?  [y]es  [d]iff  [q]uit > ")
            person.types("q")
            code, rest = person.leaves()
            self.assertEqual((code, "Nothing landed" in rest), (0, True))

    def test_a_branch_that_another_worktree_takes_during_the_question_is_left_alone(self) -> None:
        self.repo.git("branch", "--quiet", "other")
        with Typist(self.repo.root, self.env, "land", "--onto", "other") as person:
            person.sees("[q]uit > ")
            self.repo.git("worktree", "add", "--quiet", str(self.place / "beside"), "other")
            before = self.repo.fingerprint()
            person.types("s")
            code, rest = person.leaves()
        self.assertEqual(code, 2, rest)
        self.assertIn("checked out in another worktree", " ".join(rest.split()))
        self.assertEqual(self.repo.fingerprint(), before)

    def test_a_branch_that_moves_during_the_question_is_left_alone(self) -> None:
        for onto in ("main", "other"):
            with self.subTest(onto):
                if onto == "other":
                    self.repo.git("branch", "--quiet", "--force", "other", "main~1")
                with Typist(self.repo.root, self.env, "land", "--onto", onto) as person:
                    person.sees("[q]uit > ")
                    if onto == "main":
                        self.commit_on_main("new", "x\n")
                    else:
                        self.repo.git("branch", "--quiet", "--force", "other", "main")
                    before = self.repo.fingerprint()
                    person.types("s")
                    code, rest = person.leaves()
                self.assertEqual(code, 3, rest)
                self.assertIn(f"{onto} moved", " ".join(rest.split()))
                self.assertEqual(self.repo.fingerprint(), before)
                record = json.loads(self.ends(0, "status", "--json").out)["landed"]
                self.assertIsNone(record)
