"""What no implementation can turn green goes back to the author; every other red is admitted.

Covers ``admission``, too.
"""

from __future__ import annotations

import unittest

from director.model.testing.command_run import CommandRun
from director.planning.never_green import never_green
from tests.support.fake_opencode import say, write
from tests.support.jobs import JobCase, node, script_of_test

PYTHON = """\
Traceback (most recent call last):
  File "/usr/lib/python3.11/unittest/loader.py", line 162, in loadTestsFromName
    module = __import__(module_name)
             ^^^^^^^^^^^^^^^^^^^^^^^
  File "/w/slot-1/{path}", line 1
    def x(:
          ^
{error}: invalid syntax
"""
PYTEST = """\
E     File "/w/slot-1/tests/test_a.py", line 1
E       def x(:
E             ^
E   SyntaxError: invalid syntax
=========================== short test summary info ============================
ERROR tests/test_a.py
!!!!!!!!!!!!!!!!!!!! Interrupted: 1 error during collection !!!!!!!!!!!!!!!!!!!!
1 error in 1.19s
"""
NODE = """\
/w/slot-1/tests/a.test.js:1
const = 5;
      ^

SyntaxError: Unexpected token '='
    at wrapSafe (node:internal/modules/cjs/loader:1464:18)
"""
NODE_TAP = """\
TAP version 13
# /w/slot-1/tests/a.test.js:1
# const = 5;
#       ^
# SyntaxError: Unexpected token '='
#     at wrapSafe (node:internal/modules/cjs/loader:1464:18)
# Subtest: /w/slot-1/tests/a.test.js
not ok 1 - /w/slot-1/tests/a.test.js
  location: '/w/slot-1/tests/a.test.js:1:1'
"""
NODE_MODULE = """\
file:///w/slot-1/tests/a.test.js:1
x = = 1;
    ^

SyntaxError: Unexpected token '='
    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)
"""
MISSING_EXPORT = """\
file:///w/slot-1/tests/a.test.js:1
import {nope} from '../a.mjs';
        ^^^^
SyntaxError: The requested module '../a.mjs' does not provide an export named 'nope'
    at ModuleJob._instantiate (node:internal/modules/esm/module_job:213:21)
"""
COMMON_JS = """\
/w/slot-1/tests/a.test.js:1
import x from '../a.js';
^^^^^^

SyntaxError: Cannot use import statement outside a module
"""
JEST = """\
FAIL tests/a.test.js
  ● Test suite failed to run

    SyntaxError: /w/slot-1/tests/a.test.js: Unexpected token (3:8)
"""
ONE_FAILED = """\
F
======================================================================
FAIL: test_x (tests.test_a.T.test_x)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/w/slot-1/tests/test_a.py", line 6, in test_x
    self.assertEqual(compiles(text), True)
AssertionError: False != True
"""
CLASS_SET_UP = """\
======================================================================
ERROR: setUpClass (tests.test_a.T)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/w/slot-1/tests/test_a.py", line 4, in setUpClass
    import nope
ModuleNotFoundError: No module named 'nope'

----------------------------------------------------------------------
Ran 0 tests in 0.000s

FAILED (errors=1)
"""
COLLECTING = """\
collected 0 items / 1 error

==================================== ERRORS ====================================
_______________________ ERROR collecting tests/test_a.py _______________________
tests/test_a.py:1: in <module>
    import nope
E   ModuleNotFoundError: No module named 'nope'
=============================== 1 error in 0.94s ===============================
"""
# vitest 4; it has colours without a terminal where its environment asks for them (pnpm's does).
VITEST_NOT_LOADED = (
    " \x1b[31m❯\x1b[39m test/a.test.ts \x1b[2m(\x1b[22m\x1b[2m0 test\x1b[22m\x1b[2m)\x1b[22m\n\n"
    "\x1b[41m\x1b[1m FAIL \x1b[22m\x1b[49m test/a.test.ts\x1b[2m [ test/a.test.ts ]\x1b[22m\n"
    "\x1b[31m\x1b[1mError\x1b[22m: Cannot find module '../src/a' imported from "
    "'/w/slot-1/test/a.test.ts'\x1b[39m\n\n"
    "\x1b[2m Test Files \x1b[22m \x1b[1m\x1b[31m1 failed\x1b[39m\x1b[22m\x1b[90m (1)\x1b[39m\n"
    "\x1b[2m      Tests \x1b[22m \x1b[2mno tests\x1b[22m\n"
)
RULE = "-" * 70
TESTS = ("tests/test_a.py", "tests/a.test.js", "tests/a.sh", "tests/a_test.rb")


