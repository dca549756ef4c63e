"""What verify says of a finished job.

With it: the command (``commands.verify``), jobs by their ids (``known_jobs``), ``evidence`` and
``rerun``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.support.jobs import JobCase, node
from tests.support.repositories import SampleRepo
from tests.verifying.finished import FinishedJobCase


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestHolds(FinishedJobCase):
    def test_one_line_says_how_many_merges_hold(self) -> None:
        self.assertEqual(self.ends(0, "verify").out, f"2 merges verified ({self.branch})\n")

    def test_whatever_git_is_told_of_trailers(self) -> None:
        for name, value in (("trailer.separators", "="), ("core.commentChar", "D")):
            with self.subTest(name):
                self.repo.git("config", name, value)
                self.ends(0, "verify")
                self.ends(0, "run")
                self.repo.git("config", "--unset", name)

    def test_json_names_the_checks(self) -> None:
        found = self.ends(0, "verify", "--json").json
        self.assertIs(found["ok"], True)
        self.assertEqual((found["merges"], found["tip"]), (2, self.tip()))
        names = ["branch", "objects", "seal", "commits", "receipts", "agreement", "scope"]
        names += ["tests", "contract", "trees", "views", "journal"]
        self.assertEqual(found["checked"], names)
        self.assertEqual((found["unchecked"], found["rebuilt"]), ([], []))
        self.assertIsNone(found["problem"])

    def test_it_needs_git_only_and_writes_nothing(self) -> None:
        (self.home / "config.toml").unlink()
        programs = self.tmp / "programs"
        programs.mkdir()
        git = shutil.which("git")
        assert git is not None
        (programs / "git").symlink_to(git)
        before = contents(self.repo.root)
        self.ends(0, "verify", env={**self.env, "PATH": str(programs)})
        self.assertEqual(contents(self.repo.root), before)

    def test_a_clone_with_the_records_is_enough(self) -> None:
        clone = self.tmp / "clone"
        self.repo.git("clone", "--quiet", str(self.repo.root), str(clone))
        other = SampleRepo(clone, self.env)
        other.git("branch", "--no-track", self.branch, f"origin/{self.branch}")
        (clone / ".director").mkdir()
        for name in ("plan.json", "receipts.jsonl"):
            shutil.copy(self.home / name, clone / ".director")
        verified, said = self.ends(0, "verify", cwd=clone).out.splitlines()
        self.assertIn("2 merges verified", verified)
        self.assertIn("Not checked: seal (no sealed.json here), journal (no tips.jsonl", said)
        found = self.ends(0, "verify", "--json", cwd=clone).json
        self.assertEqual(found["unchecked"], ["seal", "journal"])
        self.assertNotIn("seal", found["checked"])

    def test_the_job_repository_stands_in_for_a_branch_that_is_not_published(self) -> None:
        self.repo.git("branch", "--quiet", "-D", self.branch)
        self.ends(0, "verify")

    def test_a_plan_that_has_not_run_has_no_merges(self) -> None:
        self.receipts.unlink()
        (self.home / "state.json").unlink()
        self.repo.git("update-ref", f"refs/heads/{self.branch}", f"{self.branch}~2")
        self.assertIn("0 merges verified", self.ends(0, "verify").out)


class TestBranch(FinishedJobCase):
    def test_no_branch(self) -> None:
        self.repo.git("branch", "--quiet", "-D", self.branch)
        shutil.rmtree(self.home / "job.git")
        self.refused("there is no branch", self.branch)

    def test_another_base(self) -> None:
        plan = self.stored("plan.json")
        self.repo.commit("elsewhere")
        plan["base_commit"] = self.repo.git("rev-parse", "HEAD")
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.refused("does not begin at the job's base commit", plan["base_commit"][:12])

    def test_a_foreign_commit_on_top(self) -> None:
        oid = self.add_commit("b.txt", "better\n", "I know better")
        done = self.refused("foreign commit", oid[:12], "Director-Job", "none")
        self.assertIn(f"git branch mine {oid[:12]}", done.out)

    def test_a_commit_of_another_job(self) -> None:
        message = "x\n\nDirector-Job: other\nDirector-Node: a\nDirector-Kind: merge"
        self.add_commit("a.txt", "x", message)
        self.refused("foreign commit", "found other")

    def test_a_merge_with_a_second_parent(self) -> None:
        message = self.repo.git("log", "-1", "--format=%B", self.branch)
        parents = ("-p", f"{self.branch}~1", "-p", f"{self.branch}~2")
        tree = f"{self.branch}^{{tree}}"
        oid = self.repo.git("commit-tree", tree, *parents, "-m", message)
        self.repo.git("update-ref", f"refs/heads/{self.branch}", oid)
        self.refused("foreign commit", oid[:12], "one parent")

    def test_tests_that_change_after_the_first_merge(self) -> None:
        job_id = self.stored("plan.json")["job_id"]
        message = f"x\n\nDirector-Job: {job_id}\nDirector-Node: b\nDirector-Kind: tests"
        self.add_commit("tests/b.sh", "exit 0\n", message)
        self.refused("foreign commit", "changes tests after the first merge")

    def test_a_node_that_is_not_planned(self) -> None:
        job_id = self.stored("plan.json")["job_id"]
        message = f"x\n\nDirector-Job: {job_id}\nDirector-Node: zz\nDirector-Kind: merge"
        self.add_commit("a.txt", "x", message)
        self.refused("merges node zz, which is not in the plan")

    def test_a_node_that_is_merged_twice(self) -> None:
        message = self.repo.git("log", "-1", "--format=%B", self.branch)
        self.add_commit("b.txt", "good again\n", message)
        self.refused("node b: expected exactly one merge commit, found 2")

    def test_a_done_node_that_is_not_on_the_branch(self) -> None:
        self.repo.git("update-ref", f"refs/heads/{self.branch}", f"{self.branch}~1")
        self.refused("node b: expected exactly one merge commit, found 0")

    def test_an_amended_merge(self) -> None:
        before = self.tip()
        after = self.amend("b.txt", "good enough\n")
        self.refused("node b", "the commit on its receipt", before[:12], after[:12])


class TestReceipts(FinishedJobCase):
    def test_a_line_that_is_gone(self) -> None:
        self.write_receipts(self.receipt("b"))
        done = self.refused("node a: expected exactly one receipt, found 0")
        self.assertIn("director run", done.out)

    def test_a_line_twice(self) -> None:
        self.write_receipts(*(self.receipt(name) for name in "aab"))
        self.refused("node a: expected exactly one receipt, found 2")

    def test_a_receipt_of_no_merge(self) -> None:
        self.write_receipts(*map(self.receipt, "ab"), {**self.receipt("a"), "node": "zz"})
        self.refused("node zz: expected exactly one merge commit, found 0")

    def test_a_line_that_is_no_receipt(self) -> None:
        self.edit_receipt("a", gates="all green, trust me")
        self.refused("receipts.jsonl", "node 'a'", "'gates'")

    def test_each_edited_field_is_named(self) -> None:
        zeros = "0" * 40
        edits = {
            "parent": ("the parent on its receipt", zeros),
            "files": ("the files on its receipt", ["a.txt", "other"]),
            "tests": ("its tests in plan.json", {"tests/a.sh": zeros}),
            "tests_hash": ("its tests hash by plan.json", zeros),
            "gates": ("the gate runs on its receipt", []),
            "tree": ("the trailer Director-Tree", zeros),
            "view": ("the tree that was gated last", zeros),
            "base": ("the trailer Director-Base", zeros),
            "candidate": ("the trailer Director-Candidate", zeros),
            "tier": ("the trailer Director-Tier", "escalation"),
            "model": ("the trailer Director-Model", "fake/other"),
            "attempts": ("the trailer Director-Attempts", 7),
            "job_id": ("the trailer Director-Job", "other"),
        }
        kept = self.receipts.read_text()
        for field, (words, value) in edits.items():
            with self.subTest(field):
                self.edit_receipt("a", **{field: value})
                self.assertIn(f"(node a): {words}", self.problem())
                self.receipts.write_text(kept)

    def test_each_edited_field_of_a_gate_is_named(self) -> None:
        first, second = self.receipt("a")["gates"]
        edits = {
            "exit_code": ("the exit code of the candidate gate `sh tests/a.sh`", 1),
            "verdict": ("the verdict of the candidate gate", "red"),
            "command": ("the command of the candidate gate", "true"),
            "purpose": ("the trailer Director-Gate", "merged"),
        }
        for field, (words, value) in edits.items():
            with self.subTest(field):
                self.edit_receipt("a", gates=[{**first, field: value}, second])
                self.assertIn(f"(node a): {words}", self.problem())

    def test_json_has_the_problem_in_parts(self) -> None:
        self.edit_receipt("a", attempts=7)
        found = self.ends(1, "verify", "--json").json
        problem = found["problem"]
        self.assertEqual((found["ok"], found["exit_code"]), (False, 1))
        self.assertEqual((problem["check"], problem["node"]), ("agreement", "a"))
        self.assertEqual((problem["expected"], problem["found"]), ("7", "1"))
        self.assertEqual(problem["commit"], self.receipt("a")["merged"])
        self.assertNotIn("agreement", found["checked"])


class TestPlan(FinishedJobCase):
    """What of an edited plan is seen by branch and receipts alone, where no seal is."""

    def setUp(self) -> None:
        super().setUp()
        (self.home / "sealed.json").unlink()
        shutil.rmtree(self.home / "job.git")

    def test_another_test_hash(self) -> None:
        self.edit_plan("a", test_hashes={"tests/a.sh": "0" * 64})
        self.refused("node a", "its tests in plan.json", "tests/a.sh")

    def test_another_test_command(self) -> None:
        self.edit_plan("a", test_cmd="true")
        self.refused("node a", "the command of the candidate gate", "expected true")

    def test_another_hash_before_anything_is_merged(self) -> None:
        self.receipts.unlink()
        (self.home / "state.json").unlink()
        self.repo.git("update-ref", f"refs/heads/{self.branch}", f"{self.branch}~2")
        self.edit_plan("a", test_hashes={"tests/a.sh": "0" * 64})
        self.refused("frozen test tests/a.sh of node a", "sha256 000000000000")


class TestForgeries(FinishedJobCase):
    """The branch and the receipt are changed together, so that they agree."""

    def forge(self, path: str, text: str) -> str:
        commit = self.amend(path, text)
        files = sorted({"b.txt", path})
        self.edit_receipt("b", merged=commit, files=files)
        return commit

    def test_a_file_outside_the_allowlist(self) -> None:
        commit = self.forge("README", "mine now\n")
        self.refused(f"commit {commit[:12]} (node b) changes README, outside its allowlist (b.txt)")

    def test_a_frozen_test(self) -> None:
        commit = self.forge("tests/a.sh", "exit 0\n")
        self.refused(f"commit {commit[:12]} (node b) changes the frozen test tests/a.sh")

    def test_another_tree_than_was_gated(self) -> None:
        tree = self.receipt("b")["tree"]
        commit = self.forge("b.txt", "good, with a back door\n")
        found = self.repo.git("rev-parse", f"{commit}^{{tree}}")
        self.refused("node b", "the tree on its receipt", tree[:12], found[:12])


class TestRerun(FinishedJobCase):
    def test_every_gate_runs_again_on_clean_checkouts(self) -> None:
        before = self.repo.fingerprint()
        done = self.ends(0, "verify", "--rerun")
        self.assertIn("2 merges verified, 4 gates run again", done.out)
        self.assertEqual(self.repo.fingerprint(), before)
        self.assertEqual(self.left_behind(), [])
        self.assertFalse((self.home / "verify").exists())
        self.ends(0, "verify")

    def test_a_test_that_no_longer_passes(self) -> None:
        self.made.outside.unlink()
        self.addCleanup(self.made.outside.touch)
        done = self.ends(1, "verify", "--rerun")
        merged = self.receipt("a")["merged"]
        self.assertIn(f"node a: `sh tests/a.sh` at commit {merged[:12]}", done.out)
        self.assertIn("expected green, found red (exit code 1)", done.out)
        self.assertIn("Next: see ", done.out)
        self.ends(0, "verify")

    def test_an_integration_gate_that_no_longer_passes(self) -> None:
        self.configure('[gates]\nwhole = "! test -e b.txt"\n')
        done = self.ends(1, "verify", "--rerun", "--json")
        self.assertEqual(done.json["problem"]["check"], "rerun")
        self.assertIn("[gates] whole", done.json["what"])
        self.assertIn(self.tip()[:12], done.json["what"])

    def test_a_gate_that_is_red_on_the_base_too_is_not_the_jobs_doing(self) -> None:
        self.configure('[gates]\nwhole = "test -e missing"\n')
        self.ends(0, "verify", "--rerun")

    def test_nothing_runs_when_a_check_does_not_hold(self) -> None:
        self.edit_receipt("a", attempts=7)
        self.assertEqual(self.ends(1, "verify", "--rerun", "--json").json["gates_run"], 0)

    def test_a_clone_with_the_records_and_a_configuration_is_enough(self) -> None:
        shutil.rmtree(self.home / "job.git")
        self.ends(0, "verify", "--rerun")
        self.assertFalse((self.home / "job.git").exists())

    def test_it_does_not_need_opencode(self) -> None:
        shutil.rmtree(self.fake.folder)
        path = ":".join(p for p in self.env["PATH"].split(":") if not Path(p, "opencode").exists())
        self.ends(0, "verify", "--rerun", env={**self.env, "PATH": path})


class TestRequests(JobCase):
    def test_no_plan(self) -> None:
        done = self.ends(2, "verify")
        self.assertIn("there is no plan", done.err)
        self.assertEqual(self.ends(2, "verify", "--json").json["exit_code"], 2)
        self.ends(2, "verify", "--rerun")

    def test_a_plan_that_is_ready_holds(self) -> None:
        self.plan(node("a"))
        self.assertIn("0 merges verified", self.ends(0, "verify").out)
