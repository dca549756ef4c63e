"""Repair nodes: what is green alone and red together is worked on in the same run.

With it: ``run`` where it integrates again, ``readiness`` where a seal is ahead of its plan.
"""

from __future__ import annotations

import json
import unittest
from pathlib import Path
from typing import Any

from director.model.codec.decoding import decode
from director.model.receipt import Receipt
from tests.support.fake_opencode import Step, hang, mark, say, write
from tests.support.jobs import Done, JobCase, node

SPOILED = "cat *.extra 2>/dev/null | grep -c spoiled"
TOGETHER = f'test "$({SPOILED})" -lt 2 || {{ echo spoiled twice; exit 1; }}'


class RepairCase(JobCase):
    """Node b after node a, each green alone; one of ``[gates]`` is red on both together."""

    def prepare(self, limits: str = "", **gates: str) -> None:
        commands = gates or {"together": TOGETHER}
        lines = "\n".join(f"{name} = '''{command}'''" for name, command in commands.items())
        self.configure(f"[limits]\n{limits}\n[gates]\n{lines}\n")
        self.plan(*self.nodes())
        for name in "ab":
            extra = write(f"{name}.extra", "spoiled\n")
            self.implement(name, write(f"{name}.txt", "good\n"), extra, say("done"))

    def nodes(self) -> list[dict[str, Any]]:
        files = {name: [f"{name}.txt", f"{name}.extra"] for name in "ab"}
        return [node("a", files=files["a"]), node("b", files=files["b"], depends_on=["a"])]

    def repair(self, *steps: Step, times: int = 1, name: str = "repair-1") -> None:
        for _ in range(times):
            work = steps or (write("b.extra", "clean\n"), say("repaired"))
            self.fake.queue("executor", *work, node=name)

    def planned(self, name: str = "repair-1") -> dict[str, Any]:
        found = next(one for one in self.stored("plan.json")["nodes"] if one["id"] == name)
        assert isinstance(found, dict)
        return found

    def receipt(self, name: str = "repair-1") -> Receipt:
        lines = [one for one in self.lines("receipts.jsonl") if one["node"] == name]
        return decode(Receipt, lines[-1])

    def prompts(self, name: str = "repair-1") -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.node == name]

    def fails(self, *argv: str) -> Done:
        """Run a job whose repair changes nothing that matters, at each of its attempts."""
        self.prepare("max_attempts = 2")
        self.hopeless()
        return self.ends(1, "run", *argv)

    def hopeless(self) -> None:
        for at in range(2):
            self.repair(write("b.extra", f"spoiled {at}\n"), say("done"))
        work = (write("b.extra", "spoiled still\n"), say("done"))
        self.fake.queue("escalation", *work, node="repair-1")
        self.fake.queue("executor", *work, node="repair-1")  # escalations have the same agent