def reason(output: str, command: str = "run the tests", code: int = 1) -> str | None:
    return never_green(CommandRun(command, code, output), TESTS)


class TestSyntaxErrors(unittest.TestCase):
    def test_a_test_that_cannot_be_read_is_named_with_what_is_wrong(self) -> None:
        cases = {
            "tests/test_a.py": [
                PYTHON.format(path="tests/test_a.py", error="SyntaxError"),
                PYTHON.format(path="tests/test_a.py", error="IndentationError"),
                PYTHON.format(path="tests/test_a.py", error="TabError"),
                PYTEST,
            ],
            "tests/a.test.js": [NODE, NODE_TAP, NODE_MODULE, JEST],
            "tests/a.sh": [
                'tests/a.sh: 4: Syntax error: end of file unexpected (expecting "fi")\n',
                "tests/a.sh: line 4: syntax error: unexpected end of file\n",
                "./tests/a.sh: line 2: syntax error near unexpected token `fi'\n",
            ],
            "tests/a_test.rb": ["tests/a_test.rb:3: syntax error, unexpected end-of-input\n"],
        }
        for path, outputs in cases.items():
            for output in outputs:
                with self.subTest(output=output):
                    said = str(reason(output))
                    self.assertTrue(said.startswith(f"{path} cannot be read: "), said)
                    self.assertRegex(said, r"(?i)syntax ?error|IndentationError|TabError")

    def test_it_is_refused_although_another_test_of_the_node_fails_as_it_should(self) -> None:
        other = ONE_FAILED.replace("test_a", "test_other")
        self.assertIsNotNone(reason(PYTHON.format(path=TESTS[0], error="SyntaxError") + other))

    def test_what_the_work_can_put_right_is_admitted(self) -> None:
        jsx = "Support for the experimental syntax 'jsx' isn't currently enabled"
        for output in (
            PYTHON.format(path="app/a.py", error="SyntaxError"),
            PYTHON.format(path="my_tests/test_a.py", error="SyntaxError"),
            NODE.replace("tests/a.test.js", "a.js"),
            MISSING_EXPORT,
            COMMON_JS,
            JEST.replace("a.test.js", "a.test.ts"),
            JEST.replace("Unexpected token", jsx),
        ):
            with self.subTest(output=output):
                self.assertIsNone(reason(output))

    def test_words_that_a_test_prints_are_no_syntax_error(self) -> None:
        for output in (
            f"SyntaxError: invalid syntax\n{ONE_FAILED}",
            PYTHON.format(path="tests/test_a.py", error="SyntaxError") + ONE_FAILED,
            "no good a: Syntax error\n",
            "expected: tests/a.sh: Syntax error\n",
            'tests/a.sh: 1: eval: Syntax error: end of file unexpected (expecting ")")\n',
            "tests/a.sh: eval: line 1: syntax error near unexpected token `newline'\n",
            'tests/a.sh: 2: ./lib.sh: Syntax error: newline unexpected (expecting ")")\n',
            "./lib.sh: line 1: syntax error near unexpected token `newline'\n",
            f"{NODE}    at Object.<anonymous> (/w/slot-1/tests/a.test.js:5:9)\n",
        ):
            with self.subTest(output=output):
                self.assertIsNone(reason(output))


