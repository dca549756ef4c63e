"""Every call on record the moment it ends, and a ceiling that calls under way count towards."""

from __future__ import annotations

import threading

from director.model.codec.encoding import encode
from director.model.errors import StoppedError
from director.model.state import CallRecord
from director.model.usage import Tokens
from director.records import json_lines
from director.records.ledger import (
    Ledger,
    ceiling_reached,
    cost_of_calls,
    grouped,
    read_calls,
    total_tokens,
)
from tests.support.hermetic import TemporaryCase


def call(cost: float | None, role: str = "executor", model: str = "p/m") -> CallRecord:
    tokens = Tokens(10, 2, 3, 4, 5)
    return CallRecord("now", role, model, tokens, cost, "priced", "a", 1, True)


class LedgerCase(TemporaryCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.tmp / "costs.jsonl"

    def ledger(self, ceiling_usd: float = 0.0) -> Ledger:
        return Ledger(self.path, ceiling_usd)


class TestRecords(LedgerCase):
    def test_a_call_is_on_disk_when_record_returns(self) -> None:
        ledger = self.ledger()
        ledger.record(call(0.5))
        self.assertEqual(read_calls(self.path), [call(0.5)])
        ledger.record(call(None))
        self.assertEqual(read_calls(self.path), [call(0.5), call(None)])
        self.assertEqual(ledger.records, read_calls(self.path))

    def test_a_new_ledger_goes_on_where_the_old_one_stopped(self) -> None:
        self.ledger().record(call(0.5))
        again = self.ledger()
        again.record(call(0.25))
        self.assertEqual(again.spent_usd, 0.75)
        self.assertEqual(self.ledger().spent_usd, 0.75)

    def test_no_line_makes_spending_fall(self) -> None:
        self.ledger().record(call(0.5))
        for values in ({"cost": -431.93}, {"cost": float("nan")}, {"input": -10}, {"input": 1e999}):
            json_lines.append_line(self.path, {**encode(call(1.0)), **values}, durable=False)
        again = self.ledger()
        self.assertEqual(again.spent_usd, 0.5)
        self.assertIsNone(cost_of_calls(again.records).total)
        self.assertEqual([one.cost for one in again.records], [0.5, None, None, None])

    def test_calls_are_found_by_their_node_and_by_their_log(self) -> None:
        ledger = self.ledger()
        calls = [call(0.5)._replace(node=name, log=f"{name}.jsonl") for name in ("a", "b", "a")]
        for one in calls:
            ledger.record(one)
        for known in (ledger, self.ledger()):
            self.assertEqual(known.of_node("a"), [calls[0], calls[2]])
            self.assertEqual(known.of_node("c"), [])
            self.assertTrue(known.knows("b.jsonl"))
            self.assertFalse(known.knows("c.jsonl"))

    def test_a_call_that_an_earlier_version_noted_without_its_folder_is_known(self) -> None:
        ledger = self.ledger()
        ledger.record(call(0.5)._replace(log="20250101T000000-a-executor-1-abcdef.jsonl"))
        self.assertTrue(ledger.knows("logs/20250101T000000-a-executor-1-abcdef.jsonl"))
        ledger.record(call(0.5)._replace(log="logs/a.1.agent.jsonl"))
        self.assertTrue(self.ledger().knows("logs/a.1.agent.jsonl"))
        self.assertFalse(self.ledger().knows("logs/a.1.agent-2.jsonl"))

    def test_lines_of_others_are_no_calls(self) -> None:
        self.ledger().record(call(0.5))
        with self.path.open("a") as stream:
            stream.write('{"ts": "now"}\n{"cost": 1}\n{"torn": ')
        self.assertEqual(self.ledger().spent_usd, 0.5)
        self.ledger().record(call(0.5))
        self.assertEqual(self.ledger().spent_usd, 1.0)

    def test_records_of_many_threads_are_all_kept(self) -> None:
        ledger = self.ledger()
        threads = [threading.Thread(target=ledger.record, args=(call(1.0),)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((ledger.spent_usd, len(read_calls(self.path))), (8.0, 8))


class TestCeiling(LedgerCase):
    def test_without_a_ceiling_nothing_is_too_much(self) -> None:
        ledger = self.ledger()
        ledger.record(call(1e9))
        with ledger.running(1e9):
            self.assertFalse(ledger.over_ceiling())

    def test_no_call_is_made_when_nothing_is_left(self) -> None:
        ledger = self.ledger(1.0)
        ledger.record(call(0.75))
        with ledger.running():
            pass
        ledger.record(call(0.25))
        with self.assertRaises(StoppedError) as caught, ledger.running():
            self.fail("no call is made")
        self.assertIn("$1.0000 of $1.0000", caught.exception.what)
        self.assertIn("cost_ceiling_usd", caught.exception.next_step)

    def test_calls_under_way_count_together(self) -> None:
        ledger = self.ledger(1.0)
        ledger.record(call(0.5))
        with ledger.running() as one, ledger.running() as two:
            one.set(0.25)
            two.set(0.25)
            self.assertFalse(ledger.over_ceiling())
            two.set(0.26)
            self.assertTrue(ledger.over_ceiling())
        self.assertFalse(ledger.over_ceiling())

    def test_a_meter_shows_the_last_reading(self) -> None:
        ledger = self.ledger(1.0)
        with ledger.running() as meter:
            meter.set(2.0)
            meter.set(0.5)
            self.assertFalse(ledger.over_ceiling())

    def test_a_meter_stops_counting_when_its_call_breaks_off(self) -> None:
        ledger = self.ledger(1.0)
        with self.assertRaises(ZeroDivisionError), ledger.running() as meter:
            meter.set(5.0)
            raise ZeroDivisionError
        self.assertFalse(ledger.over_ceiling())

    def test_a_call_counts_once_while_it_is_being_recorded(self) -> None:
        ledger = self.ledger(1.0)
        with ledger.running() as meter:
            meter.set(0.6)
            ledger.record(call(0.6), meter)
            self.assertFalse(ledger.over_ceiling())
        self.assertEqual(ledger.spent_usd, 0.6)

    def test_failed_calls_count_and_unknown_costs_are_not_known(self) -> None:
        ledger = self.ledger(1.0)
        ledger.record(call(None))
        with ledger.running(1.0):
            self.assertEqual(ledger.spent_usd, 0.0)

    def test_what_a_call_is_expected_to_cost_is_set_aside(self) -> None:
        ledger = self.ledger(1.0)
        ledger.record(call(0.4))
        expected = ledger.expected_usd("executor", "p/m")
        self.assertEqual(expected, 0.4)
        too_much = self.assertRaisesRegex(StoppedError, "ceiling")
        with ledger.running(expected), too_much, ledger.running(expected):
            self.fail("there is no room for two")
        with ledger.running(expected) as meter:
            ledger.record(call(0.1), meter)
        self.assertAlmostEqual(ledger.expected_usd("executor", "p/m"), 0.25)
        self.assertEqual(ledger.expected_usd("executor", "p/other"), 0.0)

    def test_the_message_names_both_sums(self) -> None:
        self.assertIn("$0.1235 of $2.0000", ceiling_reached(0.12345, 2).what)


class TestSums(LedgerCase):
    def test_total_is_unknown_when_one_cost_is(self) -> None:
        self.assertEqual(cost_of_calls([call(1.0), call(0.5)]).total, 1.5)
        self.assertIsNone(cost_of_calls([call(1.0), call(None)]).total)
        self.assertEqual(cost_of_calls([]).total, 0)
        self.assertEqual(cost_of_calls([call(1.0), call(None)]), (1.0, 1))

    def test_total_tokens(self) -> None:
        self.assertEqual(total_tokens([call(1.0), call(None)]), Tokens(20, 4, 6, 8, 10))
        self.assertEqual(total_tokens([]), Tokens())

    def test_grouped_by_role_and_by_model(self) -> None:
        calls = [call(1.0), call(None), call(2.0, "planner", "p/big")]
        by_role = grouped(calls, "role")
        self.assertEqual(list(by_role), ["executor", "planner"])
        executor = by_role["executor"]
        self.assertEqual(
            (executor["calls"], executor["cost"], executor["unknown_cost_calls"]), (2, 1.0, 1)
        )
        self.assertEqual((executor["cost_known"], executor["unpriced_calls"]), (1.0, 1))
        self.assertEqual((executor["input"], executor["reasoning"]), (20, 10))
        self.assertEqual(grouped(calls, "model")["p/big"]["cost"], 2.0)
