"""A receipt names the view that was gated; `verify` knows what it must be without the receipt.

With it: ``checks``.
"""

from __future__ import annotations

import json
import shutil
from typing import Any

from tests.support.compile_unit import CompileUnitCase, unit
from tests.verifying.finished import CopiedJobCase


class _Made(CompileUnitCase):
    """The original: b's test was held back when a merged."""

    def runTest(self) -> None:  # noqa: N802
        """Make the job."""
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a", "b")
        self.ends(0, "run")


class TestForgedViews(CopiedJobCase, CompileUnitCase):
    original = _Made

    def setUp(self) -> None:
        super().setUp()
        self.tree = str(self.receipt("a")["tree"])

    def less(self, *paths: str) -> str:
        """Return the tree of a's merge without ``paths``, written into the user's repository."""
        self.repo.git("read-tree", "--index-output=.git/forged", self.tree)
        env = {"GIT_INDEX_FILE": str(self.repo.root / ".git" / "forged")}
        command = ["git", "rm", "--cached", "--quiet", "--", *paths]
        done = self.command(*command, env={**self.env, **env})
        self.assertEqual(done.code, 0, done.err)
        return self.command("git", "write-tree", env={**self.env, **env}).out.strip()

    def forge(self, view: str | None) -> None:
        """Make commit, trailers, receipt, journal and branch agree on another view of a."""
        from director.model.codec.decoding import decode
        from director.model.codec.encoding import encode
        from director.model.receipt import Receipt

        lines = {line["node"]: line for line in self.lines("receipts.jsonl")}
        first = decode(Receipt, {**lines["a"], "view": view})
        gated = view or first.tree
        line = encode(first)
        line["gates"] = [{**run, "tree": gated} for run in line["gates"]]
        line["merged"] = self.commit("Make a", line)
        last = {**lines["b"], "base": line["merged"], "parent": line["merged"]}
        last["merged"] = self.commit("Make b", last)
        forged = {"a": line, "b": last}
        replaced = {lines[name]["merged"]: one["merged"] for name, one in forged.items()}
        self.repo.git("update-ref", f"refs/heads/{self.branch}", last["merged"])
        self.write("receipts.jsonl", list(forged.values()))
        tips = [
            {
                **tip,
                "tip": replaced.get(tip["tip"], tip["tip"]),
                **({"receipt": forged[tip["receipt"]["node"]]} if tip.get("receipt") else {}),
            }
            for tip in self.lines("tips.jsonl")
        ]
        self.write("tips.jsonl", tips)

    def commit(self, title: str, line: dict[str, Any]) -> str:
        from director.job.receipts import merge_trailers
        from director.job.trailers import commit_message
        from director.model.codec.decoding import decode
        from director.model.receipt import Receipt

        text = commit_message(title, merge_trailers(decode(Receipt, line)))
        return self.repo.git("commit-tree", line["tree"], "-p", line["parent"], "-m", text)

    def write(self, name: str, lines: list[dict[str, Any]]) -> None:
        (self.home / name).write_text("".join(json.dumps(line) + "\n" for line in lines))

    def refused(self, *argv: str) -> str:
        done = self.ends(1, "verify", *argv)
        self.assertIn("(node a): its view, the tree without the tests of nodes that", done.out)
        return done.out

    def test_one_that_is_remade_as_it_was_holds(self) -> None:
        """The forgeries below differ from the truth in the view alone."""
        self.forge(self.receipt("a")["view"])
        self.ends(0, "verify")

    def test_one_that_hides_the_nodes_own_test(self) -> None:
        self.forge(self.less("pkg/a_test.sh", "pkg/b_test.sh"))
        self.refused()
        self.refused("--rerun")

    def test_one_that_hides_something_else(self) -> None:
        self.forge(self.less("pkg/b_test.sh", "build.sh"))
        self.refused()

    def test_one_that_holds_nothing_back(self) -> None:
        self.forge(self.tree)
        self.refused()

    def test_one_that_is_not_named_was_not_green(self) -> None:
        """As versions without views did it: then all of the merge must be green."""
        self.forge(None)
        self.ends(0, "verify")
        done = self.ends(1, "verify", "--rerun")
        self.assertIn("node a: `sh build.sh a`", done.out)

    def test_with_the_branch_alone(self) -> None:
        """Nothing but plan, receipts and the published branch is at hand."""
        for name in ("job.git", "tips.jsonl", "plan_stage.json"):
            place = self.home / name
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        self.ends(0, "verify")
        lines = self.lines("receipts.jsonl")
        forged = self.less("pkg/a_test.sh", "pkg/b_test.sh")
        lines[0]["view"] = forged
        lines[0]["gates"] = [{**run, "tree": forged} for run in lines[0]["gates"]]
        self.write("receipts.jsonl", lines)
        self.ends(1, "verify")

    def test_a_lost_journal(self) -> None:
        """The merges are gated again, in their views; a forged view is not."""
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.assertIn("gated again", self.ends(0, "run").err)
        self.ends(0, "verify", "--rerun")

    def test_a_lost_journal_and_a_forged_view(self) -> None:
        self.forge(self.less("pkg/a_test.sh", "pkg/b_test.sh"))
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        shutil.rmtree(self.home / "job.git")
        self.assertIn("director recorded no such merge of a, which saw", self.ends(2, "run").err)

    def test_an_earlier_versions_receipts_are_read(self) -> None:
        """They name no view, nor do the trailers."""
        self.forge(None)
        self.assertNotIn("view", self.receipt("a"))
        self.ends(0, "verify")


class TestAdmittedAgain(CompileUnitCase):
    def test_what_was_to_come_at_a_merge_is_known_after_its_node_is_gone(self) -> None:
        self.plan_units(unit("a"), unit("b", depends_on=["a"]))
        self.work_on("a")
        self.ends(0, "run", "--node", "a")
        plan = self.stored("plan.json")
        kept = [one for one in plan["nodes"] if one["id"] == "a"]
        (self.home / "plan.json").write_text(json.dumps({**plan, "nodes": kept}))
        self.ends(0, "plan", "--continue")
        self.assertIsNone(self.on_branch("pkg/b_test.sh"))
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")