class TestNoTests(unittest.TestCase):
    def test_a_run_of_nothing_is_refused(self) -> None:
        for output, command, code in (
            (f"\n{RULE}\nRan 0 tests in 0.000s\n\nNO TESTS RAN\n", "python -m unittest x", 5),
            (f"\n{RULE}\nRan 0 tests in 0.000s\n\nOK\n", "python -m unittest x | grep -q FAIL", 1),
            ("collected 0 items\n\n=========== no tests ran in 0.76s ===========\n", "pytest", 5),
            ("\n1 deselected in 0.78s\n", "python -m pytest -q -k nothing", 5),
            ("ERROR: not found: /w/a.py::t\n(no match in any of [<M>])\n\n"
             "no tests ran in 0.01s\n", "pytest a.py::t", 4),
            ("No tests found, exiting with code 1\nRun with `--passWithNoTests`\n", "npx jest", 1),
            ("\nNo test files found, exiting with code 1\n\nfilter: a\n", "npx vitest run", 1),
            ("?   \texample.org/a\t[no test files]\n", "go test ./... | grep -q ok", 1),
            ("   Compiling a v0.1.0 (/w/slot-1)\n    Finished test profile in 0.3s\n"
             "     Running unittests src/lib.rs\n\nrunning 0 tests\n\n"
             "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured\n", "cargo test | x", 1),
        ):  # fmt: skip
            with self.subTest(output=output):
                said = str(reason(output, command, code))
                self.assertTrue(said.startswith("no tests ran ("), said)

    def test_where_something_ran_the_words_do_not_count(self) -> None:
        for output, command, code in (
            (CLASS_SET_UP, "python -m unittest", 1),
            (COLLECTING, "pytest", 2),
            (VITEST_NOT_LOADED, "npx vitest run test/a.test.ts", 1),
            (f"Ran 0 tests in 0.0s\n\nNO TESTS RAN\n{ONE_FAILED}", "unittest a; unittest b", 1),
            ("no tests ran in 0.1s\n1 failed in 0.2s\n", "pytest a; pytest b", 1),
            ("collected 0 items\nE   assert 1 == 2\n", "pytest", 1),
            ("Ran 0 tests in 0.000s\n\nOK\nno good a\n", "python -m unittest x; sh a.sh", 1),
            ("?   \tx/cmd\t[no test files]\n--- FAIL: TestA (0.00s)\nFAIL\n", "go test ./...", 1),
            ("?   \tx/cmd\t[no test files]\nundefined: Slug\n", "go test ./...", 1),
            ("running 0 tests\n\nrunning 1 test\ntest a ... FAILED\n", "cargo test", 101),
            ("error[E0432]: unresolved import\nrunning 0 tests\n", "cargo test", 101),
            ("the log says: no tests ran\n", "sh tests/a.sh", 1),
            ("no good a\n", "sh tests/a.sh", 5),
            ("1 failed in 0.1s\n", "pytest a || exit 5", 5),
            ("", "sh tests/a.sh", 1),
        ):
            with self.subTest(output=output):
                self.assertIsNone(reason(output, command, code))


class TestAuthoring(JobCase):
    def refused(self, text: str, **changes: str) -> str:
        """Plan with tests that hold ``text`` twice; returns what the person is told."""
        self.script_planning(node("a", **changes))
        self.fake.always("test-author", write("tests/a.sh", text), say("written"), node="a")
        done = self.ends(1, "plan", "make a", "--no-critique")
        self.assertEqual(len(self.prompts()), 2)
        self.assertIsNone(self.on_branch("tests/a.sh"))
        return done.err

    def prompts(self) -> list[str]:
        return [call.prompt for call in self.fake.calls() if call.heading == "Tests"]

    def test_a_test_that_cannot_be_read_goes_back_once_and_is_then_refused(self) -> None:
        said = self.refused("if true; then\n  exit 1\nno end\n")
        self.assertIn("tests were refused: a: no implementation can make", said)
        self.assertIn("tests/a.sh cannot be read", said)
        self.assertIn("tests/a.sh cannot be read", self.prompts()[1])

    def test_a_command_that_runs_no_test_goes_back_once_and_is_then_refused(self) -> None:
        silent = "python3 -m unittest discover -s tests -p 'nothing*'; exit 1"
        self.assertIn("no tests ran", self.refused("exit 1\n", test_cmd=silent))

    def test_corrected_tests_are_admitted(self) -> None:
        self.script_planning(node("a"))
        self.fake.queue("test-author", write("tests/a.sh", "if\n"), node="a")
        self.ends(0, "plan", "make a", "--no-critique")
        self.assertEqual(self.on_branch("tests/a.sh"), script_of_test("a").strip())

    def test_words_in_the_middle_of_a_long_output_count_too(self) -> None:
        command = "sh tests/a.sh; seq 3000; exit 1"
        said = self.refused("seq 3000\nif\n", test_cmd=command)
        self.assertIn("cannot be read", said)
