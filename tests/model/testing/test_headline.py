"""The headline of a failing run, on output that the real tools printed (``failing/``).

With it: what is shown around it (``excerpt``), without colours (``plain_text``).
"""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from director.model.testing.excerpt import excerpt
from director.model.testing.headline import LONGEST, headline

OUTPUTS = Path(__file__).parent / "failing"
MODULE = "Cannot find module"
EXPECTED = {
    "unittest": "test_levels: AssertionError: 2 != 3",
    "unittest-import": "test_b: ModuleNotFoundError: No module named 'pkg.missing'",
    "pytest": "TestGroup.test_levels[3]: AssertionError: three levels are wanted in this text",
    "pytest-unittest": "TestLevels.test_levels: AssertionError: 2 != 3",
    "pytest-import": "tests/test_b.py: ModuleNotFoundError: No module named 'pkg.missing'",
    "pytest-syntax": "tests/test_c.py: SyntaxError: expected ':'",
    "pytest-tb-no": "test_levels[3]: AssertionError: three lev...",
    "cargo": "tests::counts_levels: assertion `left == right` failed: three levels, "
    "left: 2, right: 3",
    "cargo-compile": "tests/b.rs:1:5: unresolved import `levels::missing`",
    "go-a": "TestLevels/three: want 3 levels, got 2",
    "go-v": "TestLevels/three: want 3 levels, got 2",
    "go-b": "b/b_test.go:6:5: undefined: Missing",
    "go-c": "TestPanics: assignment to entry in nil map",
    "jest": "levels › counts: expect(received).toBe(expected), Expected: 3, Received: 2",
    "jest-import": f"./missing.test.js: {MODULE} './thing' from 'missing.test.js'",
    "vitest": "v/levels.test.js > levels > counts: AssertionError: expected 2 to be 3",
    "vitest-import": f"v/missing.test.js: Error: {MODULE} './thing.js' imported from "
    "/home/me/levels/js/v/missing.test.js",
    "node-tap": "counts: Expected values to be strictly equal: 2 !== 3",
    "node-spec": "counts: AssertionError [ERR_ASSERTION]: "
    "Expected values to be strictly equal: 2 !== 3",
    "node-import": f"Error [ERR_MODULE_NOT_FOUND]: {MODULE} '/home/me/levels/js/n/thing.mjs' "
    "imported from /home/me/levels/js/n/missing.test.mjs",
    "node-import-spec": f"Error [ERR_MODULE_NOT_FOUND]: {MODULE} "
    "'/home/me/levels/js/n/thing.mjs' imported from /home/me/levels/js/n/missing.test.mjs",
    "tsc": "t/a.ts(1,49): TS2304: Cannot find name 'missing'.",
    "tsc-pretty": "t/a.ts:1:49: TS2304: Cannot find name 'missing'.",
    "mypy": "pkg/a.py:8: Incompatible types in assignment "
    '(expression has type "str", variable has type "int") [assignment]',
    "ruff": "pkg/a.py:1:8: F401 [*] `os` imported but unused",
    "pip-build": "ModuleNotFoundError: No module named 'pkg_resources'",
    "ruff-concise": "pkg/a.py:1:8: F401 [*] `os` imported but unused",
}


