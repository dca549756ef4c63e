"""The folders of a worktree that come before installed packages on Python's path in a test run."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from director.model.patterns import lazy_pattern
from director.model.testing.import_order import PythonRun
from director.records.files import read_beginning

MOST_FILES = 1000
BY_THEMSELVES = lazy_pattern(r"\bsys\.path\b|\bsite\.addsitedir\b|\bsys\.meta_path\b")
TESTS = ("tests", "test")
SECTIONS = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"), ("tox.ini", "pytest"),
            ("setup.cfg", "tool:pytest"))  # fmt: skip


def first_folders(run: PythonRun, worktree: Path) -> list[Path] | None:
    """Return the folders; None where the tests put some on the path themselves."""
    if any(BY_THEMSELVES.search(read_beginning(path)) for path in _test_files(run, worktree)):
        return None
    found = [worktree / name for name in run.first]
    if run.places is None:
        return found
    top = worktree / run.folder
    settings = _settings(top, worktree)
    found += settings.path
    if not settings.as_it_is:
        places = [worktree / place for place in run.places]
        usual = [top / name for name in TESTS]
        folders = [place if place.is_dir() else place.parent for place in places] or usual
        found += [_outside_packages(folder) for folder in folders if folder.is_dir()]
        found += [folder for folder in (top, worktree) if (folder / "conftest.py").is_file()]
    return found


def importable(name: str, folders: list[Path]) -> bool:
    """Whether one of ``folders`` holds a module of that name."""
    return any(
        (folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file()
        for folder in folders
    )


class _Settings:
    """What pytest is told by its file: folders for the path, and whether it adds none itself."""

    def __init__(self, folder: Path, told: Mapping[str, Any]) -> None:
        self.path = [folder / name for name in _words(told.get("pythonpath"))]
        self.as_it_is = any("importlib" in word for word in _words(told.get("addopts")))


def _words(value: object) -> list[str]:
    """Return the parts of a setting: a list, or one string as other files than TOML have it."""
    if isinstance(value, str):
        return value.split()
    return [str(one) for one in value] if isinstance(value, list) else []


def _settings(top: Path, worktree: Path) -> _Settings:
    """Return the settings in the first file that pytest would read, from ``top`` upwards."""
    import configparser  # as slow to import as ten modules of ours

    for folder in (top, *top.parents):
        if not folder.is_relative_to(worktree):
            break
        if told := _in_project_file(folder):
            return _Settings(folder, told)
        for name, section in SECTIONS:
            with suppress(configparser.Error):
                parser = configparser.ConfigParser(interpolation=None)
                parser.read_string(read_beginning(folder / name))
                if parser.has_section(section):
                    return _Settings(folder, parser[section])
    return _Settings(top, {})


def _in_project_file(folder: Path) -> Mapping[str, Any]:
    try:
        value: Any = tomllib.loads(read_beginning(folder / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return {}
    for name in ("tool", "pytest"):
        value = value.get(name)
        if not isinstance(value, dict):
            return {}
    older = value.get("ini_options")  # until pytest 9
    return {**value, **older} if isinstance(older, dict) else value


def _outside_packages(folder: Path) -> Path:
    """Return the first folder upwards that is no package: pytest puts it on the path."""
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _test_files(run: PythonRun, worktree: Path) -> Iterator[Path]:
    """Give the files of tests that run, or may, as far as one can see."""
    tops = dict.fromkeys((worktree / run.folder, worktree))
    yield from (top / "conftest.py" for top in tops)
    for top in tops:
        yield from top.glob("test*.py")
        for name in TESTS:
            yield from islice((top / name).rglob("*.py"), MOST_FILES)
    for place in run.places or ():
        path = worktree / place
        yield from islice(path.rglob("*.py"), MOST_FILES) if path.is_dir() else (path,)
