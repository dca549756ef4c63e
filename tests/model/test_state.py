"""What ``state.json`` and ``costs.jsonl`` hold comes back as it was.

With it: the words for who did it (``roles``), and why it failed (``failure``).
"""

import json
import math
import unittest

from director.model.codec.encoding import encode
from director.model.codec.mistakes import MismatchError
from director.model.errors import RequestError
from director.model.failure import Failure
from director.model.roles import Role, Tier
from director.model.state import (
    Attempt,
    AttemptOutcome,
    CallRecord,
    NodeState,
    NodeStatus,
    RunState,
    WatchVerdict,
)
from director.model.usage import Tokens

FAILURE = Failure(
    "red",
    "sh t.sh",
    1,
    "t: 2 != 3",
    "line\nt: 2 != 3",
    "logs/a.1.gate.log",
    "attempts/a/1",
    "it may not write x",
)
FULL = NodeState(
    status=NodeStatus.DONE,
    attempts=2,
    tier_used=Tier.ESCALATION,
    model_used="p/m",
    escalated=True,
    tokens=1234,
    cost_usd=None,
    error="no",
    review_stage_two=True,
    review_blocks=1,
    review_summary="fine",
    wall_secs=1.5,
    watch_it_fail=WatchVerdict.OBSERVED,
    flake_failed=True,
    commit="c0ffee",
    past_attempts=(
        Attempt(Role.EXECUTOR, AttemptOutcome.RED, 1, "p/m", "logs/a.1.agent.jsonl", FAILURE, 2, 9),
        Attempt(Role.ESCALATION, AttemptOutcome.GREEN),
    ),
    environment=True,
    failure=FAILURE,
    cost_known=0.25,
    unpriced_calls=2,
    repairs="lint",
)


class TestNodeState(unittest.TestCase):
    def test_round_trip_through_json(self) -> None:
        for name, full, fresh in zip(NodeState._fields, FULL, NodeState(), strict=True):
            self.assertNotEqual(full, fresh, name)
        for state in (FULL, NodeState()):
            stored = json.loads(json.dumps(encode(state)))
            self.assertEqual(NodeState.from_json(stored), state)

    def test_fields_of_other_versions_do_no_harm(self) -> None:
        self.assertEqual(NodeState.from_json({"later": 1, "attempts": 3}), NodeState(attempts=3))
        self.assertEqual(NodeState.from_json({}), NodeState())

    def test_values_that_are_not_directors_are_refused(self) -> None:
        for stored in (
            {"status": "finished"}, {"tier_used": "boss"}, {"watch_it_fail": "maybe"},
            {"tries": [{"role": "executor"}]}, {"tries": [{"role": "executor", "outcome": "x"}]},
            {"tries": 5}, {"status": None}, {"status": ["done"]},
        ):  # fmt: skip
            with self.subTest(stored), self.assertRaises(RequestError):
                NodeState.from_json(stored)


class TestRunState(unittest.TestCase):
    state = RunState("j", {"a": FULL, "b": NodeState(), "c": NodeState()})

    def test_changes_make_a_new_state(self) -> None:
        changed = self.state.changed("b", status=NodeStatus.RUNNING, attempts=1)
        self.assertEqual(changed.nodes["b"], NodeState(NodeStatus.RUNNING, 1))
        self.assertEqual(self.state.nodes["b"], NodeState())
        self.assertEqual(changed.nodes["a"], FULL)
        with self.assertRaises(KeyError):
            self.state.changed("x", attempts=1)

    def test_ids_by_status(self) -> None:
        self.assertEqual(self.state.ids(NodeStatus.PENDING), {"b", "c"})
        self.assertEqual(self.state.ids(NodeStatus.DONE, NodeStatus.PENDING), {"a", "b", "c"})
        self.assertEqual(self.state.ids(NodeStatus.FAILED), set())

    def test_json_is_plain(self) -> None:
        stored = json.loads(json.dumps(encode(self.state)))
        self.assertEqual((stored["job_id"], list(stored["nodes"])), ("j", ["a", "b", "c"]))
        self.assertEqual(stored["nodes"]["a"]["status"], "done")


class TestCallRecord(unittest.TestCase):
    def test_round_trip_through_json(self) -> None:
        for cost in (0.5, None):
            call = CallRecord(
                "now", "executor", "p/m", Tokens(1, 2, 3, 4, 5), cost, "priced", "a", 1, False, "x"
            )
            self.assertEqual(CallRecord.from_json(json.loads(json.dumps(encode(call)))), call)

    def test_a_line_without_a_log_is_of_an_earlier_version(self) -> None:
        call = CallRecord("now", "executor", "p/m", Tokens(), 0.0, "priced", None, None, True)
        line = encode(call)
        del line["log"]
        self.assertEqual(CallRecord.from_json(line), call)

    def test_lines_of_others_are_refused(self) -> None:
        call = CallRecord("now", "executor", "p/m", Tokens(), 0.0, "priced", None, None, True)
        for name in set(encode(call)) - {"log"}:
            line = encode(call)
            del line[name]
            with self.subTest(name), self.assertRaises(MismatchError):
                CallRecord.from_json(line)

    def test_numbers_that_cannot_be_are_not_believed_and_the_call_counts(self) -> None:
        call = CallRecord("now", "executor", "p/m", Tokens(1), 0.5, "priced", None, None, True)
        unknown = call._replace(cost=None, cost_source="unknown")
        for values in ({"cost": -431.93}, {"cost": math.nan}, {"cost": 10**400}, {"output": -5}):
            self.assertEqual(CallRecord.from_json({**encode(call), **values}), unknown)
        for count in (1.5, math.inf, "1", True):
            with self.subTest(count), self.assertRaises(MismatchError):
                CallRecord.from_json({**encode(call), "input": count})
