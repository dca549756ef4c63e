"""Each forgery, done by hand on a finished job, is seen.

With it: ``checks``.
"""

from __future__ import annotations

import json
import shutil
import zlib
from typing import Any

from tests.support.jobs import JobCase, node, script_of_test
from tests.support.repositories import SampleRepo
from tests.verifying.finished import FinishedJobCase


class TestPlan(FinishedJobCase):
    def test_an_edited_command(self) -> None:
        self.edit_plan("a", test_cmd="true")
        done = self.refused("changed after it was approved: node a: test_cmd")
        self.assertIn("director plan --continue", done.out)

    def test_an_allowlist_made_wider_after_the_fact(self) -> None:
        self.edit_plan("a", files=["a.txt", "README"])
        self.refused("node a: files")

    def test_a_planted_node(self) -> None:
        plan = self.stored("plan.json")
        planted = node("zz", test_cmd="true", test_hashes={"tests/zz.sh": "0" * 64})
        plan["nodes"].append(planted)
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.refused("node zz is new")

    def test_a_dropped_node(self) -> None:
        plan = self.stored("plan.json")
        plan["nodes"].pop()
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.refused("node b is gone")

    def test_a_seal_that_was_removed(self) -> None:
        self.edit_plan("a", files=["a.txt", "README"])
        (self.home / "sealed.json").unlink()
        self.refused("there is no sealed.json")

    def test_plan_and_seal_edited_together_are_at_odds_with_the_receipts(self) -> None:
        self.edit_plan("a", test_cmd="true")
        seal = self.stored("sealed.json")
        seal["plan"]["nodes"] = self.stored("plan.json")["nodes"]
        (self.home / "sealed.json").write_text(json.dumps(seal))
        self.refused("node a", "the command of the candidate gate")


