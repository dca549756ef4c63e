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

    def test_a_moved_tip_adds_the_run_on_the_merged_tree(self) -> None:
        self.plan(node("a"), node("b"))
        for mine, other in (("a", "b"), ("b", "a")):
            self.implement(
                mine, mark(self.tmp / mine), wait_for(self.tmp / other), *self.good_work(mine)
            )
        self.ends(0, "run", "--parallel", "2")
        first, second = (line["node"] for line in self.lines("receipts.jsonl"))
        self.assertEqual(self.purposes(first), ["candidate", "again"])
        self.assertEqual(self.purposes(second), ["candidate", "again", "merged"])
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

    def test_a_lost_line_is_rebuilt_from_the_commit(self) -> None:
        self.plan(node("a"), node("b"))
        for mine, other in (("a", "b"), ("b", "a")):
            self.implement(
                mine, mark(self.tmp / mine), wait_for(self.tmp / other), *self.good_work(mine)
            )
        self.ends(0, "run", "--parallel", "2")
        before = {name: self.receipt(name) for name in "ab"}
        (self.home / "receipts.jsonl").unlink()
        self.ends(1, "verify")
        self.ends(0, "run")
        cannot_tell = {"ts", "tools", "gates", "rebuilt"}
        for name in "ab":
            line = self.receipt(name)
            self.assertIs(line["rebuilt"], True)
            for field in line.keys() - cannot_tell:
                self.assertEqual(line[field], before[name][field], field)
            for gate, known in zip(line["gates"], before[name]["gates"], strict=True):
                for field in ("purpose", "command", "verdict", "exit_code", "tree"):
                    self.assertEqual(gate[field], known[field], field)
        self.ends(0, "verify")

    def test_a_line_that_a_crash_cut_off_is_rebuilt_and_one_that_is_there_is_kept(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a")
        self.implement("b")
        self.ends(0, "run")
        path = self.home / "receipts.jsonl"
        path.write_text(path.read_text()[:-40])
        self.ends(0, "run")
        self.assertEqual(
            {line["node"]: line["rebuilt"] for line in self.lines_that_are_whole()},
            {"a": False, "b": True},
        )
        self.ends(0, "verify")

    def lines_that_are_whole(self) -> list[dict[str, Any]]:
        from director.records.files import read_lines

        return read_lines(self.home / "receipts.jsonl")
