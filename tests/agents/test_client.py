"""A role is asked within the ceiling, on record, and with patience for providers only.

With it: ``calls``, ``transcript``.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from director.agents.calls import Assignment, Outcome, Reply, Spending
from director.agents.client import (
    FIRST_PAUSE_SECS,
    LONGEST_PAUSE_SECS,
    AgentClient,
    interruptible_sleep,
    pause_secs,
    unpriced_models,
)
from director.agents.transcript import Fault, FaultKind, Finish, ToolKind, ToolUse, Transcript
from director.model.config import Config, Limits
from director.model.errors import InterruptedRunError, RequestError, StoppedError
from director.model.pricing import Price
from director.model.roles import Agent, Role
from director.model.usage import Tokens
from director.processes.cancellation import Cancellation
from director.records.call_notes import CallNote, CallNotes
from director.records.events import Event, Events, Kind
from director.records.ledger import Ledger, read_calls
from tests.support.hermetic import TemporaryCase

MILLION = Tokens(input=1_000_000)
Act = Callable[[Spending], None]


def transcript(tokens: Tokens = MILLION, kind: FaultKind | None = None) -> Transcript:
    faults = [Fault("APIError", "down", 503, kind)] if kind else []
    return Transcript(tokens=tokens, faults=faults, last_finish=Finish.DONE)


def kind_of(said: Transcript) -> FaultKind:
    return said.faults[-1].kind if said.faults else FaultKind.TRANSIENT


class FakeCaller:
    """Gives the replies it was made with, one after another."""

    def __init__(
        self, *replies: tuple[Outcome, Transcript], act: Act | None = None, looks: int = 0
    ) -> None:
        self.replies = list(replies)
        self.looks = looks
        self.asked: list[Assignment] = []
        self.act = act

    def versions(self) -> dict[str, str]:
        return {"fake": "1"}

    def prepare(self, role: Role) -> None:
        pass

    def check(self, worktree: Path) -> None:
        pass

    def new_log(self, name: str) -> Path:
        return Path(f"/logs/{name}-{len(self.asked)}.jsonl")

    def recall(self, events: Path, _tier: str) -> Reply:
        outcome, said = self.replies.pop(0)
        return Reply(outcome, said, "the reason", 0.0, events, kind_of(said))

    def call(self, assignment: Assignment, spending: Spending, events: Path) -> Reply:
        self.asked.append(assignment)
        outcome, said = self.replies.pop(0)
        spending(said)
        for _ in range(self.looks):
            assignment.look(said)
        if self.act:
            self.act(spending)
        reason = "" if outcome is Outcome.COMPLETED else "the reason"
        return Reply(outcome, said, reason, 1.5, events, kind_of(said))


class ClientCase(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.cancellation = Cancellation()
        self.heard: list[Event] = []
        self.pauses: list[float] = []
        self.costs = self.tmp / "costs.jsonl"
        self.limits = Limits(provider_retries=2)
        self.pricing = {"p/m": Price(1.0, 1.0)}
        self.assignment = Assignment(
            Agent.EXECUTOR, Role.EXECUTOR, "", self.tmp, "x", node="a", attempt=2
        )

    def agents(self, caller: FakeCaller) -> AgentClient:
        config = Config(dict.fromkeys(Role, "p/m"), pricing=self.pricing, limits=self.limits)
        self.ledger = Ledger(self.costs, self.limits.cost_ceiling_usd)
        events = Events([self.heard.append])
        self.notes = CallNotes(self.tmp / "calls")
        pause = self.pauses.append
        return AgentClient(
            caller, config, self.ledger, self.notes, events, self.cancellation, pause
        )

    def kinds(self) -> list[Kind]:
        return [event.kind for event in self.heard]


class TestAsking(ClientCase):
    def test_a_reply_is_recorded_and_told(self) -> None:
        reply = self.agents(FakeCaller((Outcome.COMPLETED, transcript()))).ask(self.assignment)
        self.assertEqual(reply.outcome, Outcome.COMPLETED)
        (call,) = read_calls(self.costs)
        self.assertEqual(
            (call.role, call.model, call.node, call.attempt), ("executor", "p/m", "a", 2)
        )
        self.assertEqual((call.cost, call.cost_source, call.ok), (1.0, "priced", True))
        self.assertEqual(call.tokens, MILLION)
        self.assertEqual(self.kinds(), [Kind.CALL_STARTED, Kind.CALL_ENDED])
        self.assertEqual(self.heard[1].data["cost"], 1.0)
        self.assertEqual({event.node for event in self.heard}, {"a"})

    def test_the_models_own_doing_is_handed_back_and_counts(self) -> None:
        for outcome in (
            Outcome.COMPLETED,
            Outcome.INCOMPLETE,
            Outcome.TIMED_OUT,
            Outcome.CONTEXT_TOO_LONG,
        ):
            caller = FakeCaller((outcome, transcript()))
            self.assertEqual(self.agents(caller).ask(self.assignment).outcome, outcome)
            self.assertEqual(read_calls(self.costs)[-1].ok, outcome is Outcome.COMPLETED)
        self.assertEqual((len(read_calls(self.costs)), self.pauses), (4, []))

    def test_a_priced_call_without_counts_is_unknown(self) -> None:
        said = transcript()
        said.add_finish(Finish.DONE, None, 0.0)
        self.agents(FakeCaller((Outcome.COMPLETED, said))).ask(self.assignment)
        call = read_calls(self.costs)[0]
        self.assertEqual((call.cost, call.cost_source), (None, "unknown"))
        self.assertEqual(call.tokens, MILLION)

    def test_what_a_call_has_cost_so_far_does_not_fall_when_the_counts_stop(self) -> None:
        self.limits = Limits(provider_retries=0, cost_ceiling_usd=0.5)
        said, ends = transcript(), []

        def act(spending: Spending) -> None:
            said.add_finish(Finish.TOOL_CALLS, None, 0.0)
            ends.append(spending(said))

        self.agents(FakeCaller((Outcome.COMPLETED, said), act=act)).ask(self.assignment)
        self.assertEqual(ends, ["the cost ceiling is reached"])

    def test_an_unpriced_model_is_unknown(self) -> None:
        self.pricing = {}
        self.agents(FakeCaller((Outcome.COMPLETED, transcript()))).ask(self.assignment)
        self.assertIsNone(read_calls(self.costs)[0].cost)
        self.assertIsNone(self.heard[-1].data["cost"])


class TestProgress(ClientCase):
    def test_what_an_agent_does_is_told_while_its_call_runs(self) -> None:
        said = transcript()
        said.add_tool(ToolUse(ToolKind.EDIT, "Edit", paths=(f"{self.tmp}/src/a.py",)))
        caller = FakeCaller((Outcome.COMPLETED, said), looks=3)
        self.agents(caller).ask(self.assignment)
        self.assertEqual(self.kinds(), [Kind.CALL_STARTED, Kind.CALL_PROGRESS, Kind.CALL_ENDED])
        told = self.heard[1]
        self.assertEqual((told.node, told.data["attempt"], told.data["role"]), ("a", 2, "executor"))
        self.assertEqual((told.data["tool"], told.data["argument"]), ("edit", "src/a.py"))
        self.assertEqual((told.data["cost"], told.data["tokens"]), (1.0, 1_000_000))

    def test_what_has_no_price_is_told_without(self) -> None:
        self.pricing = {}
        said = transcript()
        said.add_tool(ToolUse(ToolKind.OTHER, "read", subject="x"))
        self.agents(FakeCaller((Outcome.COMPLETED, said), looks=1)).ask(self.assignment)
        self.assertIsNone(self.heard[1].data["cost"])


class TestPatience(ClientCase):
    def test_provider_faults_are_recorded_told_and_tried_again(self) -> None:
        caller = FakeCaller(
            (Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT)),
            (Outcome.AGENT_FAULT, transcript(Tokens())),
            (Outcome.COMPLETED, transcript()),
        )
        reply = self.agents(caller).ask(self.assignment)
        self.assertEqual(reply.outcome, Outcome.COMPLETED)
        self.assertEqual([call.ok for call in read_calls(self.costs)], [False, False, True])
        self.assertEqual([call.cost for call in read_calls(self.costs)], [1.0, 0.0, 1.0])
        self.assertEqual(self.kinds().count(Kind.PROVIDER_FAULT), 2)
        self.assertEqual([one.attempt for one in caller.asked], [2, 2, 2])
        self.assertEqual(len(self.pauses), 2)

    def test_faults_that_last_stop_the_run_and_spend_no_more(self) -> None:
        caller = FakeCaller(*[(Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT))] * 5)
        with self.assertRaises(StoppedError) as caught:
            self.agents(caller).ask(self.assignment)
        self.assertEqual((len(caller.asked), len(self.pauses)), (3, 2))
        self.assertEqual(caught.exception.what, "provider fault with p/m: the reason")
        self.assertIn("/logs/x-2.jsonl", caught.exception.next_step)  # there is no other
        self.assertTrue(caught.exception.next_step.startswith("wait, then run the command again"))
        self.assertEqual(len(read_calls(self.costs)), 3)

    def test_no_retries_when_none_are_wanted(self) -> None:
        self.limits = Limits(provider_retries=0)
        caller = FakeCaller((Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT)))
        with self.assertRaises(StoppedError):
            self.agents(caller).ask(self.assignment)
        self.assertEqual(self.pauses, [])

    def test_a_request_that_is_refused_is_not_repeated(self) -> None:
        for kind, error in (
            (FaultKind.PERMANENT, StoppedError),
            (FaultKind.UNKNOWN_MODEL, RequestError),
        ):
            caller = FakeCaller((Outcome.PROVIDER_FAULT, transcript(kind=kind)))
            with self.assertRaises(error):
                self.agents(caller).ask(self.assignment)
        self.assertEqual(self.pauses, [])
        faulty = (Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT))
        self.agents(FakeCaller(faulty, (Outcome.COMPLETED, transcript()))).ask(self.assignment)
        self.assertEqual(len(self.pauses), 1)

    def test_a_signal_during_a_pause_ends_the_patience(self) -> None:
        caller = FakeCaller(*[(Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT))] * 5)
        client = self.agents(caller)._replace(
            pause=lambda _secs: self.cancellation.cancel(signal.SIGTERM)
        )
        with self.assertRaises(InterruptedRunError):
            client.ask(self.assignment)
        self.assertEqual(len(caller.asked), 1)


class TestEnds(ClientCase):
    def test_no_model_is_asked_after_a_signal(self) -> None:
        self.cancellation.cancel(signal.SIGINT)
        caller = FakeCaller()
        with self.assertRaises(InterruptedRunError) as caught:
            self.agents(caller).ask(self.assignment)
        self.assertEqual((caught.exception.exit_code, caller.asked), (130, []))

    def test_a_call_that_was_cancelled_is_on_record(self) -> None:
        self.cancellation.signal_number = None
        caller = FakeCaller(
            (Outcome.CANCELLED, transcript()),
            act=lambda _spending: self.cancellation.cancel(signal.SIGTERM),
        )
        with self.assertRaises(InterruptedRunError) as caught:
            self.agents(caller).ask(self.assignment)
        self.assertEqual(caught.exception.exit_code, 143)
        self.assertEqual([call.cost for call in read_calls(self.costs)], [1.0])

    def test_no_model_is_asked_when_the_money_is_used_up(self) -> None:
        self.limits = Limits(cost_ceiling_usd=1.0)
        self.agents(FakeCaller((Outcome.COMPLETED, transcript()))).ask(self.assignment)
        caller = FakeCaller()
        with self.assertRaisesRegex(StoppedError, r"\$1.0000 of \$1.0000"):
            self.agents(caller).ask(self.assignment)
        self.assertEqual(caller.asked, [])

    def test_a_retry_is_a_call_that_the_ceiling_may_forbid(self) -> None:
        self.limits = Limits(cost_ceiling_usd=1.0)
        caller = FakeCaller(*[(Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.TRANSIENT))] * 5)
        with self.assertRaisesRegex(StoppedError, "ceiling"):
            self.agents(caller).ask(self.assignment)
        self.assertEqual(len(caller.asked), 1)

    def test_a_call_over_the_ceiling_is_told_so_while_it_streams(self) -> None:
        self.limits = Limits(cost_ceiling_usd=1.5)
        said: list[str | None] = []

        def act(spending: Spending) -> None:
            said.append(spending(transcript(Tokens(input=1_500_000))))
            said.append(spending(transcript(Tokens(input=1_500_001))))

        caller = FakeCaller((Outcome.OVER_BUDGET, transcript(Tokens(input=2_000_000))), act=act)
        with self.assertRaisesRegex(StoppedError, r"\$2.0000 of \$1.5000"):
            self.agents(caller).ask(self.assignment)
        self.assertEqual(said, [None, "the cost ceiling is reached"])

    def test_other_calls_under_way_count_too(self) -> None:
        self.limits = Limits(cost_ceiling_usd=1.5)
        said: list[str | None] = []
        caller = FakeCaller((Outcome.COMPLETED, transcript()))
        client = self.agents(caller)
        caller.act = lambda spending: said.append(spending(transcript()))
        with self.ledger.running() as other:
            other.set(0.75)
            client.ask(self.assignment)
        self.assertEqual(said, ["the cost ceiling is reached"])

    def test_a_recorded_call_is_not_under_way_any_more(self) -> None:
        self.limits = Limits(cost_ceiling_usd=1.5)
        over: list[bool] = []
        caller = FakeCaller((Outcome.COMPLETED, transcript()))
        client = self.agents(caller)
        events = Events([lambda _event: over.append(self.ledger.over_ceiling())])
        client._replace(events=events).ask(self.assignment)
        self.assertEqual(over, [False, False])


class TestRecalled(ClientCase):
    def recalled(
        self, outcome: Outcome, noted: Outcome | None = None, cwd: str = ""
    ) -> Reply | None:
        """Return what comes of a call that a killed run had noted."""
        client = self.agents(FakeCaller((outcome, transcript())))
        note = CallNote("x", "/logs/killed.jsonl", cwd or str(self.tmp), {}, noted, "noted")
        self.notes.begin(note)
        return client.recalled(self.assignment)

    def test_nothing_was_noted(self) -> None:
        self.assertIsNone(self.agents(FakeCaller()).recalled(self.assignment))

    def test_a_call_is_noted_before_it_starts_and_when_it_ended(self) -> None:
        seen: list[CallNote | None] = []
        caller = FakeCaller((Outcome.INCOMPLETE, transcript()))
        client = self.agents(caller)
        caller.act = lambda _spending: seen.append(self.notes.get("x"))
        client.ask(self.assignment._replace(memo={"base": "c0ffee"}))
        expected = CallNote(
            "x", "/logs/x-0.jsonl", str(self.tmp), {"base": "c0ffee"}, model="p/m", writes=True,
            role="executor", node="a", attempt=2,
        )  # fmt: skip
        self.assertEqual(seen, [expected])
        after = expected._replace(outcome=Outcome.INCOMPLETE, reason="the reason")
        self.assertEqual(self.notes.get("x"), after)

    def test_how_it_ended_is_noted_before_its_cost_is_on_record(self) -> None:
        caller = FakeCaller((Outcome.TIMED_OUT, transcript()))
        client = self.agents(caller)
        caller.act = lambda _spending: self.costs.mkdir()  # as if killed before that
        with self.assertRaises(StoppedError):
            client.ask(self.assignment)
        note = self.notes.get("x")
        assert note is not None
        self.assertEqual(note.outcome, Outcome.TIMED_OUT)

    def test_what_a_fault_left_is_of_no_use(self) -> None:
        faults = [(Outcome.PROVIDER_FAULT, transcript(kind=FaultKind.PERMANENT))]
        with self.assertRaises(StoppedError):
            self.agents(FakeCaller(*faults)).ask(self.assignment)
        note = self.notes.get("x")
        assert note is not None
        self.assertEqual((note.cwd, note.writes), ("", False))

    def test_the_calls_of_a_killed_run_are_on_record_whoever_asks_for_them(self) -> None:
        client = self.agents(FakeCaller((Outcome.COMPLETED, transcript())))
        client.note(self.assignment, "/logs/killed.jsonl")
        client.note(self.assignment._replace(name="to come"))
        for _ in range(2):
            client.bill_left()
        (call,) = read_calls(self.costs)
        self.assertEqual((call.role, call.node, call.attempt, call.ok), ("executor", "a", 2, True))
        note = self.notes.get("x")
        assert note is not None
        self.assertTrue(note.writes)

    def test_what_was_cut_short_by_a_kill_is_on_record_and_of_no_use(self) -> None:
        client = self.agents(FakeCaller((Outcome.INCOMPLETE, transcript())))
        client.note(self.assignment, "/logs/killed.jsonl")
        client.bill_left()
        self.assertEqual([call.ok for call in read_calls(self.costs)], [False])
        note = self.notes.get("x")
        assert note is not None
        self.assertFalse(note.writes)

    def test_a_completed_call_is_used_and_paid_for_once(self) -> None:
        reply = self.recalled(Outcome.COMPLETED)
        assert reply is not None
        self.assertEqual(reply.outcome, Outcome.COMPLETED)
        self.assertIsNotNone(self.recalled(Outcome.COMPLETED))
        (call,) = read_calls(self.costs)
        self.assertEqual((call.cost, call.log), (1.0, "logs/killed.jsonl"))

    def test_a_call_that_was_cut_short_is_paid_for_and_made_again(self) -> None:
        self.assertIsNone(self.recalled(Outcome.INCOMPLETE))
        self.assertEqual([call.ok for call in read_calls(self.costs)], [False])

    def test_an_ending_that_director_saw_counts(self) -> None:
        reply = self.recalled(Outcome.INCOMPLETE, Outcome.TIMED_OUT)
        assert reply is not None
        self.assertEqual((reply.outcome, reply.reason), (Outcome.TIMED_OUT, "noted"))
        self.assertIsNone(self.recalled(Outcome.INCOMPLETE, Outcome.PROVIDER_FAULT))

    def test_what_an_agent_wrote_counts_only_where_it_wrote(self) -> None:
        self.assertIsNone(self.recalled(Outcome.COMPLETED, cwd="/elsewhere"))
        self.assignment = self.assignment._replace(agent=Agent.REVIEWER)
        self.assertIsNotNone(self.recalled(Outcome.COMPLETED, cwd="/elsewhere"))


class TestPauses(ClientCase):
    def test_pauses_grow_within_bounds(self) -> None:
        self.assertEqual(pause_secs(0, 0.0), FIRST_PAUSE_SECS / 2)
        self.assertEqual([pause_secs(n, 0.0) for n in range(3)], [2.0, 4.0, 8.0])
        for retry in (10, 100, 1000, 10_000):
            self.assertEqual(pause_secs(retry, 0.0), LONGEST_PAUSE_SECS / 2)
            self.assertLessEqual(pause_secs(retry, 0.999), LONGEST_PAUSE_SECS)
        self.assertGreater(pause_secs(0, 0.9), pause_secs(0, 0.1))

    def test_a_cancellation_ends_a_pause(self) -> None:
        self.cancellation.cancel(signal.SIGINT)
        interruptible_sleep(self.cancellation)(3600.0)
        interruptible_sleep(Cancellation())(0.0)

    def test_unpriced_models(self) -> None:
        tiers = {**dict.fromkeys(Role, "p/m"), Role.PLANNER: "p/x", Role.REVIEWER: "p/x"}
        config = Config(tiers, pricing=self.pricing)
        self.assertEqual(unpriced_models(config), {"p/x": ["planner", "reviewer"]})
