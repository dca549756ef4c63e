"""Where Python looks first, as a command says it."""

from __future__ import annotations

import unittest

from director.model.testing.import_order import PythonRun, inherits_path, python_runs


class TestPythonRuns(unittest.TestCase):
    def only(self, command: str) -> PythonRun:
        (run,) = python_runs(command)
        return run

    def test_the_folder_it_runs_in_comes_first_with_m_alone(self) -> None:
        self.assertEqual(self.only("python3 -m unittest").first, ("",))
        self.assertEqual(self.only("python3 -W error -B -m pytest -q").first, ("",))
        self.assertEqual(self.only("pytest -q tests/test_a.py::test").first, ())
        self.assertEqual(self.only("cd api && python -m pytest").first, ("api",))

    def test_its_search_path(self) -> None:
        for command, first, outside in (
            ("PYTHONPATH=src pytest", ("src",), ()),
            ('PYTHONPATH="src:$PYTHONPATH" pytest', ("src",), ()),
            ("PYTHONPATH=$PWD/src:/r/lib pytest", ("src",), ("/r/lib",)),
            ("export PYTHONPATH=src; pytest", ("src",), ()),
            ("cd api; env PYTHONPATH=./lib: pytest", ("api/lib", "api"), ()),
            ("PYTHONPATH=$HOME/x pytest", (), ()),
        ):
            run = self.only(command)
            self.assertEqual((run.first, run.outside), (first, outside), command)

    def test_whether_the_caller_s_search_path_counts(self) -> None:
        self.assertTrue(inherits_path("pytest"))
        self.assertTrue(inherits_path('PYTHONPATH="src:$PYTHONPATH" pytest'))
        self.assertFalse(inherits_path("PYTHONPATH=src pytest"))

    def test_the_program(self) -> None:
        for command, program in (
            (".venv/bin/python -m unittest", ".venv/bin/python"),
            (". .venv/bin/activate && pytest", ".venv/bin/pytest"),
            ("FOO=1 python3.12 -m pytest", "python3.12"),
        ):
            self.assertEqual(self.only(command).program, program, command)

    def test_what_pytest_is_given(self) -> None:
        self.assertEqual(
            self.only("cd api && pytest -q tests/a.py::test_x").places, ("api/tests/a.py",)
        )
        self.assertIsNone(self.only("python -m unittest tests.a").places)

    def test_what_is_not_plain(self) -> None:
        for command in (
            "make test", "uv run pytest", "tox", "poetry run pytest", "npm test", "sh run.sh",
            "python -I -m pytest", "python -P -m pytest", "pytest -c other.ini",
            "pytest --rootdir=x", "pytest --import-mode=importlib", "python tests/a.py", "python",
            "PATH=x:$PATH pytest", "cd /x && pytest", "PYTHONPATH=$(pwd)/src pytest", "pytest 'x",
            ". ./environment && pytest", "python -c 'import pytest'",
        ):  # fmt: skip
            self.assertEqual(python_runs(command), (), command)
