"""Which ecosystems a repository has, read from its tracked paths and a few manifests.

Each says what a worktree needs before tests can run in it, and how the tests run that are there.
What is special about one ecosystem is a row of ``ecosystem_rows``; here is what all have in common.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

from director.model.config import WorktreePolicy
from director.model.ecosystems.project import Project, Row
from director.model.ecosystems.rows import ROWS
from director.model.paths import parents

MOST_PROJECTS = 6  # of a monorepo: those nearest to the root
# Projects below one of these are not what the repository is about.
_ASIDE = frozenset(
    {"doc", "docs", "example", "examples", "sample", "samples", "fixtures", "testdata", "vendor"}
    | {"third_party", "node_modules", "templates", "benchmarks", "fuzz", "test", "tests"}
)


class Example(NamedTuple):
    """A test file of the repository, and the command that runs it alone ("": not known)."""

    path: str
    command: str


class Ecosystem(NamedTuple):
    """One project of the repository. ``folder`` is relative to its root ("": the root).

    ``setup`` is a shell command for the root ("": nothing is needed), ``inputs`` are the files it
    reads, ``keep`` build folders. ``runner`` says in words what runs the tests. Commands begin
    with the first of ``interpreters`` that is there; ``suite`` "": there are no tests to run.
    """

    name: str
    folder: str
    setup: str
    inputs: tuple[str, ...]
    keep: tuple[str, ...]
    runner: str
    interpreters: tuple[str, ...]
    suite: str
    example: Example | None

    def suite_in(self, exists: Callable[[str], bool]) -> str:
        """Return the command for all tests where ``exists`` knows the paths (run in the root)."""
        return self._started(self.suite, exists)

    def example_in(self, exists: Callable[[str], bool]) -> Example | None:
        """Return the example with its command where ``exists`` knows the paths."""
        if self.example is None:
            return None
        return Example(self.example.path, self._started(self.example.command, exists))

    def _started(self, command: str, exists: Callable[[str], bool]) -> str:
        here = (one for one in self.interpreters if "/" not in one or exists(self._at(one)))
        return command.replace("{python}", next(here, ""))

    def _at(self, path: str) -> str:
        return f"{self.folder}/{path}" if self.folder else path


def manifests(paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of the tracked ``paths`` whose text ``ecosystems`` wants to see."""
    wanted: dict[str, None] = {}
    for row, project in _projects(paths):
        names = [path for path in project.near if _any(path, row.reads)]
        shown = [project.first_test] if row.reads_test and project.first_test else []
        wanted |= dict.fromkeys(_below(project.folder, one) for one in (*names, *shown))
    return tuple(wanted)


def ecosystems(paths: Sequence[str], texts: Mapping[str, str]) -> tuple[Ecosystem, ...]:
    """Return the ecosystems of a repository; ``texts`` maps ``manifests(paths)`` to their text.

    Those nearest to the root come first. A ``Makefile`` counts where nothing else has tests.
    """
    found = [(row, _ecosystem(row, project, texts)) for row, project in _projects(paths)]
    tested = {one.folder for row, one in found if one.suite and not row.last_resort}
    return tuple(
        one for row, one in found if not row.last_resort or (one.suite and one.folder not in tested)
    )


def proposal(found: Sequence[Ecosystem], paths: Sequence[str]) -> WorktreePolicy | None:
    """Return the ``[worktree]`` that makes tests run; None: a worktree needs nothing.

    Only projects that have tests count, where any has. ``paths`` are the tracked ones: no build
    folder holds any of them.
    """
    wanted = [one for one in found if one.suite] or list(found)
    setups = [one.setup for one in wanted if one.setup]
    tracked = {folder for path in paths for folder in parents(path)}
    keep = [name for one in wanted for name in one.keep if name not in tracked]
    if not setups and not keep:
        return None
    inputs = [path for one in wanted if one.setup for path in one.inputs]
    return WorktreePolicy(
        setup=" && ".join(setups),
        setup_inputs=tuple(dict.fromkeys(inputs)) if setups else None,
        keep=tuple(dict.fromkeys(keep)),
    )


def toml_lines(policy: WorktreePolicy) -> list[str]:
    """Return what a proposal sets under ``[worktree]``, in TOML, without what is empty."""
    values = {"setup": policy.setup, "setup_inputs": policy.setup_inputs, "keep": policy.keep}
    return [
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value
    ]


