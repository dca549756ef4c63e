"""Test files that several nodes extend, and records that were lost, on a base that moved on.

Of ``running.rebasing`` and ``job.views``.
"""

from __future__ import annotations

from tests.planning.test_shared_tests import SHARED, SharedCase
from tests.running.test_repairing import RepairCase


class TestSharedTests(SharedCase):
    def setUp(self) -> None:
        super().setUp()
        self.ends(0, "plan", "make", "--no-critique")
        self.work_on("a")
        self.ends(0, "run", "--node", "a")

    def move_base(self, path: str = "more.txt", text: str = "x\n") -> None:
        self.repo.write(path, text)
        self.repo.git("add", path)
        self.repo.git("commit", "--quiet", "--message", f"change {path}")

    def rebase(self) -> str:
        """Rebase, demand that all of it holds, and return what becomes of node a."""
        told = self.ends(0, "rebase", "--yes", "--json").json
        self.ends(0, "verify", "--rerun")
        return str(told["nodes"][0]["fate"])

    def test_each_node_sees_its_content(self) -> None:
        self.move_base()
        self.assertEqual(self.rebase(), "carried")
        view = self.receipt("a")["view"]
        git = ("--git-dir", str(self.home / "job.git"))
        self.assertEqual(self.repo.git(*git, "show", f"{view}:{SHARED}") + "\n", self.at_a)
        self.finish()
        self.move_base(text="y\n")
        self.assertEqual(self.rebase(), "carried")
        self.ends(0, "run")

    def test_without_the_later_node_after_the_earlier_merged(self) -> None:
        self.edit_plan(self.stored("plan.json")["nodes"][0])
        self.ends(0, "plan", "--continue")
        self.move_base()
        self.assertEqual(self.rebase(), "carried")
        self.assertEqual(str(self.on_branch(SHARED)) + "\n", self.at_a)

    def test_the_later_node_takes_another_file_after_the_earlier_merged(self) -> None:
        self.part()
        self.move_base()
        self.assertEqual(self.rebase(), "carried")
        self.work_on("b")
        self.ends(0, "run")
        self.ends(0, "verify", "--rerun")

    def test_a_base_that_has_the_file_otherwise_is_refused(self) -> None:
        self.move_base(SHARED, "echo mine\n")
        told = self.ends(1, "rebase", "--yes", "--json").json
        self.assertIn(f"{SHARED} (test of a, b; ", told["what"])
        self.ends(0, "verify")

    def test_what_was_carried_is_gated_again_where_its_records_are_lost(self) -> None:
        self.move_base()
        self.rebase()
        before = self.receipt("a")
        for name in ("receipts.jsonl", "tips.jsonl"):
            (self.home / name).unlink()
        self.work_on("b")
        self.assertIn("gated again", self.ends(0, "run").err)
        after = self.receipt("a")
        self.assertEqual((after["rebuilt"], after["rebased"]), (True, before["rebased"]))
        self.ends(0, "verify", "--rerun")


class TestRepairs(RepairCase):
    def rebased(self, text: str) -> dict[str, str]:
        """Put ``text`` into README on main, rebase, and return node → fate."""
        self.repo.write("README", text)
        self.repo.git("commit", "--quiet", "--all", "--message", "change README")
        told = self.ends(0, "rebase", "--yes", "--json").json
        self.ends(0, "verify")
        return {one["node"]: one["fate"] for one in told["nodes"]}

    def test_a_repair_is_carried_with_all_that_it_was_held_to(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        fates = self.rebased("hello again\n")
        self.assertEqual(set(fates.values()), {"carried"})
        receipt = self.receipt()
        self.assertEqual((receipt.repairs, bool(receipt.rebased)), ("together", True))
        self.assertIn("tests.a", [run.purpose for run in receipt.gates])
        self.assertIs(self.ends(0, "run", "--json").json["integration_ok"], True)
        self.ends(0, "verify", "--rerun")

    def test_one_that_failed_stays_so(self) -> None:
        self.fails()
        self.assertEqual(self.rebased("hello again\n")["repair-1"], "left")
        self.assertEqual(self.node_state("repair-1")["status"], "failed")
