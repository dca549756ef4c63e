"""What the rows of ecosystems are made of: a project's paths and texts, and what a row says.

Commands are for the project's own folder; ``{python}`` stands for the first of the row's
interpreters that is there.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple


class Project:
    """A folder with a manifest. ``paths`` and ``tests`` are relative to it, ``tests`` in order.

    ``texts`` maps the paths of manifests to their text.
    """

    def __init__(
        self, folder: str, paths: tuple[str, ...], tests: tuple[str, ...], texts: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.paths = paths
        self.tests = tests
        self.texts = texts

    @cached_property
    def known(self) -> frozenset[str]:
        """The paths, to look one up."""
        return frozenset(self.paths)

    @cached_property
    def near(self) -> tuple[str, ...]:
        """The paths at most one folder down: no manifest that a row asks for lies deeper."""
        return tuple(path for path in self.paths if path.count("/") < 2)

    @property
    def first_test(self) -> str:
        """The test file nearest to the root ("": there is none)."""
        return self.tests[0] if self.tests else ""

    def says(self, pattern: str, *paths: str) -> bool:
        """Whether one of the texts (of ``paths``, where given) holds the pattern."""
        text = self.all_of(paths or self.texts)
        return re.search(pattern, text, re.MULTILINE) is not None

    def all_of(self, paths: Iterable[str]) -> str:
        """Return the texts of ``paths``, one after the other."""
        return "\n".join(self.texts.get(path, "") for path in paths)

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """``pyproject.toml``, {} where there is none that can be read."""
        try:
            return tomllib.loads(self.texts.get("pyproject.toml", ""))
        except tomllib.TOMLDecodeError:
            return {}

    @cached_property
    def package(self) -> dict[str, Any]:
        """``package.json``, {} where there is none that can be read."""
        try:
            found = json.loads(self.texts.get("package.json", "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


def no_folders(_: Project) -> tuple[str, ...]:
    """Keep no build folder."""
    return ()


def no_setup(_: Project) -> str:
    """Need nothing."""
    return ""


def always(text: str) -> Callable[[Project], str]:
    """Return a function that gives ``text`` for every project."""
    return lambda _: text


def no_single(_: Project, __: str) -> str:
    """Know no command for one test file."""
    return ""


class Row(NamedTuple):
    """One ecosystem; a folder has at most one of each ``family``, the first whose marks fit.

    Globs: ``marks`` (of file names) make a folder a project, ``locks`` also one below another of
    the family, ``inputs`` is what setup reads, ``reads`` what the functions want to see the text
    of, and of the first test where ``reads_test``. ``last_resort``: only where nothing else has
    tests.
    """

    name: str
    family: str
    marks: tuple[str, ...]
    inputs: tuple[str, ...]
    tests: str
    suite: Callable[[Project], str]
    runner: Callable[[Project], str]
    setup: Callable[[Project], str] = no_setup
    single: Callable[[Project, str], str] = no_single
    keep: Callable[[Project], tuple[str, ...]] = no_folders
    locks: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    reads_test: bool = False
    interpreters: tuple[str, ...] = ()
    last_resort: bool = False

    def is_test(self, path: str) -> bool:
        """Whether a path, relative to the project, is that of a test file."""
        return re.search(self.tests, path) is not None


def table(value: object) -> dict[str, Any]:
    """Return ``value`` where it is a table, else an empty one."""
    return value if isinstance(value, dict) else {}