class TestMerges(FinishedJobCase):
    """A third merge, with the trailers of the second, for a node that is not merged yet."""

    def setUp(self) -> None:
        super().setUp()
        self.repo.git("update-ref", f"refs/heads/{self.branch}", f"{self.branch}~1")
        self.write_receipts(self.receipt("a"))
        self.message = self.repo.git("log", "-1", "--format=%B", self.branch).replace(
            "Director-Node: a", "Director-Node: b"
        )
        tips = [line for line in self.lines("tips.jsonl") if self.tip() in json.dumps(line)]
        self.write_tips(*self.lines("tips.jsonl")[: self.index_of(tips[0]) + 1])

    def index_of(self, line: dict[str, Any]) -> int:
        return self.lines("tips.jsonl").index(line)

    def write_tips(self, *lines: dict[str, Any]) -> None:
        (self.home / "tips.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))

    def forge(self) -> str:
        """Put the forged merge on the branch and into the journal."""
        forged = self.add_commit("b.txt", "bad\n", self.message)
        self.write_tips(*self.lines("tips.jsonl"), {"tip": forged})
        return forged

    def test_without_a_receipt(self) -> None:
        self.forge()
        self.refused("node b: expected exactly one receipt, found 0")

    def test_with_a_copied_receipt(self) -> None:
        self.forge()
        self.write_receipts(self.receipt("a"), {**self.receipt("a"), "node": "b"})
        self.refused("node b", "the commit on its receipt")

    def test_with_a_receipt_that_fits_the_commit(self) -> None:
        forged = self.forge()
        tree = self.repo.git("rev-parse", f"{forged}^{{tree}}")
        parent = self.repo.git("rev-parse", f"{forged}^")
        plan = {one["id"]: one for one in self.stored("plan.json")["nodes"]}["b"]
        self.write_receipts(self.receipt("a"), self.fitting(forged, tree, parent, plan))
        self.refused(f"commit {forged[:12]} (node b)")

    def fitting(self, forged: str, tree: str, parent: str, plan: dict[str, Any]) -> dict[str, Any]:
        known = self.receipt("a")
        gates = [{**run, "command": plan["test_cmd"], "tree": tree} for run in known["gates"]]
        return {
            **known, "node": "b", "merged": forged, "tree": tree, "parent": parent,
            "files": ["b.txt"], "tests": plan["test_hashes"], "gates": gates, "view": None,
        }  # fmt: skip

    def test_with_trailers_and_a_receipt_that_agree_it_is_the_journal_that_does_not(self) -> None:
        from director.job.receipts import expected_trailers
        from director.job.trailers import tests_hash
        from director.model.codec.decoding import decode
        from director.model.plan_reader import read_plan
        from director.model.receipt import Receipt

        base = self.tip()
        (plan,) = (one for one in self.stored("plan.json")["nodes"] if one["id"] == "b")
        hashed = tests_hash(read_plan(self.stored("plan.json")).node("b"))
        probe = self.add_commit("b.txt", "bad\n", "x")
        tree = self.repo.git("rev-parse", f"{probe}^{{tree}}")
        self.repo.git("update-ref", f"refs/heads/{self.branch}", base)
        line = {**self.fitting("", tree, base, plan), "tests_hash": hashed}
        pairs = expected_trailers(decode(Receipt, line))
        self.message = "Make b\n\n" + "\n".join(f"{key}: {value}" for key, value in pairs)
        forged = self.forge()
        self.write_receipts(self.receipt("a"), {**line, "merged": forged})
        done = self.refused(f"commit {forged[:12]} (node b): director recorded no such merge")
        self.assertIn("director run", done.out)

    def test_on_the_published_branch_alone(self) -> None:
        forged = self.add_commit("a.txt", "bad\n", self.message)
        self.write_receipts(self.receipt("a"), {**self.receipt("a"), "node": "b", "merged": forged})
        self.refused("node b")


class TestJournal(FinishedJobCase):
    def test_a_dropped_receipt(self) -> None:
        self.write_receipts(self.receipt("a"))
        self.refused("node b: expected exactly one receipt, found 0")

    def test_a_receipt_that_says_better_than_was_noted(self) -> None:
        gates = self.receipt("a")["gates"]
        self.edit_receipt("a", gates=[{**run, "wall_secs": 9.9} for run in gates])
        self.refused("node a", "the receipt that was noted when it merged")

    def test_a_receipt_dropped_from_the_journal_too(self) -> None:
        self.write_receipts(self.receipt("a"))
        lines = self.lines("tips.jsonl")
        for line in lines:
            if line.get("receipt", {}).get("node") == "b":
                del line["receipt"]
        (self.home / "tips.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
        self.refused("node b: expected exactly one receipt")

    def test_a_journal_that_is_gone(self) -> None:
        (self.home / "tips.jsonl").unlink()
        self.refused("there is no tips.jsonl")

    def test_a_branch_where_director_never_was(self) -> None:
        tip = f"{self.branch}^{{tree}}"
        message = self.repo.git("log", "-1", "--format=%B", f"{self.branch}~2")
        oid = self.repo.git("commit-tree", tip, "-p", self.branch, "-m", message)
        self.repo.git("update-ref", f"refs/heads/{self.branch}", oid)
        self.refused(oid[:12])


class TestObjects(FinishedJobCase):
    """Objects in the user's repository that are not what their ids say."""

    def replace(self, oid: str, kind: str, content: bytes) -> None:
        path = self.repo.root / ".git" / "objects" / oid[:2] / oid[2:]
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zlib.compress(b"%s %d\0%s" % (kind.encode(), len(content), content)))

    def setUp(self) -> None:
        super().setUp()
        packs = self.repo.root / ".git" / "objects" / "pack"
        self.assertEqual(list(packs.glob("*.pack")), [])  # a small fetch is unpacked

    def test_a_blob_that_was_replaced(self) -> None:
        for path in ("b.txt", "tests/a.sh"):
            with self.subTest(path):
                oid = self.repo.git("rev-parse", f"{self.branch}:{path}")
                content = self.repo.git("cat-file", "blob", oid)
                self.replace(oid, "blob", b"bad\n")
                self.refused(f"object {oid} of {self.branch} is missing or damaged")
                self.replace(oid, "blob", f"{content}\n".encode())
                self.ends(0, "verify")

    def test_a_commit_that_was_replaced(self) -> None:
        oid = self.repo.git("rev-parse", f"{self.branch}~1")
        content = self.repo.git("cat-file", "commit", oid)
        self.replace(oid, "commit", content.replace("Make a", "Made a").encode())
        self.refused(f"object {oid}")

    def test_a_blob_that_is_zeroed_or_gone(self) -> None:
        oid = self.repo.git("rev-parse", f"{self.branch}:a.txt")
        path = self.repo.root / ".git" / "objects" / oid[:2] / oid[2:]
        path.chmod(0o644)
        path.write_bytes(b"\0" * 20)
        self.refused(f"object {oid}")
        path.unlink()
        self.refused(f"object {oid}")


class TestContract(FinishedJobCase):
    def test_a_test_file_that_no_node_has(self) -> None:
        """In a clone, where only branch, plan and receipts are."""
        clone = self.tmp / "clone"
        self.repo.git("clone", "--quiet", str(self.repo.root), str(clone))
        other = SampleRepo(clone, self.env)
        other.git("checkout", "--quiet", "-b", "work", f"origin/{self.branch}~2")
        other.write("tests/more.sh", script_of_test("more"))
        other.git("add", "--force", "tests/more.sh")
        job_id = self.stored("plan.json")["job_id"]
        trailers = f"Director-Job: {job_id}\nDirector-Node: more\nDirector-Kind: tests"
        other.git("commit", "--quiet", "-m", f"Tests of more\n\n{trailers}")
        other.git("branch", self.branch, "work")
        (clone / ".director").mkdir()
        shutil.copy(self.home / "plan.json", clone / ".director")
        done = self.ends(1, "verify", cwd=clone)
        self.assertIn("tests/more.sh was put on the branch as a test of more", done.out)


class TestJobs(JobCase):
    """Jobs that are not the current one."""

    def setUp(self) -> None:
        super().setUp()
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.old = str(self.stored("plan.json")["job_id"])
        self.script_planning(node("b"))
        self.ends(0, "plan", "another", "--no-critique")

    def test_an_archived_job(self) -> None:
        self.assertIn("1 merge verified", self.ends(0, "verify", "--job", self.old).out)
        self.assertIn("0 merges verified", self.ends(0, "verify").out)
        current = str(self.stored("plan.json")["job_id"])
        self.assertIn("0 merges verified", self.ends(0, "verify", "--job", current).out)
        self.ends(0, "verify", "--job", self.old, "--rerun")
        self.assertEqual(self.left_behind(), [])

    def test_an_archived_job_that_was_edited(self) -> None:
        place = self.home / "jobs" / self.old / "plan.json"
        place.write_text(place.read_text().replace("sh tests/a.sh", "true"))
        self.assertIn("node a: test_cmd", self.ends(1, "verify", "--job", self.old).out)

    def test_another_id_names_those_there_are(self) -> None:
        done = self.ends(2, "verify", "--job", self.old[:-1] + "~")
        self.assertIn(f"job not found: {self.old[:-1]}~", done.err)
        self.assertIn(f"did you mean {self.old}?", done.err)
        self.assertIn(str(self.stored("plan.json")["job_id"]), done.err)
