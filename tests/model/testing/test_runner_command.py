"""Runners are recognised where a command plainly starts one, and nowhere else."""

from __future__ import annotations

import unittest
from collections.abc import Iterable

from director.model.testing.runner_command import Invocation, programs, read_command

PYTHON = ("tests/test_a.py", "tests/unit/test_b.py")


def read(command: str, *tests: str) -> Invocation:
    return read_command(command, dict.fromkeys(tests, ""))


class TestRunners(unittest.TestCase):
    def test_a_runner_is_recognised_by_its_name_behind_wrappers_too(self) -> None:
        for runner, commands in {
            "unittest": (
                "python3 -m unittest tests.test_a",
                "python -B -W error -m unittest",
                "cd x && PYTHONPATH=src python3.12 -m unittest 2>&1",
                "uv run --with attrs python -m unittest",
                "/usr/bin/env python3 -m unittest",
                ".venv/bin/python -m unittest discover -s tests",
            ),
            "pytest": (
                "pytest -q",
                "uv run pytest",
                "poetry run pytest tests",
                "timeout -k 5 60 pytest",
                "timeout 60s pytest",
                "python -m pytest",
                "python3 -m coverage run -m pytest",
                "coverage run --source src -m pytest",
                "uv run -m pytest",
                "python3 -s -m pytest",
                "env A=b .venv/bin/pytest",
                "ruff check . && pytest",
                "echo start; pytest",
            ),
            "go": ("go test ./...", "CGO_ENABLED=0 go test -run TestA ./a"),
            "cargo": ("cargo test --test x", "cargo +nightly test", "cargo t"),
            "jest": ("npx jest", "npx --no-install jest a", "yarn jest", "node_modules/.bin/jest"),
            "vitest": ("npx vitest run", "pnpm exec vitest run", "pnpm vitest run"),
            "mocha": ("npx mocha", "node node_modules/mocha/bin/_mocha"),
            "node": ("node --test", "node --import tsx --test tests/a.test.ts"),
            "rspec": ("bundle exec rspec",),
        }.items():
            for command in commands:
                with self.subTest(command):
                    self.assertEqual(read(command).runners, {runner})

    def test_what_merely_mentions_a_runner_is_not_recognised(self) -> None:
        for command in (
            "",
            "npm test",
            "npm run jest",
            "make test",
            "make pytest",
            "sh tests/a.sh",
            "sh run pytest",
            "echo pytest",
            "grep -q pytest pyproject.toml",
            "test -f pytest.ini",
            "pip install pytest",
            "uv run --with pytest python check.py",
            "uv pip install pytest",
            "python3 -c 'import pytest'",
            "python3 -m pip install pytest",
            "python3 tests/check.py pytest",
            "sh -c 'pytest -q'",
            "node tests/a.js --test-data x",
            "cargo build",
            "go vet ./...",
            "'not closed",
        ):
            with self.subTest(command):
                self.assertEqual(read(command).runners, frozenset())

    def test_a_script_that_starts_its_own_tests_is_known_by_its_text(self) -> None:
        python = {"tests/t.py": "import x\n\nif __name__ == '__main__':\n    unittest.main()\n"}
        node = {"tests/t.js": "const { test } = require('node:test');\n"}
        self.assertEqual(read_command("python3 tests/t.py", python).runners, {"unittest"})
        self.assertEqual(read_command("node ./tests/t.js", node).runners, {"node"})
        self.assertEqual(read("python3 tests/t.py", "tests/t.py").runners, frozenset())
        self.assertEqual(read_command("sh tests/t.py", python).runners, frozenset())

    def test_where_the_count_may_not_be_seen(self) -> None:
        for command in (
            "pytest > log",
            "python3 -m unittest 2>/dev/null",
            "pytest | tail -1",
            "test -e skip || pytest",
            "(pytest)",
            "pytest &",
            "pytest -qq",
            "pytest -q -q",
            "pytest -p no:terminal",
            "npx jest --reporters=jest-junit",
            "npx mocha --reporter json",
            "cargo test -- --format terse",
        ):
            with self.subTest(command):
                self.assertTrue(read(command).quiet)
        for command in ("pytest -q", "python3 -m unittest x 2>&1", "cd a && pytest", "npx jest"):
            with self.subTest(command):
                self.assertFalse(read(command).quiet)

    def test_programs(self) -> None:
        found = programs("cd a && make -C b test; uv run ./bin/check 'x")
        self.assertEqual(found, frozenset())
        self.assertEqual(programs("cd a && make test; uv run ./b/check"), {"cd", "make", "check"})


class TestCovers(unittest.TestCase):
    def covers(self, command: str, tests: Iterable[str], expected: Iterable[str]) -> None:
        with self.subTest(command):
            self.assertEqual(read(command, *tests).covers, frozenset(expected))

    def test_files_that_are_named_run_as_a_whole(self) -> None:
        for command in (
            "pytest -q tests/test_a.py",
            "pytest ./tests/test_a.py -p no:cacheprovider",
            "python3 -m unittest tests.test_a",
            "python3 -m unittest -v tests/test_a.py",
            "cd tests && python3 -m unittest test_a",
        ):
            self.covers(command, PYTHON, ["tests/test_a.py"])
        self.covers("cargo test --test x", ["tests/x.rs", "tests/y.rs"], ["tests/x.rs"])

    def test_so_do_all_where_nothing_is_named_and_those_below_a_folder(self) -> None:
        for command in ("pytest", "pytest -q .", "python3 -m unittest", "pytest tests"):
            self.covers(command, PYTHON, PYTHON)
        self.covers("python3 -m unittest discover -s tests/unit", PYTHON, PYTHON[1:])
        go = ["a_test.go", "p/b_test.go", "p/q/c_test.go"]
        self.covers("go test ./...", go, go)
        self.covers("go test", go, go[:1])
        self.covers("go test -v ./p", go, go[1:2])
        self.covers("go test -v ./p/...", go, go[1:])

    def test_what_selects_tests_or_is_not_understood_covers_nothing(self) -> None:
        for command in (
            "pytest -k one",
            "pytest -m slow tests/test_a.py",
            "pytest tests/test_a.py::test_x",
            "pytest --lf",
            "pytest --what-is-this",
            "pytest elsewhere",
            "cd backend && pytest",
            "python3 -m unittest tests.test_a.TestA",
            "python3 -m unittest discover -p 'a*'",
            "pytest tests/test_a.py || true",
            "sh tests/test_a.py",
        ):
            self.covers(command, PYTHON, [])
        self.covers("cargo test --test x only_this", ["tests/x.rs"], [])
        self.covers("cargo test --test x -- --ignored", ["tests/x.rs"], [])
        self.covers("go test -run TestA ./...", ["a_test.go"], [])
        self.covers("npx jest -t one tests/a.test.js", ["tests/a.test.js"], [])
