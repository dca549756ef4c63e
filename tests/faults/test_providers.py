"""A provider or OpenCode itself fails: no attempt is spent, and running again continues."""

from __future__ import annotations

import json

from tests.faults.cases import FaultCase, bad, good
from tests.support.fake_opencode import (
    Step,
    exit_with,
    fail,
    finish,
    hang,
    raw,
    say,
    shell,
    silent_shell,
    stderr,
    write,
)
from tests.support.jobs import Done, node

NO_RETRIES = "[limits]\nprovider_retries = 0\n"
STREAM_ERROR = (
    'level=ERROR time=2026-01-01 message="stream error" error.error="AI_APICallError: overloaded"'
)
EMPTY = finish(reason="unknown", input=0, output=0)


class ProviderCase(FaultCase):
    def setUp(self) -> None:
        super().setUp()
        self.configure(NO_RETRIES)
        self.plan(node("a"))

    def stops(self, *steps: Step, saying: str) -> Done:
        """Let one call fail; demand a clear stop, the call on record, and a resumable node."""
        before = self.executor_calls()
        self.implement("a", *steps)
        done = self.ends(3, "run", "--json")
        self.assertEqual(self.executor_calls(), before + 1)
        self.assertIn(saying, done.json["what"])
        self.assertTrue(done.json["next"])
        self.assertEqual(done.json["exit_code"], 3)
        call = self.lines("costs.jsonl")[-1]
        self.assertEqual((call["role"], call["node"], call["ok"]), ("executor", "a", False))
        state = self.node_state("a")
        self.assertEqual((state["status"], state["attempts"]), ("pending", 0))
        self.assertEqual((state["tries"], state["escalated"]), ([], False))
        return done


class TestCounts(ProviderCase):
    """What a call used is missing, or cannot be."""

    def test_spending_never_falls_and_what_was_not_counted_is_unknown(self) -> None:
        part: dict[str, object] = {"type": "step-finish", "reason": "stop"}
        uncounted = raw(json.dumps({"type": "step_finish", "part": part}))
        before = self.ends(0, "status", "--json").json["cost_total"]
        self.implement("a", *bad(finish(input=-400_000_000)))
        self.implement("a", *bad(uncounted))
        self.implement("a", *good(finish(cost=-1.0)))
        self.ends(0, "run")
        calls = [one for one in self.lines("costs.jsonl") if one["role"] == "executor"]
        self.assertEqual([one["cost"] for one in calls], [None, None, 0.0024])
        self.assertEqual([one["cost_source"] for one in calls], ["unknown", "unknown", "priced"])
        self.assertGreaterEqual(min(one["input"] for one in calls), 0)
        said = self.ends(0, "status", "--json").json
        self.assertEqual((said["cost_total"], said["nodes"]["a"]["cost_usd"]), (None, None))
        spent = sum(group["cost"] for group in said["by_role"].values())
        self.assertAlmostEqual(spent, before + 0.0024)


class TestRefusals(ProviderCase):
    """The provider refuses the request: it is not made again."""

    def test_a_wrong_key_or_address_stops_at_once_and_blames_no_merge(self) -> None:
        self.configure("[limits]\nprovider_retries = 5\n")
        for code, says in ((401, "invalid key"), (404, "no such page"), (402, "no credit")):
            self.stops(fail("APIError", says, code), saying=f"HTTP {code}")
        self.stops(fail("ProviderAuthError", "log in", 403), saying="log in")
        self.is_pending_and_resumable()


