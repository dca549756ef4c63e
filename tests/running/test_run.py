"""A run as a user sees it: run.py, and what it is made of.

That is node.py, node_work.py, node_record.py, examining.py, node_gates.py, merging.py, believing.py
and metrics.py. Of control_run.py see tests/faults/test_environment.py.

With it: ``examining``, ``running.metrics``, ``node_gates``, ``node_record``, ``node_work``.
"""

from __future__ import annotations

from typing import Any

from tests.support.fake_opencode import (
    answer,
    exit_with,
    finish,
    mark,
    say,
    shell,
    wait_for,
    write,
)
from tests.support.jobs import NO_REPAIR, JobCase, node

BLOCK: dict[str, Any] = {
    "verdict": "block",
    "summary": "it cheats",
    "findings": [{"file": "a.txt", "problem": "hard-coded"}],
}
CRITICAL: dict[str, Any] = {
    "summary": "it cheats",
    "findings": [{"severity": "critical", "file": "a.txt", "problem": "hard-coded"}],
}
PASS: dict[str, Any] = {"summary": "fine", "findings": []}


class TestOneNode(JobCase):
    def test_done_at_the_first_attempt(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        done = self.ends(0, "run")
        self.assertIn("director land", done.out)
        state = self.node_state("a")
        self.assertEqual(
            (state["status"], state["tier_used"], state["attempts"]), ("done", "executor", 1)
        )
        self.assertEqual(state["watch_it_fail"], "observed")
        self.assertEqual(self.on_branch("a.txt"), "good")
        trailers = self.repo.git("log", "-1", "--format=%(trailers:only)", self.branch)
        for trailer in ("Director-Node: a", "Director-Tier: executor", "Director-Attempts: 1"):
            self.assertIn(trailer, trailers)

    def test_the_executor_is_told_how_the_test_fails_and_what_it_may_change(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        call = self.fake.calls()[-1]
        self.assertIn("no good a", call.prompt)
        self.assertIn("- a.txt", call.prompt)
        rules = call.agents["executor"]["permission"]
        self.assertEqual(call.edit_rules, {"*": "deny", "a.txt": "allow"})
        self.assertEqual((rules["task"], call.config["permission"]["task"]), ("deny", "deny"))
        self.assertEqual(call.env["OPENCODE_DB"], ":memory:")
        self.assertNotIn(str(self.repo.root), str(call.cwd))

    def test_a_red_attempt_is_fed_back_and_tried_again(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        second = self.fake.calls()[-1].prompt
        self.assertIn("Attempt: 2", second)
        self.assertIn("was not accepted", second)
        self.assertEqual(self.node_state("a")["attempts"], 2)

    def test_escalates_after_the_executors_attempts_and_is_reviewed(self) -> None:
        self.plan(node("a"))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.implement("a")
        self.fake.always("reviewer", answer({"verdict": "pass", "summary": "fine", "findings": []}))
        self.ends(0, "run", "--max-attempts", "2")
        models = [c.option("--model") for c in self.fake.calls() if c.heading == "Implement"]
        self.assertEqual(models, ["fake/cheap", "fake/cheap", "fake/big"])
        state = self.node_state("a")
        self.assertTrue(state["escalated"] and state["review_stage_two"])
        self.assertEqual((state["tier_used"], state["review_summary"]), ("escalation", "fine"))

    def test_fails_when_the_escalation_tier_fails_and_blocks_what_depends_on_it(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]), node("c"))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.implement("c")
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("1 of 3 nodes done, 1 failed, 1 blocked.", done.out)
        self.assertIn("b   waits for a (blocked)", done.out)
        statuses = {name: self.node_state(name)["status"] for name in "abc"}
        self.assertEqual(statuses, {"a": "failed", "b": "blocked", "c": "done"})
        self.assertIsNone(self.on_branch("a.txt"))
        self.assertIsNone(self.lines("metrics.jsonl")[-1]["integration_ok"])

    def test_retry_failed_gives_failed_and_blocked_nodes_a_fresh_set(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        for _ in range(2):
            self.implement("a", write("a.txt", "bad\n"))
        self.ends(1, "run", "--max-attempts", "1")
        calls = len(self.fake.calls())
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(len(self.fake.calls()), calls)
        self.implement("a")
        self.implement("b")
        self.ends(0, "run", "--max-attempts", "1", "--retry-failed")
        self.assertEqual(self.node_state("a")["tier_used"], "executor")

    def test_a_node_that_is_green_already_costs_no_call(self) -> None:
        self.plan(node("a", files=["a.txt", "b.txt"]), node("b", files=["c.txt"], depends_on=["a"]))
        self.implement("a", write("a.txt", "good\n"), write("b.txt", "good\n"))
        self.ends(0, "run", "--node", "a")
        before = len(self.fake.calls())
        self.ends(0, "run")
        self.assertEqual(len(self.fake.calls()), before)
        self.assertEqual(self.node_state("b")["attempts"], 0)

    def test_a_gate_that_cannot_start_costs_no_call(self) -> None:
        program = self.tmp / "program"
        program.write_text("#!/bin/sh\nexec sh tests/a.sh\n")
        program.chmod(0o755)
        self.plan(node("a", test_cmd=str(program)))
        program.unlink()
        before = len(self.fake.calls())
        done = self.ends(1, "run")
        self.assertIn("exit code 127, the command could not run", done.out)
        self.assertEqual(len(self.fake.calls()), before)
        self.assertEqual(self.node_state("a")["attempts"], 0)


class TestScope(JobCase):
    def outcome(self) -> str:
        return str(self.node_state("a")["tries"][0]["outcome"])

    def test_an_edited_test_is_a_violated_contract(self) -> None:
        self.plan(node("a"))
        self.implement("a", write("tests/a.sh", "exit 0\n"), write("a.txt", "bad\n"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcome(), "contract_violated")
        self.assertIn("tests/a.sh", self.fake.calls()[-1].prompt)
        self.assertIn("no good a", str(self.on_branch("tests/a.sh")))

    def test_a_committed_change_elsewhere_is_out_of_scope(self) -> None:
        self.plan(node("a"))
        self.implement(
            "a", write("a.txt", "good\n"), shell("echo x > README; git commit -qam sneaky; true")
        )
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.outcome(), "out_of_scope")
        self.assertEqual(self.on_branch("README"), "hello")

    def test_a_stray_cannot_make_the_gate_pass(self) -> None:
        helper = 'test -f helper && grep -q good a.txt || { echo "no good a"; exit 1; }\n'
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", helper), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a", write("a.txt", "good\n"), write("helper", "x"), shell("sh tests/a.sh"))
        self.implement("a", write("a.txt", "good\n"), shell("touch .gitignore helper"))
        self.ends(1, "run", "--max-attempts", "1")
        self.assertEqual(self.node_state("a")["status"], "failed")
        self.assertEqual(self.outcome(), "red")
        self.assertIn("helper", self.fake.calls()[-1].prompt)

    def test_an_ignored_allowlisted_file_is_merged(self) -> None:
        self.repo.write(".gitignore", "a.txt\n")
        self.repo.commit("ignore it")
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        self.assertEqual(self.on_branch("a.txt"), "good")


class ReviewCase(JobCase):
    """Node ``a`` changes so many files that a reviewer reads its diff."""

    def wide(self) -> dict[str, Any]:
        return node("a", files=["a.txt", "b", "c", "d"])

    def work(self, text: str = "good\n") -> list[dict[str, Any]]:
        return [write("a.txt", text), *(write(name, "x") for name in "bcd")]

    def reviews(self) -> int:
        return sum(call.heading == "Review" for call in self.fake.calls())

    def outcomes(self) -> list[str]:
        return [one["outcome"] for one in self.node_state("a")["tries"]]


class TestReviews(ReviewCase):
    def test_a_critical_finding_spends_an_attempt_and_the_rework_is_reviewed_again(self) -> None:
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.implement("a", write("b", "better"))
        self.fake.queue("reviewer", answer(CRITICAL))
        self.fake.queue("reviewer", answer(PASS))
        self.ends(0, "run")
        self.assertEqual(self.reviews(), 2)
        rework = [call for call in self.fake.calls() if call.heading == "Implement"][1].prompt
        self.assertIn("a.txt: hard-coded", rework)
        self.assertIn("is still there", rework)
        self.assertEqual(self.on_branch("b"), "better")
        state = self.node_state("a")
        self.assertEqual((state["status"], state["attempts"]), ("done", 2))
        self.assertEqual((state["review_blocks"], state["review_summary"]), (1, "fine"))
        self.assertEqual(self.outcomes(), ["blocked_by_review", "green"])

    def test_a_node_whose_attempts_the_review_used_up_fails_with_the_findings(self) -> None:
        self.plan(self.wide())
        for _ in range(3):
            self.implement("a", *self.work())
        self.fake.always("reviewer", answer(CRITICAL))
        done = self.ends(1, "run", "--max-attempts", "2")
        self.assertIn("a.txt: hard-coded", done.out)
        self.assertIn("a.txt: hard-coded", self.ends(0, "status").out)
        state = self.node_state("a")
        self.assertEqual((state["status"], state["review_blocks"]), ("failed", 3))
        self.assertIn("a.txt: hard-coded", state["error"])
        self.assertEqual(self.outcomes(), ["blocked_by_review"] * 3)
        models = [c.option("--model") for c in self.fake.calls() if c.heading == "Implement"]
        self.assertEqual(models, ["fake/cheap", "fake/cheap", "fake/big"])
        self.assertIsNone(self.on_branch("a.txt"))

    def test_what_is_not_critical_goes_on_record_and_stops_nothing(self) -> None:
        minor = {"severity": "minor", "file": "b", "problem": "a poor name"}
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.fake.always("reviewer", answer({"summary": "fine but", "findings": [minor]}))
        self.ends(0, "run")
        state = self.node_state("a")
        self.assertEqual((state["attempts"], state["review_blocks"]), (1, 0))
        self.assertEqual(state["review_summary"], "fine but")
        (event,) = [line for line in self.lines("events.jsonl") if line["kind"] == "review"]
        self.assertEqual((event["blocked"], event["findings"]), (False, [minor]))

    def test_a_reviewer_that_gives_no_answer_stops_nothing(self) -> None:
        cut_off = (answer(CRITICAL), finish(reason="length"))
        for steps in ((say("This must be stopped!"),), cut_off):
            with self.subTest(steps[-1]["do"]):
                self.plan(self.wide())
                self.implement("a", *self.work())
                self.fake.queue("reviewer", *steps)
                self.ends(0, "run")
                state = self.node_state("a")
                self.assertEqual((state["review_blocks"], state["attempts"]), (0, 1))
                self.assertIn("no review", state["review_summary"])

    def test_findings_are_not_forgotten_when_the_ceiling_stops_the_run_before_the_rework(
        self,
    ) -> None:
        self.configure("[limits]\ncost_ceiling_usd = 5\n")
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.fake.queue("reviewer", answer(CRITICAL), finish(input=2_000_000))
        self.assertIn("ceiling", self.ends(3, "run").out)
        self.assertEqual(self.outcomes(), ["blocked_by_review"])
        self.configure()
        self.implement("a", write("b", "better"))
        self.fake.queue("reviewer", answer(PASS))
        self.ends(0, "run")
        rework = [call for call in self.fake.calls() if call.heading == "Implement"][1].prompt
        self.assertIn("a.txt: hard-coded", rework)
        self.assertEqual((self.on_branch("a.txt"), self.on_branch("b")), ("good", "better"))
        self.assertEqual(len(self.lines("costs.jsonl")), len(self.fake.calls()))

    def test_the_advisory_check_never_sends_back(self) -> None:
        self.configure("[review]\nstage_one_llm = true\n")
        self.plan(node("a"))
        self.implement("a")
        self.fake.always("explorer", answer(BLOCK), heading="Compliance")
        self.ends(0, "run")
        self.assertEqual(self.node_state("a")["review_blocks"], 0)
        self.assertEqual(self.node_state("a")["review_summary"], "it cheats")


class TestReviewsWithoutVeto(ReviewCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure("[review]\nveto = false\n")

    def test_an_objection_buys_one_rework(self) -> None:
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.implement("a", write("b", "better"))
        self.fake.always("reviewer", answer(BLOCK))
        self.ends(0, "run")
        self.assertEqual(self.reviews(), 1)
        self.assertIn("hard-coded", self.fake.calls()[-1].prompt)
        self.assertEqual(self.on_branch("b"), "better")
        state = self.node_state("a")
        self.assertEqual((state["status"], state["review_blocks"]), ("done", 1))
        self.assertEqual(state["review_summary"], "it cheats")

    def test_an_objection_without_a_veto_spends_no_attempt(self) -> None:
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.implement("a", *self.work("spoiled\n"))
        self.fake.always("reviewer", answer(BLOCK))
        self.ends(0, "run", "--max-attempts", "1")
        self.assertEqual(self.on_branch("a.txt"), "good")
        state = self.node_state("a")
        self.assertEqual((state["status"], state["escalated"]), ("done", False))

    def test_what_was_green_still_merges_after_a_stop_before_the_rework(self) -> None:
        self.configure("[review]\nveto = false\n[limits]\ncost_ceiling_usd = 5\n")
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.fake.queue("reviewer", answer(BLOCK), finish(input=2_000_000))
        self.ends(3, "run")
        self.configure("[review]\nveto = false\n")
        self.implement("a", *self.work("spoiled\n"))
        self.ends(0, "run", "--max-attempts", "1")
        self.assertEqual((self.reviews(), self.on_branch("a.txt")), (1, "good"))

    def test_what_was_objected_to_does_not_merge_when_there_is_a_veto_since(self) -> None:
        self.configure("[review]\nveto = false\n[limits]\ncost_ceiling_usd = 5\n")
        self.plan(self.wide())
        self.implement("a", *self.work())
        self.fake.queue("reviewer", answer(BLOCK), finish(input=2_000_000))
        self.ends(3, "run")
        self.configure()
        for _ in range(2):
            self.implement("a", *self.work("spoiled\n"))
        self.ends(1, "run", "--max-attempts", "2")
        self.assertEqual(self.outcomes(), ["blocked_by_review", "red", "red"])
        self.assertIsNone(self.on_branch("a.txt"))


class TestFlakes(JobCase):
    def test_a_flaky_test_spends_no_attempt_and_does_not_escalate(self) -> None:
        flaky = (
            f"grep -q good a.txt || exit 1; cd {self.tmp}; "
            "test -e seen && rm seen && exit 1; touch seen\n"
        )
        self.script_planning(node("a"))
        self.fake.always("test-author", write("tests/a.sh", flaky), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.implement("a")
        self.implement("a", write("a.txt", "good again\n"))
        done = self.ends(1, "run", "--max-attempts", "1")
        self.assertIn("flaky", done.out)
        state = self.node_state("a")
        self.assertTrue(state["flake_failed"])
        self.assertFalse(state["escalated"])


class TestLanes(JobCase):
    def test_what_merged_while_an_agent_worked_is_in_what_is_gated(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a", wait_for(self.tmp / "b-began"), *self.good_work("a"))
        merged = f"while ! git -C {self.repo.root} show {self.branch}:a.txt; do sleep 0.05; done"
        self.implement("b", mark(self.tmp / "b-began"), shell(merged), *self.good_work("b"))
        self.ends(0, "run", "--parallel", "2")
        gates = [e for e in self.lines("events.jsonl") if e["kind"] == "gate" and e["node"] == "b"]
        self.assertEqual([one["purpose"] for one in gates[-3:]], ["before", "candidate", "again"])
        receipt = self.lines("receipts.jsonl")[-1]
        self.assertEqual(receipt["node"], "b")
        self.assertEqual({run["tree"] for run in receipt["gates"]}, {receipt["tree"]})
        held = self.repo.git("ls-tree", "--name-only", receipt["tree"]).split()
        self.assertLessEqual({"a.txt", "b.txt"}, set(held))
        self.ends(0, "verify", "--rerun")

    def test_a_moved_tip_is_gated_again_on_the_merged_tree_at_most_once_for_each_lane(
        self,
    ) -> None:
        names = ("a", "b", "c")
        self.plan(*map(node, names))
        for mine in names:
            others = [wait_for(self.tmp / other) for other in names]
            self.implement(mine, mark(self.tmp / mine), *others, *self.good_work(mine))
        self.ends(0, "run", "--parallel", "3")
        purposes = [e["purpose"] for e in self.lines("events.jsonl") if e["kind"] == "gate"]
        self.assertLessEqual(purposes.count("merged"), 2)
        self.assertEqual([self.on_branch(f"{name}.txt") for name in names], ["good"] * 3)

    def test_a_merge_that_breaks_goes_back_to_its_executor_without_spending_an_attempt(
        self,
    ) -> None:
        self.script_planning(node("a"), node("b"))
        not_both = (
            "grep -q good b.txt || { echo 'no good b'; exit 1; }\n"
            "if test -f a.txt && ! grep -q together b.txt; then echo apart; exit 1; fi\n"
        )
        self.fake.always("test-author", write("tests/b.sh", not_both), node="b")
        self.ends(0, "plan", "make", "--no-critique")
        self.implement("a", wait_for(self.tmp / "b-began"), *self.good_work("a"))
        merged = f"while ! git -C {self.repo.root} show {self.branch}:a.txt; do sleep 0.05; done"
        self.implement("b", mark(self.tmp / "b-began"), shell(merged), *self.good_work("b"))
        self.implement("b", write("b.txt", "good together\n"))
        self.ends(0, "run", "--parallel", "2", "--max-attempts", "1")
        self.assertIn("apart", self.fake.calls()[-1].prompt)
        state = self.node_state("b")
        self.assertEqual([t["outcome"] for t in state["tries"]], ["green", "collided", "green"])
        self.assertFalse(state["escalated"])


class TestIntegration(JobCase):
    def test_every_gate_runs_on_the_tip_and_red_is_exit_1(self) -> None:
        self.configure(
            NO_REPAIR + '[gates]\ntest = "grep -q good a.txt"\nlint = "test ! -f a.txt"\n'
        )
        self.plan(node("a"))
        self.implement("a")
        done = self.ends(1, "run", "--json")
        verdicts = {gate["name"]: gate["verdict"] for gate in done.json["integration"]}
        self.assertEqual(verdicts, {"test": "green", "lint": "red"})
        self.assertIs(done.json["integration_ok"], False)
        (self.repo.root / ".director" / "config.toml").write_text(
            (self.home / "config.toml").read_text().replace("test ! -f a.txt", "true")
        )
        self.assertIs(self.ends(0, "run", "--json").json["integration_ok"], True)


class TestMoney(JobCase):
    def test_every_call_is_recorded_with_all_kinds_of_tokens(self) -> None:
        self.plan(node("a"))
        self.implement(
            "a",
            *self.good_work("a"),
            finish(input=1000, output=100, cache_read=500, cache_write=50, reasoning=25),
        )
        self.ends(0, "run")
        line = self.lines("costs.jsonl")[-1]
        self.assertEqual(
            (line["role"], line["model"], line["node"]), ("executor", "fake/cheap", "a")
        )
        kinds = ("input", "output", "cache_read", "cache_write", "reasoning")
        self.assertEqual([line[kind] for kind in kinds], [1000, 100, 500, 50, 25])
        self.assertAlmostEqual(line["cost"], (1550 * 1.0 + 125 * 2.0) / 1e6)
        self.assertEqual((line["cost_source"], line["ok"]), ("priced", True))

    def test_an_unpriced_model_is_unknown_and_not_free(self) -> None:
        self.configure(pricing=False)
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        line = self.lines("costs.jsonl")[-1]
        self.assertEqual((line["cost"], line["cost_source"]), (None, "unknown"))
        self.assertIsNone(self.lines("metrics.jsonl")[-1]["cost_total"])
        self.assertIn("5 unpriced", self.ends(0, "status").out)

    def test_the_ceiling_stops_before_a_call_and_the_run_can_go_on(self) -> None:
        self.plan(node("a"), node("b", depends_on=["a"]))
        self.implement("a", *self.good_work("a"), finish(input=2_000_000))
        self.implement("b")
        self.configure("[limits]\ncost_ceiling_usd = 1.5\n")
        done = self.ends(3, "run")
        self.assertIn("ceiling", done.out)
        self.configure("[limits]\ncost_ceiling_usd = 50\n")
        self.ends(0, "run")


class TestRecords(JobCase):
    def test_metrics_have_a_line_per_node_and_one_per_run(self) -> None:
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.implement("b", write("b.txt", "good\n"))
        self.ends(0, "run")
        lines = self.lines("metrics.jsonl")
        self.assertEqual([line["kind"] for line in lines], ["node", "node", "run"])
        by_node = {line["node"]: line for line in lines[:2]}
        self.assertEqual(by_node["a"]["watch_it_fail"]["verdict"], "observed")
        self.assertTrue(by_node["a"]["watch_it_fail"]["observed_failure"])
        self.assertEqual(by_node["b"]["watch_it_fail"]["verdict"], "not_observed")
        run = lines[2]
        self.assertEqual((run["n_nodes"], run["done"], run["executor_tier_pct"]), (2, 2, 100.0))
        self.assertEqual(
            set(run["by_model"]), {f"fake/{m}" for m in ("scout", "strong", "author", "cheap")}
        )

    def test_an_interrupted_node_is_picked_up_again(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n")
        self.plan(node("a"), node("b"))
        self.implement("a")
        self.fake.queue("executor", exit_with(1), node="b")
        self.ends(3, "run")
        self.assertEqual(self.node_state("b")["status"], "pending")
        self.assertEqual(self.node_state("b")["attempts"], 0)
        self.implement("b")
        self.ends(0, "run")
        asked = [call.node for call in self.fake.calls() if call.heading == "Implement"]
        self.assertEqual(asked.count("a"), 1)

    def test_the_branch_is_believed_when_the_state_is_lost(self) -> None:
        self.plan(node("a"))
        self.implement("a")
        self.ends(0, "run")
        (self.home / "state.json").unlink()
        before = len(self.fake.calls())
        self.ends(0, "run")
        self.assertEqual(self.node_state("a")["status"], "done")
        self.assertEqual(len(self.fake.calls()), before)

    def test_only_the_named_nodes_are_worked_on(self) -> None:
        self.plan(node("a"), node("b"), node("c", depends_on=["b"]))
        self.implement("b")
        self.ends(0, "run", "--node", "b")
        self.assertEqual(self.node_state("a")["status"], "pending")
        self.assertIn(
            "waits for", self.ends(2, "run", "--node", "c", "--node", "zz").err + "waits for"
        )
        self.fake.program.unlink()  # what is missing besides is said later
        self.assertIn("node not found: zz", self.ends(2, "run", "--node", "zz").err)
