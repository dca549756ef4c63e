"""What runners print at their end, as it was captured, and the counts that are read from it.

With it: ``counted_tests``, ``runner_readers``.
"""

from __future__ import annotations

import unittest

from director.model.testing.counted_tests import CountedTests, total
from director.model.testing.runner_output import read_output

RULE = "-" * 70
UNITTEST = f".sx\n{RULE}\nRan 3 tests in 0.000s\n\nOK (skipped=1, expected failures=1)\n"
UNITTEST_CLASS_SKIPPED = (
    f".sxs\n{RULE}\nRan 3 tests in 0.0s\n\nOK (skipped=2, expected failures=1)\n"
)
UNITTEST_VERBOSE = (
    "test_a (t.A.test_a) ... ok\ntest_b (t.A.test_b) ... skipped 'x'\n\n"
    f"{RULE}\nRan 2 tests in 0.000s\n\nOK (skipped=1)\n"
)
PYTEST = """\
============================= test session starts ==============================
platform linux -- Python 3.11.7, pytest-9.2.0, pluggy-1.7.0
collected 6 items

tests/test_a.py ...s..                                                   [100%]

========================= 5 passed, 1 skipped in 0.67s =========================
"""
PYTEST_QUIET = "...s..     [100%]\n5 passed, 1 skipped, 2 subtests passed in 0.63s\n"
PYTEST_COLORED = (
    "\x1b[32m.\x1b[0m\x1b[33ms\x1b[0m\x1b[32m       [100%]\x1b[0m\n"
    "\x1b[32m\x1b[32m\x1b[1m5 passed\x1b[0m, \x1b[33m1 skipped\x1b[0m\x1b[32m in 0.63s"
    "\x1b[0m\x1b[0m\n"
)
GO_VERBOSE = """\
=== RUN   TestSlug
=== RUN   TestSlug/empty
--- PASS: TestSlug (0.00s)
    --- PASS: TestSlug/empty (0.00s)
=== RUN   TestLater
--- SKIP: TestLater (0.00s)
PASS
ok  \texample.org/slug\t0.002s
"""
GO_JSON = """\
{"Time":"2024-01-01T00:00:00Z","Action":"start","Package":"x"}
{"Time":"2024-01-01T00:00:00Z","Action":"pass","Package":"x","Test":"TestA/sub","Elapsed":0}
{"Time":"2024-01-01T00:00:00Z","Action":"pass","Package":"x","Test":"TestA","Elapsed":0}
{"Action":"skip","Package":"x","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"x","Elapsed":0.002}
"""
CARGO = """\
     Running tests/x.rs (target/debug/deps/x-2f16ffe7db19deb1)

running 2 tests
test two ... ignored
test one ... ok

test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests c

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""
JEST = """\
PASS j/a.test.js
  ✓ one (2 ms)

