"""Receipts of merges: what they say, and that they outlive a crash.

Covers ``job.receipts`` and ``job.trailers``, too; ``merging`` and ``believing``.
"""

from __future__ import annotations

from typing import Any

from tests.running.test_run import BLOCK
from tests.support.fake_opencode import answer, mark, wait_for, write
from tests.support.jobs import JobCase, node


class TestReceipts(JobCase):
    def receipt(self, name: str) -> dict[str, Any]:
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line

    def purposes(self, name: str) -> list[str]:
        return [gate["purpose"] for gate in self.receipt(name)["gates"]]

    def test_a_merge_leaves_a_line(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        line = self.receipt("a")
        tip = self.repo.git("rev-parse", self.branch)
        tree = self.repo.git("rev-parse", f"{self.branch}^{{tree}}")
        parent = self.repo.git("rev-parse", f"{self.branch}^")
        self.assertEqual((line["merged"], line["tree"], line["parent"]), (tip, tree, parent))
        self.assertEqual((line["base"], line["files"]), (parent, ["a.txt"]))
        self.assertEqual((line["tier"], line["model"]), ("executor", "fake/cheap"))
        self.assertEqual((line["attempts"], line["rebuilt"]), (2, False))
        self.assertEqual(line["tests"], self.stored("plan.json")["nodes"][0]["test_hashes"])
        self.assertEqual(set(line["tools"]), {"director", "git", "opencode", "python", "platform"})
        self.assertEqual(self.purposes("a"), ["candidate", "again"])
        for gate in line["gates"]:
            self.assertEqual((gate["exit_code"], gate["verdict"]), (0, "green"))
            self.assertEqual((gate["commit"], gate["tree"]), (line["candidate"], tree))

    def test_the_trailers_say_the_same(self) -> None:
        self.plan(node("a", test_cmd="sh \\\n  tests/a.sh"))
        self.implement("a")
        self.ends(0, "run")
        said = self.repo.git("log", "-1", "--format=%(trailers:only)", self.branch).splitlines()
        line = self.receipt("a")
        self.assertIn(f"Director-Base: {line['base']}", said)
        self.assertIn(f"Director-Candidate: {line['candidate']}", said)
        self.assertIn("Director-Model: fake/cheap", said)
        self.assertIn("Director-Gate: 0 candidate sh \\ tests/a.sh", said)
        self.ends(0, "verify")

    def test_a_node_that_is_green_already_rests_on_its_runs_on_the_base(self) -> None:
        self.plan(node("a", files=["a.txt", "b.txt"]), node("b", depends_on=["a"], files=["c.txt"]))
        self.implement("a", write("a.txt", "good\n"), write("b.txt", "good\n"))
        self.ends(0, "run")
        line = self.receipt("b")
        self.assertEqual((line["tier"], line["model"], line["attempts"]), (None, None, 0))
        self.assertEqual(self.purposes("b"), ["before", "again"])
        self.assertEqual({gate["commit"] for gate in line["gates"]}, {line["base"]})
        self.assertEqual((line["parent"], line["files"]), (line["base"], []))
        self.ends(0, "verify")

    def test_what_is_behind_another_is_gated_once_on_what_both_are(self) -> None:
        self.plan(node("a"), node("b"))
        for mine, other in (("a", "b"), ("b", "a")):
            self.implement(
                mine, mark(self.tmp / mine), wait_for(self.tmp / other), *self.good_work(mine)
            )
        self.ends(0, "run", "--parallel", "2")
        first, second = (line["node"] for line in self.lines("receipts.jsonl"))
        self.assertEqual(self.purposes(first), ["candidate", "again"])
        self.assertEqual(self.purposes(second), ["candidate", "again"])
        line = self.receipt(second)
        self.assertEqual(line["parent"], self.receipt(first)["merged"])
        self.assertEqual(line["gates"][-1]["tree"], line["tree"])
        self.assertNotEqual(line["base"], line["parent"])
        self.ends(0, "verify")

    def test_what_merges_after_a_spoiled_rework_rests_on_its_own_runs(self) -> None:
        self.configure("[review]\nveto = false\n")
        self.plan(node("a", files=["a.txt", "b", "c", "d"]))
        others = [write(name, "x") for name in "bcd"]
        self.implement("a", write("a.txt", "good\n"), *others)
        self.implement("a", write("a.txt", "spoiled\n"))
        self.fake.always("reviewer", answer(BLOCK))
        self.ends(0, "run")
        self.assertEqual(self.purposes("a"), ["candidate", "again"])
        self.ends(0, "verify")

    def test_lost_lines_are_restored_as_they_were_written(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")
        path = self.home / "receipts.jsonl"
        before = path.read_text()
        for left in (
            "",
            before[:-40],
            before + '{"node": "zz"}\n',
            before.replace("cheap", "dear"),
        ):
            path.write_text(left)
            self.ends(1, "verify")
            self.ends(0, "run")
            self.assertEqual(path.read_text(), before)
            self.ends(0, "verify")

    def test_a_merge_that_no_journal_knows_is_gated_again_and_said_to_be(self) -> None:
        self.plan(node("a"), node("b"))
        for mine, other in (("a", "b"), ("b", "a")):
            self.implement(
                mine, mark(self.tmp / mine), wait_for(self.tmp / other), *self.good_work(mine)
            )
        self.ends(0, "run", "--parallel", "2")
        before = {name: self.receipt(name) for name in "ab"}
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.ends(1, "verify")
        self.assertIn("gated again", self.ends(0, "run").err)
        cannot_tell = {"ts", "tools", "gates", "rebuilt"}
        for name in "ab":
            line = self.receipt(name)
            self.assertIs(line["rebuilt"], True)
            for field in line.keys() - cannot_tell:
                self.assertEqual(line[field], before[name][field], field)
            self.assertEqual([gate["purpose"] for gate in line["gates"]], ["rebuilt", "again"])
            for gate in line["gates"]:
                gated = line.get("view", line["tree"])
                self.assertEqual((gate["commit"], gate["tree"]), (line["merged"], gated))
                self.assertEqual((gate["command"], gate["exit_code"]), (f"sh tests/{name}.sh", 0))
        done = self.ends(0, "verify")
        self.assertIn("Rebuilt after the merge: the receipt of", done.out)
        self.assertEqual(sorted(self.ends(0, "verify", "--json").json["rebuilt"]), ["a", "b"])
        lines = self.lines("receipts.jsonl")
        self.ends(0, "run")
        self.assertEqual(self.lines("receipts.jsonl"), lines)