class TestRepaired(RepairCase):
    def test_the_same_run_repairs_what_two_merges_broke_together(self) -> None:
        self.prepare()
        self.repair()
        done = self.ends(0, "run", "--json").json
        self.assertEqual((done["integration_ok"], done["repairs"], done["done"]), (True, 1, 3))
        self.assertEqual(self.on_branch("b.extra"), "clean")
        self.assertEqual([gate["verdict"] for gate in done["integration"]][-1], "green")
        self.ends(0, "verify")
        told = self.ends(0, "verify", "--rerun").err
        for check in ("gate run again", "tests.a run again", "tests.b run again"):
            self.assertIn(f"repair-1: {check} at ", told)
        self.assertEqual(self.left_behind(), [])

    def test_its_records_say_what_it_repairs(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        self.assertEqual(self.planned()["repairs"]["blames"], "b")
        self.assertEqual(self.node_state("repair-1")["repairs"], "together")
        lines = [one for one in self.lines("metrics.jsonl") if one.get("node")]
        self.assertEqual([one["repairs"] for one in lines], [None, None, "together"])
        told = [e for e in self.lines("events.jsonl") if e["kind"] == "repair"]
        self.assertEqual([(e["node"], e["gate"], e["blames"]) for e in told],
                         [("repair-1", "together", "b")])  # fmt: skip
        body = self.repo.git("log", "-1", "--format=%B", self.branch)
        self.assertIn("Repair together\n", body)
        self.assertIn("Director-Repairs: together\n", body)
        status = self.ends(0, "status", "--json").json["nodes"]["repair-1"]
        self.assertEqual(status["repairs"], "together")
        page = self.ends(0, "status", "--node", "repair-1").in_one_line
        self.assertIn("repairs   integration gate together, turned red by the merge of b", page)

    def test_its_receipt_has_the_gate_and_all_frozen_tests(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        receipt = self.receipt()
        self.assertEqual(receipt.repairs, "together")
        ran = [(run.purpose, run.command) for run in receipt.gates]
        tests = [(f"tests.{name}", f"sh tests/{name}.sh") for name in "ab"]
        self.assertEqual(ran, [("candidate", TOGETHER), ("again", TOGETHER), *tests])

    def test_it_is_told_how_the_gate_fails_and_what_the_blamed_merge_did(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        (prompt,) = self.prompts()
        self.assertTrue(prompt.startswith("# Repair\n\nNode: repair-1\n"), prompt)
        for said in ("spoiled twice", "b.txt holds the word good", "+++ b/b.extra", "- a.extra",
                     "- tests/a.sh", "- tests/b.sh", TOGETHER):  # fmt: skip
            self.assertIn(said, prompt)
        self.assertNotIn("+++ b/a.extra", prompt)

    def test_tests_of_a_node_that_a_later_merge_broke_are_repaired(self) -> None:
        self.configure()
        apart = 'grep -q good a.txt && test ! -s b.extra || { echo "no good a"; exit 1; }\n'
        self.plan(*self.nodes(), tests={"a": apart})
        self.implement("a")
        self.implement("b", write("b.txt", "good\n"), write("b.extra", "spoiled\n"), say("done"))
        self.repair(write("b.extra", ""), say("done"))
        done = self.ends(0, "run", "--json").json
        self.assertIs(done["integration_ok"], True)
        self.assertEqual(self.receipt().repairs, "tests of a")
        self.assertEqual(self.planned()["repairs"]["tests"], ["tests/a.sh"])
        self.ends(0, "verify", "--rerun")

    def test_a_second_gate_takes_a_second_repair(self) -> None:
        other = "! grep -q spoiled b.extra"
        self.prepare("repair_attempts = 2", together=TOGETHER, other=other)
        self.repair(write("a.extra", "clean\n"), say("done"))
        self.repair(name="repair-2")
        self.assertIs(self.ends(0, "run", "--json").json["integration_ok"], True)
        gates = [self.receipt(f"repair-{number}").repairs for number in (1, 2)]
        self.assertEqual(gates, ["together", "other"])
        self.assertEqual(self.planned("repair-2")["depends_on"], ["repair-1"])
        self.ends(0, "verify")

    def test_a_gate_that_is_green_by_then_costs_nothing(self) -> None:
        trace = self.tmp / "trace"
        trace.write_text("")
        healed = f'test "$({SPOILED})" -lt 2 || test "$(wc -l < {trace})" -ge 2'
        self.prepare(together=f"{healed} || {{ echo x >> {trace}; exit 1; }}")
        done = self.ends(0, "run", "--json").json
        self.assertIs(done["integration_ok"], True)
        self.assertEqual(self.prompts(), [])
        self.assertIsNone(self.receipt().tier)
        self.ends(0, "verify")


class TestNotRepaired(RepairCase):
    def test_a_repair_that_fails_is_explained_with_what_comes_next(self) -> None:
        done = self.fails("--json").json
        self.assertEqual(
            (done["reason"], done["integration_ok"], done["failed"]), ("node_failed", False, 1)
        )
        self.assertIn("the integration gate together is red, and repair-1 failed to repair it "
                      "(executor 2 attempts, escalation 1 attempt)", done["what"])  # fmt: skip
        self.assertEqual(done["next_command"][:3], ["director", "run", "--retry-failed"])
        screen = self.ends(0, "status").in_one_line
        for said in ("the integration gate is red (together), and repair failed", "✗ repair-1",
                     "3 attempts: executor, executor, escalation", "✗ together", "spoiled twice",
                     "turned red by the merge of b", "director run --retry-failed"):  # fmt: skip
            self.assertIn(said, screen)
        self.assertEqual(self.on_branch("b.extra"), "spoiled")

    def test_no_other_repair_is_made_until_it_is_tried_again(self) -> None:
        self.fails()
        calls = len(self.fake.calls())
        self.ends(1, "run")
        self.assertEqual(len(self.fake.calls()), calls)
        self.assertEqual(len(self.stored("plan.json")["nodes"]), 3)
        self.repair()
        self.ends(0, "run", "--retry-failed")
        self.ends(0, "verify", "--rerun")

    def test_what_makes_the_gate_green_at_the_cost_of_a_test_does_not_merge(self) -> None:
        self.prepare()
        self.repair(write("b.extra", "clean\n"), write("a.txt", "bad\n"), say("done"))
        self.repair(write("a.txt", "good\n"), say("done"))
        self.ends(0, "run")
        first = self.node_state("repair-1")["tries"][0]
        self.assertEqual((first["outcome"], first["failure"]["command"]),
                         ("red", "sh tests/a.sh"))  # fmt: skip
        self.assertEqual(self.on_branch("a.txt"), "good")

    def test_none_where_the_configuration_wants_none(self) -> None:
        self.prepare("repair_attempts = 0")
        done = self.ends(1, "run", "--json").json
        self.assertEqual((done["reason"], done["n_nodes"]), ("integration_red", 2))
        self.assertIn("turned red by the merge of b", done["what"])

    def test_none_for_a_gate_that_blames_no_merge(self) -> None:
        seen = self.tmp / "seen"
        flaky = f"test ! -e a.txt || test -e {seen} || {{ touch {seen}; exit 1; }}"
        self.prepare(flaky=flaky, before="exit 3")
        done = self.ends(1, "run", "--json").json
        self.assertEqual((done["n_nodes"], done["reason"]), (2, "integration_red"))

    def test_the_ceiling_holds_for_it(self) -> None:
        self.prepare("cost_ceiling_usd = 1")
        config = (self.home / "config.toml").read_text()
        planned = sum(one["cost"] for one in self.lines("costs.jsonl"))
        enough = f"cost_ceiling_usd = {planned + 0.00245:.6f}"  # for the calls of a and b
        (self.home / "config.toml").write_text(config.replace("cost_ceiling_usd = 1", enough))
        self.repair()
        self.ends(3, "run")
        self.assertEqual(self.node_state("repair-1")["status"], "pending")
        (self.home / "config.toml").write_text(config)
        self.repair()
        self.ends(0, "run")


class TestContinued(RepairCase):
    def test_a_run_that_was_killed_continues_the_repair(self) -> None:
        self.prepare()
        there = self.tmp / "there"
        self.repair(mark(there), hang())
        self.kill_at(there, "run")
        self.repair()
        self.ends(0, "run")
        self.assertEqual(self.node_state("repair-1")["repairs"], "together")
        self.assertEqual(len([n for n in self.stored("plan.json")["nodes"] if "repairs" in n]), 1)
        self.ends(0, "verify")

    def test_one_that_only_the_seal_has_is_taken_from_there(self) -> None:
        self.fails()
        plan = self.stored("plan.json")
        plan["nodes"].pop()
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.repair()
        self.ends(0, "run", "--retry-failed")
        self.assertEqual(self.planned()["id"], "repair-1")

    def test_a_failed_one_can_be_amended(self) -> None:
        self.fails()
        self.ends(0, "amend", "repair-1")
        plan = self.stored("plan.json")
        plan["nodes"][2]["spec"] = "Leave a alone: clean b.extra"
        (self.home / "plan.json").write_text(json.dumps(plan))
        self.ends(0, "amend", "repair-1", "--continue")
        self.repair()
        self.ends(0, "run")
        self.assertIn("Leave a alone", self.prompts()[-1])
        self.ends(0, "verify")

    def test_a_person_can_do_it(self) -> None:
        self.fails()
        worktree = Path(self.ends(0, "take", "repair-1", "--json").json["worktree"])
        (worktree / "b.extra").write_text("clean\n")
        self.ends(0, "give", "repair-1")
        self.assertIs(self.ends(0, "run", "--json").json["integration_ok"], True)
        self.assertEqual(self.receipt().tier, "human")
        self.ends(0, "verify")

    def test_it_is_carried_to_a_base_that_moved_on(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        self.repo.write("README", "hello again\n")
        self.repo.commit("meanwhile")
        self.ends(0, "rebase", "--yes")
        self.assertEqual(self.receipt().repairs, "together")
        self.assertEqual(self.on_branch("b.extra"), "clean")
        self.ends(0, "verify", "--rerun")


class TestForged(RepairCase):
    """Only a run makes repairs: a node that has no tests of its own is not for others to add."""

    def forged(self, **changes: Any) -> None:
        plan = self.stored("plan.json")
        repairs = {"gate": "lint", "blames": "a", "tests": [], "contract": []}
        forged = {"id": "repair-1", "test_cmd": "true", "tests": [], "test_hashes": {},
                  "repairs": repairs, "depends_on": ["b"]}  # fmt: skip
        plan["nodes"].append(plan["nodes"][0] | forged | changes)
        (self.home / "plan.json").write_text(json.dumps(plan))

    def test_one_that_was_written_into_the_plan_does_not_run(self) -> None:
        self.prepare()
        self.forged()
        done = self.ends(2, "run", "--json").json
        self.assertIn("node repair-1 is new", done.get("error") or done["what"])
        done = self.ends(2, "plan", "--continue", "--json").json
        self.assertIn("only director may do", done.get("error") or done["what"])
        self.assertEqual(self.prompts(), [])

    def test_nor_one_without_what_makes_it_a_repair(self) -> None:
        self.prepare()
        self.forged(repairs=None)
        done = self.ends(2, "run", "--json").json
        self.assertIn('"tests" is empty', done.get("error") or done["what"])

    def test_its_checks_are_under_the_seal(self) -> None:
        self.fails()
        plan = self.stored("plan.json")
        plan["nodes"][2]["repairs"]["contract"] = []
        (self.home / "plan.json").write_text(json.dumps(plan))
        done = self.ends(2, "run", "--retry-failed", "--json").json
        self.assertIn("node repair-1: repairs", done.get("error") or done["what"])
        self.ends(2, "amend", "repair-1", "--continue")
        self.assertEqual(self.ends(2, "plan", "--continue").code, 2)

    def test_verify_demands_the_run_of_every_check(self) -> None:
        self.prepare()
        self.repair()
        self.ends(0, "run")
        lines = self.lines("receipts.jsonl")
        repaired = lines[-1]
        for lost in ("tests.a", "candidate again"):
            with self.subTest(lost=lost):
                gates = [run for run in repaired["gates"] if run["purpose"] not in lost]
                self.assertIn("the gate runs", self.told_of({**repaired, "gates": gates}))
        self.assertIn("what it repairs", self.told_of({**repaired, "repairs": ""}))

    def told_of(self, receipt: dict[str, Any]) -> str:
        """Put another last receipt on record; return what ``verify`` says of it."""
        lines = [*self.lines("receipts.jsonl")[:-1], receipt]
        (self.home / "receipts.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in lines))
        return str(self.ends(1, "verify", "--json").json["what"])


if __name__ == "__main__":
    unittest.main()