Test Suites: 1 passed, 1 total
Tests:       1 skipped, 2 passed, 3 total
Snapshots:   0 total
"""
JEST_JSON = (
    '{"numFailedTestSuites":0,"numFailedTests":0,"numPassedTestSuites":1,"numPassedTests":2,'
    '"numPendingTestSuites":0,"numPendingTests":1,"numTodoTests":0,"numTotalTests":3}'
)
JEST_EXIT = '  ●  process.exit called with "0"\n\n    > 1 | process.exit(0)\n'
VITEST = (
    "\x1b[2m Test Files \x1b[22m \x1b[1m\x1b[32m1 passed\x1b[39m\x1b[22m\x1b[90m (1)\x1b[39m\n"
    "\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m2 passed\x1b[39m\x1b[22m\x1b[2m | \x1b[22m"
    "\x1b[33m1 skipped\x1b[39m\x1b[90m (3)\x1b[39m\n"
)
VITEST_TAP = """\
TAP version 13
1..1
ok 1 - v/a.test.mjs # time=2.78ms {
    1..2
    ok 1 - one # time=1.26ms
    ok 2 - d # time=0.34ms {
        1..2
        ok 1 - two # time=0.12ms
        ok 2 - three # SKIP
    }
}
"""
MOCHA = "\n  ✔ one\n  d\n    ✔ two\n    - three\n\n\n  2 passing (4ms)\n  1 pending\n"
MOCHA_TAP = "ok 1 one\nok 2 d two\nok 3 d three # SKIP -\n# tests 2\n# pass 2\n# fail 0\n1..3\n"
MOCHA_JSON = """\
{
  "stats": {
    "suites": 1,
    "tests": 3,
    "passes": 2,
    "pending": 1,
    "failures": 0
  },
"""
NODE_TAP = """\
TAP version 13
# Subtest: one
ok 1 - one
  ---
  duration_ms: 1.181431
  ...
# Subtest: d
    # Subtest: two
    ok 1 - two
    # Subtest: three
    ok 2 - three # SKIP
    1..2
ok 2 - d
  ---
  type: 'suite'
  ...
1..2
# tests 3
# suites 1
# pass 2
# skipped 1
"""
NODE_SPEC = "✔ one (1.08ms)\n▶ d\n  ✔ two (0.15ms)\nℹ tests 2\nℹ suites 1\nℹ pass 2\nℹ skipped 0\n"
NODE_FILE_TAP = """\
TAP version 13
# Subtest: /w/slot-1/t/b.test.js
ok 1 - /w/slot-1/t/b.test.js
  ---
  duration_ms: 116.190821
  ...
1..1
# tests 1
# pass 1
# skipped 0
"""
NODE_FILE_SPEC = "✔ /w/t/b.test.js (137.7ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ skipped 0\n"
NODE_18 = """\
TAP version 13
# Subtest: /w/t/a.test.js
    # Subtest: one
    ok 1 - one
    # Subtest: two
    ok 2 - two
    1..2
ok 1 - /w/t/a.test.js
1..1
# tests 1
# pass 1
# skipped 0
"""


class TestReadOutput(unittest.TestCase):
    def test_the_summaries_of_known_runners(self) -> None:
        for runner, output, executed, skipped in (
            ("unittest", UNITTEST, 2, 1),
            ("unittest", UNITTEST_CLASS_SKIPPED, 2, 2),
            ("unittest", UNITTEST_VERBOSE, 1, 1),
            ("unittest", f"\n{RULE}\nRan 0 tests in 0.000s\n\nOK\n", 0, 0),
            ("unittest", f"\n{RULE}\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", 0, 0),
            ("unittest", f"s\n{RULE}\nRan 1 test in 0.000s\n\nOK (skipped=1)\n", 0, 1),
            ("unittest", f".s\n{RULE}\nRan 1 test in 0.0s\n\nOK (skipped=1)\n", 1, 1),  # 3.12.1
            ("unittest", f"{RULE}\nRan 0 tests in 0.0s\n\nFAILED (errors=1)\n", 1, 0),
            ("pytest", PYTEST, 5, 1),
            ("pytest", PYTEST_QUIET, 5, 1),
            ("pytest", PYTEST_COLORED, 5, 1),
            ("pytest", "...s.x                                   [100%]\n", 5, 1),
            ("pytest", "== 1 passed, 1 xfailed, 3 warnings in 75.31s (0:01:15) ==\n", 2, 0),
            ("pytest", "\nno tests ran in 0.68s\n", 0, 0),
            ("pytest", "\n2 deselected in 0.68s\n", 0, 0),
            ("pytest", "===== 6 tests collected in 0.64s =====\n", 0, 0),
            ("pytest", "= 1 failed, 1 error in 0.64s =\n", 2, 0),
            ("go", GO_VERBOSE, 1, 1),
            ("go", GO_JSON, 1, 1),
            ("go", "?   \texample.org/a\t[no test files]\n", 0, 0),
            ("go", "ok  \texample.org/a\t0.002s [no tests to run]\n", 0, 0),
            ("cargo", CARGO, 1, 1),
            ("nextest", "     Summary [   0.005s] 3 tests run: 3 passed, 1 skipped\n", 3, 1),
            ("jest", JEST, 2, 1),
            ("jest", JEST_JSON, 2, 1),
            ("jest", JEST_EXIT, 0, 0),
            ("jest", "No tests found, exiting with code 0\n", 0, 0),
            ("vitest", VITEST, 2, 1),
            ("vitest", "\x1b[2m      Tests \x1b[22m \x1b[2mno tests\x1b[22m\n", 0, 0),
            ("vitest", "No test files found, exiting with code 0\n", 0, 0),
            ("tap", VITEST_TAP, 2, 1),
            ("mocha", MOCHA, 2, 1),
            ("node", MOCHA_TAP, 2, 1),
            ("mocha", MOCHA_JSON, 2, 1),
            ("mocha", "\n  0 passing (1ms)\n\n", 0, 0),
            ("node", NODE_TAP, 2, 1),
            ("node", NODE_SPEC, 2, 0),
            ("node", NODE_FILE_TAP, 0, 0),
            ("node", NODE_FILE_SPEC, 0, 0),
            ("node", NODE_18, 2, 0),
            ("tap", "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no net\n", 2, 1),
            ("tap", "TAP version 13\n1..0 # skip nothing here\n", 0, 0),
            ("deno", "ok | 3 passed (2 steps) | 0 failed | 1 ignored (5ms)\n", 3, 1),
            ("bun", " 3 pass\n 1 skip\n 0 fail\n", 3, 1),
            ("phpunit", "OK (3 tests, 5 assertions)\n", 3, 0),
            ("phpunit", "Tests: 3, Assertions: 5, Skipped: 1.\n", 2, 1),
            ("phpunit", "No tests executed!\n", 0, 0),
            ("rspec", "3 examples, 0 failures, 1 pending\n", 2, 1),
            ("minitest", "3 runs, 5 assertions, 0 failures, 0 errors, 1 skips\n", 2, 1),
            ("maven", "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1\n", 2, 1),
            ("ctest", "100% tests passed, 0 tests failed out of 3\n", 3, 0),
            ("ctest", "No tests were found!!!\n", 0, 0),
            ("prove", "Files=1, Tests=3,  0 wallclock secs\nResult: PASS\n", 3, 0),
            (
                "dotnet",
                "Passed!  - Failed:     0, Passed:     3, Skipped:     1, Total:     4",
                3,
                1,
            ),
            ("junit", '<testsuite name="a" tests="3" errors="0" skipped="1" time="0">\n', 2, 1),
            ("bats", "3 tests, 0 failures, 1 skipped\n", 3 - 1, 1),
        ):
            with self.subTest(runner=runner, output=output):
                found = read_output(output)
                self.assertEqual(list(found), [runner])
                counted = found[runner]
                self.assertEqual((counted.executed, counted.skipped), (executed, skipped))

    def test_go_prints_no_count_unless_it_is_told_to(self) -> None:
        for output in ("ok  \tx/a\t0.002s\n", "ok  \tx/a\t(cached)\n?   \tx/b\t[no test files]\n"):
            self.assertEqual(read_output(output), {"go": CountedTests("go", None)})

    def test_what_was_announced_and_did_not_end_is_known(self) -> None:
        self.assertEqual(read_output("running 3 tests\n")["cargo"].announced, 3)
        self.assertEqual(read_output("1..3\nok 1 - a\n")["tap"].announced, 3)

    def test_other_output_is_no_count(self) -> None:
        for output in (
            "",
            "ok\n",
            "no good a\n",
            "OK\nall tests passed\n",
            "3 passed\n",
            "the log says: Ran 3 tests in 0.1s\n",
            "Tests: 3\n",
            "I ran 3 tests\n",
            "# tests 3\n",
            "ok 1 - looks like it, but there is no plan\n",
            "PASS\n",
        ):
            with self.subTest(output):
                self.assertEqual(read_output(output), {})

    def test_an_absurd_number_does_no_harm(self) -> None:
        many = "9" * 5000
        for line in (
            f"{many} passed in 0.1s",
            f"Ran {many} tests in 0.1s",
            f"Files=1, Tests={many},",
        ):
            (counted,) = read_output(f"{line}\n").values()
            self.assertEqual(counted.executed, 999_999_999)

    def test_several_runners_are_added_up(self) -> None:
        both = total(read_output(UNITTEST + JEST).values())
        self.assertEqual(both, CountedTests("unittest, jest", 4, 2))
        self.assertIsNone(total(read_output(JEST + "ok  \tx\t0.1s\n").values()).executed)
        self.assertEqual(total([]), CountedTests(None, None))