def output_of(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


class TestHeadline(unittest.TestCase):
    def test_of_each_runner_it_is_what_a_person_would_quote(self) -> None:
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                self.assertEqual(headline(output_of(name)).text, expected)

    def test_every_output_is_expected_to_say_something(self) -> None:
        self.assertEqual({path.stem for path in OUTPUTS.iterdir()}, set(EXPECTED))

    def test_what_went_before_and_comes_after_makes_no_difference(self) -> None:
        before = "> levels@1.0.0 test\n> run them\n\nhello.py:3: DeprecationWarning: old\n"
        after = "\nmake: *** [Makefile:2: test] Error 1\nexit status 1\n"
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                self.assertEqual(headline(before + output_of(name) + after).text, expected)

    def test_the_first_failure_gives_it(self) -> None:
        found = headline("ok\n" + output_of("unittest") + output_of("unittest-import"))
        self.assertEqual(found.text, EXPECTED["unittest"])

    def test_otherwise_it_is_the_last_line_that_says_something(self) -> None:
        for output, expected in (
            ("building\nno good a\n", "no good a"),
            ("no good a\n-----\n\n", "no good a"),
            ("no rule\nmake: *** [Makefile:2: test] Error 1\n", "no rule"),
            ("make: *** No rule to make target 'test'.  Stop.\n",) * 2,
            ("exit status 1\n", "exit status 1"),
            ("sh: 1: pytest: not found\n", "sh: 1: pytest: not found"),
            (
                "npm error code ENOTCACHED\nnpm error request to https://r failed: no cache\n"
                "npm notice\nnpm error A complete log of this run can be found in: /log\n",
                "npm error request to https://r failed: no cache",
            ),
            (
                "Error: EACCES: no\n  at run (file:///a/b.js:5:11)\n\n  51 tests passed\n",
                "Error: EACCES: no",
            ),
            ("", ""),
            ("\n \n---\n", ""),
        ):
            with self.subTest(output):
                self.assertEqual(headline(output).text, " ".join(expected.split()))

    def test_a_script_that_ends_with_an_exception_is_quoted_by_it(self) -> None:
        output = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    x\n'
        found = headline(f"{output}NameError: name 'x' is not defined\nbye\n")
        self.assertEqual(found.text, "NameError: name 'x' is not defined")

    def test_a_compiler_is_quoted_by_its_error_not_by_its_warning(self) -> None:
        output = "a.c:1:5: warning: unused\na.c:3:9: note: declared\na.c:4:2: error: no 'x'\n"
        self.assertEqual(headline(output).text, "a.c:4:2: no 'x'")

    def test_expected_failures_of_tap_are_none(self) -> None:
        self.assertEqual(
            headline("not ok 1 - later # TODO soon\nnot ok 2 - now\n1..2\n").text, "now: not ok"
        )

    def test_it_is_one_line_of_bounded_length(self) -> None:
        self.assertEqual(len(headline("x" * 5_000).text), LONGEST)

    def test_it_says_where_the_failure_begins(self) -> None:
        for name in EXPECTED:
            with self.subTest(name):
                output = "noise\n" * 60_000 + output_of(name)
                found = headline(output)
                self.assertGreaterEqual(found.start, 360_000)
                self.assertEqual(output[found.start - 1], "\n")

    def test_output_made_to_keep_it_busy_does_not(self) -> None:
        for line in (
            "FAIL: a (b)\n", "_____ a _____\n", "--- FAIL: a (0.00s)\n", "not ok 1 - a\n",
            "=== RUN   a\n", "  ● a\n", " FAIL  a\n", "---- a stdout ----\n", "a.b:1\n", "\n",
            "a" * 99,
            '  File "a"\n', "Traceback (most recent call last):\n", "    # a\n", "error: |-\n",
        ):  # fmt: skip
            with self.subTest(line):
                headline(line * (200_000 // len(line)))  # seconds, were it quadratic


class TestExcerpt(unittest.TestCase):
    def test_the_headline_comes_first_then_the_output(self) -> None:
        output = output_of("unittest")
        self.assertEqual(excerpt(output), f"{EXPECTED['unittest']}\n\n{output}")

    def test_what_is_its_own_headline_is_not_said_twice(self) -> None:
        self.assertEqual(excerpt("no good a\n"), "no good a\n")
        self.assertEqual(excerpt(""), "")

    def test_of_a_long_output_beginning_failure_and_end_are_kept(self) -> None:
        lines = [f"line {number}\n" for number in range(20_000)]
        failing = output_of("pytest-unittest")
        output = "".join([*lines[:9_000], failing, *lines[9_000:]])
        shown = excerpt(output, 3_000)
        self.assertTrue(shown.startswith(f"{EXPECTED['pytest-unittest']}\n\nline 0\n"))
        self.assertIn('self.assertEqual(levels("# a"), 3)\nE   AssertionError: 2 != 3\n', shown)
        self.assertTrue(shown.endswith("line 19999\n"))
        self.assertEqual(shown.count("characters left out"), 2)
        self.assertLess(len(shown), 3_300)

    def test_what_was_left_out_is_counted(self) -> None:
        for start in (0, 300, 5_000, 9_800):
            with self.subTest(start):
                text = f"{'x' * start}\nnot ok 1 - t\n{'y' * (10_000 - start)}\n"
                shown = excerpt(text, 600, left_out=1_000).removeprefix("t: not ok\n\n")
                gaps = re.findall(r"\n\[… (\d+) characters left out …\]\n", shown)
                kept = len(re.sub(r"\n\[… .*? …\]\n", "", shown))
                self.assertEqual(sum(map(int, gaps)) + kept, len(text) + 1_000)
                self.assertIn("not ok 1 - t", shown)
