"""``[merge] gate = "contract"``, as a user sees it."""

from __future__ import annotations

from typing import Any

from tests.running.test_run import PASS
from tests.support.fake_opencode import answer, write
from tests.support.jobs import JobCase, node

CONTRACT = '[merge]\ngate = "contract"\n'


class TestContract(JobCase):
    def receipt(self, name: str) -> dict[str, Any]:
        (line,) = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return line

    def outcomes(self, name: str) -> list[str]:
        return [one["outcome"] for one in self.node_state(name)["tries"]]

    def plan_two(self) -> None:
        """Plan a, and b, which may change what a made."""
        self.plan(node("a"), node("b", depends_on=["a"], files=["a.txt", "b.txt"]))
        self.implement("a")

    def test_what_breaks_a_done_node_goes_back_and_is_told_so(self) -> None:
        self.configure(CONTRACT)
        self.plan_two()
        self.implement("b", write("b.txt", "good\n"), write("a.txt", "spoiled\n"))
        self.implement("b", write("a.txt", "good again\n"))
        self.ends(0, "run")
        self.assertEqual(self.outcomes("b"), ["green", "regression", "green"])
        prompt = self.fake.calls()[-1].prompt
        for said in ("The tests of a, which must stay green, fail with this change", "no good a"):
            self.assertIn(said, prompt)
        self.assertIn("still there: correct it", prompt)
        failure = self.node_state("b")["tries"][1]["failure"]
        self.assertEqual((failure["kind"], failure["command"]), ("regression", "sh tests/a.sh"))
        self.assertEqual(self.on_branch("a.txt"), "good again")
        purposes = [run["purpose"] for run in self.receipt("b")["gates"]]
        self.assertEqual(purposes, ["candidate", "again", "contract"])
        counted = self.lines("metrics.jsonl")[-1]["contract_gates"]
        self.assertEqual((counted["steps"], counted["refused"]), (3, 1))
        self.ends(0, "verify")
        self.ends(0, "verify", "--rerun")

    def test_it_spends_attempts(self) -> None:
        self.configure(CONTRACT)
        self.plan_two()
        for _ in range(2):
            self.implement("b", write("b.txt", "good\n"), write("a.txt", "spoiled\n"))
        self.fake.always("reviewer", answer(PASS))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.node_state("b")["status"], "failed")
        self.assertEqual(self.on_branch("a.txt"), "good")
        self.assertEqual(self.node_state("b")["failure"]["kind"], "regression")

    def test_without_it_the_merge_is_found_out_at_the_end(self) -> None:
        self.plan_two()
        self.implement("b", write("b.txt", "good\n"), write("a.txt", "spoiled\n"))
        self.ends(1, "run")
        self.assertEqual(self.outcomes("b"), ["green"])
        self.assertNotIn("contract_gates", self.lines("metrics.jsonl")[-1])
        self.assertNotIn("merge_gate", self.stored("sealed.json"))

    def test_what_was_approved_with_it_is_held_to_it(self) -> None:
        self.configure(CONTRACT)
        self.plan_two()
        self.assertEqual(self.stored("sealed.json")["merge_gate"], "contract")
        self.configure()
        self.implement("b", write("b.txt", "good\n"), write("a.txt", "spoiled\n"))
        self.implement("b", write("a.txt", "good again\n"))
        self.ends(0, "run")
        self.assertEqual(self.outcomes("b"), ["green", "regression", "green"])

    def test_a_node_that_is_satisfied_is_held_to_it_too(self) -> None:
        self.configure(CONTRACT)
        self.plan(node("a", files=["a.txt", "b.txt"]), node("b", depends_on=["a"], files=["c.txt"]))
        self.implement("a", write("a.txt", "good\n"), write("b.txt", "good\n"))
        self.ends(0, "run")
        purposes = [run["purpose"] for run in self.receipt("b")["gates"]]
        self.assertEqual(purposes, ["before", "again", "contract"])
        self.ends(0, "verify")

    def test_verify_misses_runs_that_the_approved_plan_demands(self) -> None:
        self.plan_two()
        self.implement("b")
        self.ends(0, "run")
        path = self.home / "sealed.json"
        path.write_text(path.read_text().replace('"plan"', '"merge_gate": "contract", "plan"'))
        said = self.ends(1, "verify").out
        self.assertIn("the contract gate `sh tests/a.sh` (tests of a): expected green", said)
