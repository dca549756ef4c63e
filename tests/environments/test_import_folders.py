"""Which folders of a worktree come before what is installed."""

from __future__ import annotations

from collections.abc import Mapping

from director.environments.import_folders import first_folders, importable
from director.model.testing.import_order import python_runs
from tests.support.hermetic import TemporaryCase


class TestFirstFolders(TemporaryCase):
    def folders(self, command: str, files: Mapping[str, str]) -> set[str] | None:
        place = self.tmp / f"tree-{len(list(self.tmp.iterdir()))}"
        for name, text in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (run,) = python_runs(command)
        found = first_folders(run, place)
        return None if found is None else {path.relative_to(place).as_posix() for path in found}

    def test_unittest(self) -> None:
        files = {"conftest.py": "", "tests/a.py": ""}
        self.assertEqual(self.folders("python -m unittest", files), {"."})

    def test_pytest_adds_the_folder_of_what_is_no_package(self) -> None:
        test = "tests/unit/test_a.py"
        plain = {test: "", "tests/__init__.py": ""}
        self.assertEqual(self.folders(f"pytest {test}", plain), {"tests/unit"})
        packages = {**plain, "tests/unit/__init__.py": ""}
        self.assertEqual(self.folders(f"pytest {test}", packages), {"."})
        files = {"tests/a.py": "", "conftest.py": ""}
        self.assertEqual(self.folders("pytest", files), {"tests", "."})

    def test_settings_of_pytest(self) -> None:
        for name, text in (
            ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["src", "lib"]\n'),
            ("pyproject.toml", '[tool.pytest]\npythonpath = ["src", "lib"]\n'),
            ("pytest.ini", "[pytest]\npythonpath = src lib\n"),
            ("tox.ini", "[pytest]\npythonpath = src lib\n"),
            ("setup.cfg", "[tool:pytest]\npythonpath =\n    src\n    lib\n"),
        ):
            self.assertEqual(self.folders("pytest", {name: text}), {"src", "lib"}, name)

    def test_settings_of_the_folder_it_runs_in(self) -> None:
        files = {
            "api/pytest.ini": "[pytest]\npythonpath = src\n",
            "pytest.ini": "[pytest]\npythonpath = lib\n",
        }
        self.assertEqual(self.folders("cd api && python -m pytest", files), {"api", "api/src"})

    def test_import_mode(self) -> None:
        settings = '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n'
        files = {"pyproject.toml": settings, "tests/test_a.py": "", "conftest.py": ""}
        self.assertEqual(self.folders("pytest", files), set())

    def test_tests_that_put_folders_there_themselves(self) -> None:
        for name in ("conftest.py", "tests/conftest.py", "tests/unit/test_a.py", "test_a.py"):
            files = {name: "import sys\nsys.path.insert(0, 'src')\n"}
            self.assertIsNone(self.folders("pytest", files), name)

    def test_settings_that_cannot_be_read(self) -> None:
        for name, text in (
            ("pyproject.toml", "[tool"), ("pyproject.toml", "tool = 1\n"),
            ("pyproject.toml", "[tool.pytest]\nini_options = 1\n"),
            ("pyproject.toml", "[tool.pytest.ini_options]\npythonpath = 1\naddopts = 2\n"),
            ("pytest.ini", "x"), ("setup.cfg", "\0"),
        ):  # fmt: skip
            self.assertEqual(self.folders("pytest", {name: text}), set(), text)

    def test_importable(self) -> None:
        for name in ("a/__init__.py", "b.py", "c/x.py"):
            (self.tmp / name).parent.mkdir(exist_ok=True)
            (self.tmp / name).write_text("")
        found = {name for name in "abcd" if importable(name, [self.tmp / "nowhere", self.tmp])}
        self.assertEqual(found, {"a", "b"})
