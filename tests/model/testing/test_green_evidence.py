"""Exit code 0 with and without evidence that tests ran."""

from __future__ import annotations

import unittest

from director.model.testing.green_evidence import Evidence, evidence_of_green, tests_seen

CASE = """\
import unittest


class TestA(unittest.TestCase):
    def test_a(self): ...
    def test_b(self): ...
"""
RULE = "-" * 70
TESTS = {"tests/test_a.py": CASE}


def ran(count: int, end: str = "OK") -> str:
    return f"{RULE}\nRan {count} test{'s' * (count != 1)} in 0.000s\n\n{end}\n"


class TestEvidenceOfGreen(unittest.TestCase):
    def judge(self, command: str, output: str) -> Evidence:
        return evidence_of_green(command, output, TESTS)

    def test_as_many_as_the_files_hold_is_green(self) -> None:
        command = "python3 -m unittest tests.test_a"
        self.assertEqual(self.judge(command, ran(2)), Evidence(2))
        self.assertEqual(self.judge(command, ran(9)), Evidence(9))
        self.assertEqual(self.judge(command, ran(2, "OK (skipped=1)")), Evidence(1))

    def test_none_or_fewer_is_not(self) -> None:
        for command, output, ran_tests, lacking in (
            ("python3 -m unittest tests.test_a", "", 0, "0 of at least 2 tests ran"),
            ("python3 -m unittest tests.test_a", "usage: app\n", 0, "0 of at least 2 tests ran"),
            ("python3 -m unittest tests.test_a", ran(0), 0, "0 of at least 2 tests ran"),
            ("python3 -m unittest tests.test_a", ran(1), 1, "1 of at least 2 tests ran"),
            (
                "python3 -m unittest tests.test_a",
                ran(2, "OK (skipped=2)"),
                0,
                "0 of at least 2 tests ran (2 skipped)",
            ),
            ("python3 -m unittest -k one", ran(0), 0, "no test ran"),
            ("cd app && uv run pytest", "", 0, "no test ran"),
            ("pytest tests/test_a.py", "= 1 passed in 0.1s =\n", 1, "1 of at least 2 tests ran"),
            ("cargo test", "running 3 tests\n", 0, "0 of at least 3 tests ran"),
            ("npx jest", '  ●  process.exit called with "0"\n', 0, "no test ran"),
            ("npx mocha", "", 0, "no test ran"),
            ("go test ./...", "?   \tx\t[no test files]\n", 0, "no test ran"),
            ("npm test", "> app@1.0.0 test\n> jest\n\nNo tests found, exiting with code 0\n", 0,
             "no test ran"),
            ("make test", "===== test session starts =====\ncollected 2 items\n", 0, "no test ran"),
            ("sh tests/a.sh", "TAP version 13\n1..3\nok 1 - a\n", 1, "1 of at least 3 tests ran"),
        ):  # fmt: skip
            with self.subTest(command=command, output=output):
                self.assertEqual(self.judge(command, output), Evidence(ran_tests, lacking))

    def test_what_is_not_known_is_not_held_against_a_command(self) -> None:
        for command, output in (
            ("sh tests/a.sh", ""),
            ("sh tests/a.sh", "ok\n"),
            ("npm test", "> app@1.0.0 test\n> node check.js\n"),
            ("make test", "all good\n"),
            ("test -s out.txt # pytest", ""),
            ("go test ./...", "ok  \tx/a\t0.1s\n"),
            ("pytest > log", ""),
            ("pytest -p no:terminal", ""),
            ("npx jest --reporters=jest-junit", ""),
            ("npx vitest run", '<testsuites name="vitest tests" tests="3">\n'),
            ("npx vitest run", "JUNIT report written to /w/out.xml\n"),
            ("cargo test --test own_harness", "     Running tests/x.rs (target/debug/x)\nfine\n"),
        ):
            with self.subTest(command=command, output=output):
                self.assertEqual(self.judge(command, output), Evidence(None))

    def test_part_of_the_tests_is_enough_where_a_part_is_asked_for(self) -> None:
        for command in ("python3 -m unittest tests.test_a.TestA.test_a", "make test", "sh a.sh"):
            self.assertEqual(self.judge(command, ran(1)), Evidence(1))
        self.assertEqual(
            self.judge("pytest -k one", "1 passed, 1 deselected in 0.1s\n").lacking, ""
        )

    def test_the_end_of_a_very_long_output_shows_a_part(self) -> None:
        noise = "a line of output\n" * 100_000
        command = "python3 -m unittest tests.test_a"
        self.assertEqual(self.judge(command, noise + ran(2)), Evidence(2))
        self.assertEqual(self.judge("sh a.sh", f"{noise}ok 9 - a\n1..9\n"), Evidence(1))

    def test_what_a_test_prints_of_another_runner_does_not_count_for_its_own(self) -> None:
        command = "python3 -m unittest tests.test_a"
        self.assertEqual(self.judge(command, f"no tests ran in 0.1s\n{ran(2)}"), Evidence(2))
        self.assertEqual(self.judge(command, f"= 7 passed in 0.1s =\n{ran(0)}").tests_run, 0)


class TestTestsSeen(unittest.TestCase):
    def test_a_red_run_shows_what_its_output_shows(self) -> None:
        self.assertEqual(tests_seen("pytest", "= 2 failed, 1 passed in 0.1s =\n"), 3)
        self.assertIsNone(tests_seen("pytest", "bash: oops\n"))
        self.assertIsNone(tests_seen("sh tests/a.sh", "no good a\n"))