class TestOutages(ProviderCase):
    """The provider is down, busy, or sends rubbish."""

    def test_a_provider_that_is_down_stops_the_run_and_the_next_run_goes_on(self) -> None:
        self.stops(fail("APIError", "connection refused"), saying="connection refused")
        self.is_pending_and_resumable()

    def test_quota_overload_and_server_errors_are_never_the_models_fault(self) -> None:
        for code in (429, 500, 503, 529):
            self.stops(fail("APIError", "try later", code), saying=f"HTTP {code}")
        self.stops(
            say("I begin"), fail("UnknownError", "server_error in stream"), saying="server_error"
        )
        self.is_pending_and_resumable()

    def test_an_outage_that_passes_costs_a_pause_and_no_attempt(self) -> None:
        self.configure("[limits]\nprovider_retries = 1\n")
        self.implement("a", finish("tool-calls", input=500), fail("APIError", "overloaded", 529))
        self.implement("a")
        self.ends(0, "run")
        state = self.node_state("a")
        self.assertEqual((state["attempts"], self.outcomes()), (1, ["green"]))
        calls = [line for line in self.lines("costs.jsonl") if line["role"] == "executor"]
        self.assertEqual([call["ok"] for call in calls], [False, True])
        self.assertAlmostEqual(calls[0]["cost"], (500 * 1.0 + 100 * 2.0) / 1e6)
        self.assertAlmostEqual(state["cost_usd"], calls[0]["cost"] + calls[1]["cost"])
        faults = [e for e in self.lines("events.jsonl") if e["kind"] == "provider_fault"]
        self.assertEqual(len(faults), 1)
        self.only_the_work_is_merged()

    def test_what_a_failed_call_cost_is_on_record(self) -> None:
        paid = finish("tool-calls", input=3000, output=200, cache_read=1000)
        self.stops(paid, fail("APIError", "gone", 500), saying="gone")
        call = self.lines("costs.jsonl")[-1]
        self.assertEqual((call["input"], call["output"], call["cache_read"]), (3000, 200, 1000))
        self.assertAlmostEqual(call["cost"], (4000 * 1.0 + 200 * 2.0) / 1e6)

    def test_an_endless_stream_of_empty_answers_is_ended(self) -> None:
        self.stops(*[EMPTY] * 20, hang(), saying="empty answers")
        self.stops(EMPTY, saying="empty answer")
        self.is_pending_and_resumable()

    def test_an_agent_that_retries_for_ever_is_ended(self) -> None:
        self.stops(*[stderr(STREAM_ERROR)] * 4, hang(), saying="overloaded")
        self.is_pending_and_resumable()

    def test_a_provider_that_falls_silent_is_given_up(self) -> None:
        self.configure(f"{NO_RETRIES}stall_timeout_secs = 1\n")
        self.stops(say("let me think"), hang(), saying="no output")
        self.is_pending_and_resumable()

    def test_a_fault_that_the_agent_recovered_from_does_not_count(self) -> None:
        self.implement("a", fail("APIError", "busy", 503), *good(), say("done"), finish())
        self.ends(0, "run")
        self.assertIs(self.lines("costs.jsonl")[-1]["ok"], True)
        self.assertEqual(self.outcomes(), ["green"])
        self.only_the_work_is_merged()


class TestOpenCode(ProviderCase):
    """OpenCode itself fails."""

    def test_a_missing_opencode_is_told_before_anything_is_paid(self) -> None:
        program = self.fake.program
        text = program.read_text()
        program.unlink()
        path = f"{program.parent}:/usr/bin:/bin"
        done = self.ends(2, "run", "--json", env={**self.env, "PATH": path})
        self.assertIn("not on PATH", done.json["error"])
        self.assertFalse((self.home / "state.json").exists())
        program.write_text(text)
        program.chmod(0o755)
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_an_opencode_that_cannot_start_is_not_the_models_fault(self) -> None:
        program = self.fake.program
        text = program.read_text()
        for broken, saying in (("#!/no/such/program\n", "could not be started"), ("exit 3\n", "")):
            program.write_text(broken)
            done = self.ends(3, "run", "--json")
            self.assertIn(saying, done.json["what"])
            self.assertIn("agent fault", done.json["what"])
        program.write_text(text)
        self.is_pending_and_resumable()

    def test_an_unfinished_last_line_is_no_event(self) -> None:
        torn = silent_shell('printf \'{"type":"step_finish","part":\' >> /proc/$PPID/fd/1')
        self.stops(torn, exit_with(0), saying="without an answer")
        self.implement("a", *good(), finish(), torn, exit_with(0))
        self.ends(0, "run")
        self.only_the_work_is_merged()

    def test_an_opencode_that_crashes_in_the_middle_leaves_nothing_ungated(self) -> None:
        step = finish("tool-calls", input=700)
        self.implement("a", *bad(), step, exit_with(137))
        self.implement("a", *good())
        self.director("run")
        self.ends(0, "run")
        self.only_the_work_is_merged()
        calls = [line for line in self.lines("costs.jsonl") if line["role"] == "executor"]
        self.assertEqual((calls[0]["input"], calls[0]["ok"]), (700, False))
        self.assertFalse(self.node_state("a")["escalated"])


class TestAnOpenCodeOfItsOwn(ProviderCase):
    """What a process of its own may do, for one call."""

    server = "off"

    def test_an_opencode_that_crashes_or_says_nothing_is_not_the_models_fault(self) -> None:
        self.stops(exit_with(1), saying="without an answer")
        self.stops(exit_with(0), saying="without an answer")
        self.stops(stderr("Error: bad config"), exit_with(1), saying="bad config")
        self.stops(silent_shell("kill -SEGV $PPID"), saying="without an answer")
        self.is_pending_and_resumable()

    def test_an_agent_that_opencode_does_not_know_is_not_replaced_by_another(self) -> None:
        fallback = stderr('! agent "director-executor" not found. Falling back to default agent')
        self.stops(fallback, *good(), saying="did not know the agent")
        self.nothing_is_merged()
        self.is_pending_and_resumable()


