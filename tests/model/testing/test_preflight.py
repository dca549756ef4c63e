"""How the existing tests run, and what follows from it.

With it: ``preflight_judgement``.
"""

from __future__ import annotations

import json
import unittest

from director.model.codec.decoding import decode
from director.model.codec.encoding import encode
from director.model.testing.command_run import CommandRun
from director.model.testing.preflight import Difference, Observation, Outcome, Preflight
from director.model.testing.preflight_judgement import judge

MISSING = """\
Traceback (most recent call last):
  File "tests/test_a.py", line 1, in <module>
    import idna
ModuleNotFoundError: No module named 'idna'
"""
IMPORTED = "ERROR: a (unittest.loader._FailedTest)\n\nRan 1 test in 0.1s\n\nFAILED (errors=1)\n"
COUNTED = "\nRan 3 tests in 0.1s\n\nFAILED (errors=1)\n"


def seen(outcome: Outcome, tests: int | None = None, command: str = "t") -> Observation:
    return Observation(command, outcome, "why", tests)


class TestJudged(unittest.TestCase):
    def test_by_exit_code_and_words(self) -> None:
        for code, output, tests, outcome, reason in (
            (0, "", None, Outcome.GREEN, ""),
            (1, "no words\n", None, Outcome.RED, "how"),
            (1, MISSING + IMPORTED, 0, Outcome.CANNOT_RUN, "No module named 'idna'"),
            (1, MISSING + COUNTED, 3, Outcome.RED, "No module named 'idna'"),
            (127, "sh: 1: jest: not found\n", None, Outcome.CANNOT_RUN, "how"),
            (126, "", None, Outcome.CANNOT_RUN, "how"),
            (None, MISSING, None, Outcome.ENDED, "how"),
        ):
            with self.subTest(code=code, output=output):
                run = CommandRun("sh run-tests.sh", code, output)
                found = judge(run, "how", "log", ["a.py"])
                self.assertEqual(found.outcome, outcome)
                self.assertIn(reason, found.reason)
                self.assertEqual((found.tests, found.log), (tests, "log"))


class TestSeen(unittest.TestCase):
    def test_whether_tests_ran(self) -> None:
        for one, ran in (
            (seen(Outcome.GREEN), True),
            (seen(Outcome.GREEN, 0), False),
            (seen(Outcome.RED, 2), True),
            (seen(Outcome.RED), False),
            (seen(Outcome.CANNOT_RUN, 2), False),
            (seen(Outcome.ENDED), False),
        ):
            self.assertEqual(one.ran_tests, ran, one)


class TestDifference(unittest.TestCase):
    def test_it_is_named_where_the_checkout_does_better(self) -> None:
        green, red = seen(Outcome.GREEN, command="own"), seen(Outcome.RED, 2)
        cannot = seen(Outcome.CANNOT_RUN)
        for here, there, words in (
            (cannot, green, "`own` is green in your checkout but `t` does not run in a fresh"),
            (red, seen(Outcome.GREEN), "`t` is green in your checkout but red in a fresh worktree"),
            (cannot, red, "`t` runs in your checkout but does not run in a fresh worktree: why"),
        ):
            self.assertIn(words, Difference(here, there).description)
        for same in (None, cannot, seen(Outcome.RED), seen(Outcome.ENDED)):
            self.assertEqual(Difference(cannot, same).description, "")
        self.assertEqual(Difference(red, red).description, "")


class TestPreflight(unittest.TestCase):
    def test_it_is_blocked_where_nothing_can_run(self) -> None:
        cannot, green = Difference(seen(Outcome.CANNOT_RUN)), Difference(seen(Outcome.GREEN))
        ended = Difference(seen(Outcome.ENDED))
        for runs, blocked in (
            ((), False),
            ((cannot,), True),
            ((cannot, cannot), True),
            ((cannot, green), False),
            ((cannot, ended), False),
        ):
            self.assertEqual(Preflight(runs).blocked, blocked)

    def test_a_record_is_read_as_it_was(self) -> None:
        pair = Difference(seen(Outcome.RED, 2), seen(Outcome.GREEN))
        for found in (
            Preflight(),
            Preflight((pair, Difference(seen(Outcome.ENDED))), ("a",), "t", seen(Outcome.GREEN)),
        ):
            stored = json.loads(json.dumps(encode(found)))
            self.assertEqual(decode(Preflight, stored), found)