def as_toml(policy: WorktreePolicy) -> str:
    """Return ``[worktree]`` as a configuration spells it, without what is empty."""
    return "\n".join(["[worktree]", *toml_lines(policy)]) + "\n"


def is_manifest(path: str) -> bool:
    """Whether a file is a lock file or a manifest, by its name: what a setup command reads."""
    return _inputs().match(path) is not None


@cache
def _inputs() -> re.Pattern[str]:
    return _ending_in(one for row in ROWS for one in row.inputs)


@cache
def _marks() -> re.Pattern[str]:
    return _ending_in(one for row in ROWS for one in row.marks)


def _ending_in(globs: Iterable[str]) -> re.Pattern[str]:
    """Return what matches a path that is, in any folder, one of the globs."""
    names = (re.escape(one).replace(r"\*", "[^/]*") for one in dict.fromkeys(globs))
    return re.compile(rf"(?:[^/]*/)*(?:{'|'.join(names)})$")


def _projects(paths: Sequence[str]) -> list[tuple[Row, Project]]:
    """Return row and folder of each project; the first row of a family that fits a folder wins."""
    by_folder: dict[str, set[str]] = {}
    for path in filter(_marks().match, paths):
        folder, _, name = path.rpartition("/")
        by_folder.setdefault(folder, set()).add(name)
    nearest = sorted(by_folder, key=lambda folder: (folder.count("/"), bool(folder), folder))
    found: list[tuple[Row, str]] = []
    for folder in nearest:
        if not _ASIDE.isdisjoint(folder.split("/")):
            continue
        families: set[str] = set()
        for row in ROWS:
            names = by_folder[folder]
            if row.family in families or not any(_any(name, row.marks) for name in names):
                continue
            families.add(row.family)
            if _stands_apart(row, folder, names, found):
                found.append((row, folder))
    return [(row, _project(row, folder, paths)) for row, folder in found[:MOST_PROJECTS]]


def _stands_apart(row: Row, folder: str, names: set[str], found: list[tuple[Row, str]]) -> bool:
    """Whether no project above has a part in this one, or it has a lock file of its own."""
    above = any(
        other.family == row.family and (not place or folder.startswith(f"{place}/"))
        for other, place in found
    )
    return not above or any(_any(name, row.locks) for name in names)


def _project(row: Row, folder: str, paths: Sequence[str]) -> Project:
    start = f"{folder}/" if folder else ""
    inside = tuple(path.removeprefix(start) for path in paths if path.startswith(start))
    tests = sorted(filter(row.is_test, inside), key=lambda path: (path.count("/"), path))
    return Project(folder, inside, tuple(tests), {})


def _ecosystem(row: Row, bare: Project, texts: Mapping[str, str]) -> Ecosystem:
    folder = bare.folder
    start = f"{folder}/" if folder else ""
    here = {path.removeprefix(start): texts[path] for path in texts if path.startswith(start)}
    project = Project(folder, bare.paths, bare.tests, here)
    setup, suite = row.setup(project), row.suite(project)
    inputs = (path for path in project.near if _any(path, row.inputs))
    example = None
    if suite and project.first_test:
        single = _inside(folder, row.single(project, project.first_test))
        example = Example(_below(folder, project.first_test), single)
    return Ecosystem(
        name=row.name,
        folder=folder,
        setup=f"({_inside(folder, setup)})" if folder and setup else setup,
        inputs=tuple(_below(folder, path) for path in inputs),
        keep=tuple(_below(folder, path) for path in row.keep(project)),
        runner=row.runner(project),
        interpreters=row.interpreters,
        suite=_inside(folder, suite),
        example=example,
    )


def _inside(folder: str, command: str) -> str:
    return f"cd {shlex.quote(folder)} && {command}" if folder and command else command


def _below(folder: str, path: str) -> str:
    return f"{folder}/{path}" if folder else path


def _any(name: str, globs: Iterable[str]) -> bool:
    """Whether a path fits one of the globs, in which no ``*`` stands for a ``/``."""
    return any(name.count("/") == one.count("/") and fnmatchcase(name, one) for one in globs)