class TestTheModelsOwnDoing(ProviderCase):
    """What the model did itself spends its attempts, and is gated like anything else."""

    def test_a_context_that_is_too_long_escalates_at_once(self) -> None:
        self.implement("a", fail("ContextOverflowError", "prompt is too long"))
        self.implement("a")
        self.fake.always("reviewer", say('{"verdict": "pass", "summary": "", "findings": []}'))
        self.ends(0, "run", "--max-attempts", "3")
        self.assertEqual(self.outcomes(), ["context_too_long", "green"])
        state = self.node_state("a")
        self.assertEqual((state["tier_used"], state["attempts"]), ("escalation", 2))
        self.only_the_work_is_merged()

    def test_an_answer_cut_off_at_the_output_limit_is_gated_as_usual(self) -> None:
        self.implement("a", *bad(), finish("length"))
        self.implement("a", *good(), finish("length"))
        self.ends(0, "run")
        self.assertEqual(self.outcomes(), ["red", "green"])
        self.assertIn("length", self.fake.calls()[-1].prompt)
        self.only_the_work_is_merged()

    def test_a_question_that_could_not_be_answered_is_not_the_models_fault(self) -> None:
        asks = stderr("! permission requested: external_directory (/etc/*); auto-rejecting")
        self.stops(asks, finish("tool-calls"), saying="external_directory")
        self.is_pending_and_resumable()


class TestPlanning(FaultCase):
    """A planning role's provider fails."""

    def test_planning_stops_and_goes_on_where_it_was(self) -> None:
        self.configure(NO_RETRIES)
        self.script_planning(node("a"))
        down = fail("APIError", "overloaded", 529)
        for role in ("explorer", "brainstorm", "planner", "test-author"):
            self.fake.queue(role, finish("tool-calls", input=10), down)
        for _ in range(4):
            done = self.ends(3, "plan", "make a", "--no-critique", "--json")
            self.assertIn("HTTP 529", done.json["error"])
            self.assertEqual(done.json["exit_code"], 3)
        self.ends(0, "plan", "make a", "--no-critique")
        headings = [call.heading for call in self.fake.calls()]
        self.assertEqual(headings, ["Recon", *["Recon", "Spec"], "Spec", "Plan", "Plan", "Tests",
                                    "Tests"])  # fmt: skip
        failed = [line for line in self.lines("costs.jsonl") if not line["ok"]]
        self.assertEqual([line["input"] for line in failed], [10] * 4)
        self.implement("a")
        self.ends(0, "run")
        self.only_the_work_is_merged()


class TestMoney(FaultCase):
    """What things cost stays true."""

    def test_the_ceiling_ends_a_call_while_it_streams_and_the_run_goes_on_later(self) -> None:
        self.plan(node("a"))
        self.configure("[limits]\ncost_ceiling_usd = 1.5\n")
        self.implement("a", finish("tool-calls", input=2_000_000, output=0), hang(stubborn=True))
        done = self.ends(3, "run", "--json")
        self.assertIn("ceiling", done.json["what"])
        call = self.lines("costs.jsonl")[-1]
        self.assertEqual((call["cost"], call["ok"]), (2.0, False))
        self.assertEqual(self.node_state("a")["status"], "pending")
        self.assertIn("ceiling", self.ends(3, "run", "--json").json["what"])
        self.assertEqual(self.executor_calls(), 1)
        self.configure("[limits]\ncost_ceiling_usd = 50\n")
        self.is_pending_and_resumable()

    def test_an_unknown_cost_is_never_shown_as_nothing(self) -> None:
        self.configure("[limits]\nprovider_retries = 0\n", pricing=False)
        self.plan(node("a"))
        self.implement("a", finish("tool-calls", input=900), fail("APIError", "gone", 500))
        done = self.ends(3, "run")
        self.assertIn("5 unpriced", done.out)
        self.assertNotIn("$0", done.out)
        call = self.lines("costs.jsonl")[-1]
        self.assertEqual((call["cost"], call["cost_source"]), (None, "unknown"))
        self.implement("a", write("a.txt", "good\n"), shell("true"), raw("{}"))
        said = self.ends(0, "run", "--json").json
        self.assertEqual((said["cost_total"], said["cost_known"]), (None, 0))
        self.assertEqual(said["unpriced_calls"], 6)
        self.assertIsNone(self.lines("metrics.jsonl")[-1]["cost_total"])
        self.assertIsNone(self.node_state("a")["cost_usd"])
        self.assertIn("6 unpriced", self.ends(0, "status").out)
