"""Whether a red run lacks something in its environment that no work at the node can bring.

Tests are red for the right reason when what they want does not exist yet. A runner that is not
installed, a package that is not in the worktree or a target that no Makefile has look just the
same to an exit code. The tools' own words tell them apart (``script_symptoms.py`` and
``build_symptoms.py``). Where a name may be the work's own nothing counts as missing: an attempt
costs less than tests that are refused for nothing.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from director.model.patterns import lazy_pattern
from director.model.testing import build_symptoms, script_symptoms
from director.model.testing.command_run import CommandRun
from director.model.testing.symptoms import NameKind, Symptom

SHOWN_CHARACTERS = 160
_SOURCE = lazy_pattern(
    r".*\.(?:pyi?|pyx|so|[cm]?[jt]sx?|json|node|vue|svelte|rb|go|rs|c|cc|cpp|cxx|h|hpp|java|kt|php"
    r"|sh|pl|ex|exs|cs|fs|swift|scala|clj|lua)"
)
_PROJECTS_OWN = lazy_pattern(r"[./#~]|@/|node:")  # how relative and aliased modules begin
_INSTALLED = "node_modules/"


class Missing(NamedTuple):
    """What is missing. ``words``: what the run said of it, in a line; ``next_step``: what to do.

    ``avoidable``: other tests may do without it, so that their author may be told.
    """

    words: str
    next_step: str
    avoidable: bool = False


def missing_in_environment(
    run: CommandRun, node_files: Collection[str], tracked: Collection[str]
) -> Missing | None:
    """Return what ``run`` lacks that the work cannot bring, or None where nothing is known of it.

    ``node_files`` are the files that the work may make or change (allowlists and tests: of every
    node that is still to be done); ``tracked`` all files of the commit that was run. Paths are
    relative to its root.
    """
    text, executed = run.plain, run.executed
    work = _Work(node_files, tracked)
    for symptom in (*script_symptoms.SYMPTOMS, *build_symptoms.SYMPTOMS):
        if symptom.sign not in text or (executed and not symptom.beside_tests):
            continue
        for found in re.finditer(symptom.words, text, re.MULTILINE):
            named = found.groupdict().get("name") or ""
            if not work.may_bring(symptom, named):
                said = " ".join(found["said"].split())
                return Missing(said[:SHOWN_CHARACTERS], symptom.remedy.value, symptom.avoidable)
    return None


class _Work:
    """What the nodes may make, and what is there already."""

    def __init__(self, files: Collection[str], tracked: Collection[str]) -> None:
        self._files = files
        self._tracked = tracked

    def may_bring(self, symptom: Symptom, name: str) -> bool:
        """Whether the work, or the project as it is, may hold what a symptom says is missing."""
        if symptom.fixed_by and any(
            re.fullmatch(symptom.fixed_by, _base(path)) for path in self._files
        ):
            return True
        match symptom.named:
            case NameKind.PYTHON:
                return self._has_python(name)
            case NameKind.MODULE:
                return self._has_module(name)
            case NameKind.PATH:
                there = any(_base(path) == _base(name) for path in self._tracked)
                names = _stems(name) | {f"lib{_plain(name)}"}  # a linker says "-lname"
                return there or not names.isdisjoint(_all_names(self._files))
            case NameKind.FOLDER:
                folder = name.removeprefix("./").strip("/\"'")
                return any(f"/{folder}/" in f"/{path}" for path in (*self._files, *self._tracked))
        return False

    def _has_python(self, module: str) -> bool:
        """Whether a Python module is the work's, or one that only the project can explain.

        A whole package that is there and is not found is not: it is neither installed nor on
        Python's path, and files that are added to it change nothing.
        """
        top, dot, _ = module.partition(".")
        new = [path for path in self._files if path not in self._tracked]
        there = [path for path in self._tracked if _makes(path, top)]
        if not dot and there:
            return any(_makes(path, top) for path in new)
        sources = [path for path in self._tracked if _SOURCE.fullmatch(path)]
        return _plain(top) in _all_names([*self._files, *sources])

    def _has_module(self, name: str) -> bool:
        """Whether a package may be the project's own: a part of its name is the name of a file."""
        if _INSTALLED in name:
            return False
        if _PROJECTS_OWN.match(name):
            return True
        parts = [_plain(part) for part in re.split(r"[/\\:@]+", name) if part]
        first = parts[:2] if name.startswith("@") else parts[:1]
        sources = [path for path in self._tracked if _SOURCE.fullmatch(path)]
        if not _all_names(self._files).isdisjoint(parts):
            return True
        return not _all_names(sources).isdisjoint({*first, parts[-1]} if parts else ())


def _makes(path: str, top: str) -> bool:
    """Whether a file is the Python module ``top``, or makes it a package."""
    return f"/{path}".endswith((f"/{top}.py", f"/{top}/__init__.py"))


def _all_names(paths: Iterable[str]) -> frozenset[str]:
    """Return the names of the files, without their endings, and of the folders they lie in."""
    return frozenset(name for path in paths for name in _names(path))


def _names(path: str) -> Iterator[str]:
    *folders, base = path.split("/")
    yield from map(_plain, folders)
    yield from _stems(base)


def _stems(path: str) -> frozenset[str]:
    """Return what a file may be called: with no ending, and with none of several."""
    base = _plain(_base(path))
    return frozenset({base, base.rpartition(".")[0] or base, base.partition(".")[0] or base})


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()
