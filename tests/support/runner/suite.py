"""What there is to run: test classes, by the names that a person types."""

from __future__ import annotations

import unittest
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tests.support.hermetic import ProcessCase


@dataclass(frozen=True)
class Unit:
    """Tests that run one after the other in one process: those of a class.

    ``tests`` are their names as ``unittest`` takes them; ``fast``: no ProcessCase, so that they may
    start no process.
    """

    name: str
    tests: tuple[str, ...]
    fast: bool


@dataclass(frozen=True)
class Choice:
    """Which tests a person wants; what is empty, None or False leaves nothing out.

    ``names`` are folders, modules, classes or tests, with dots or slashes; ``patterns`` are those
    of ``unittest -k``; ``only`` are tests.
    """

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    fast: bool = False
    without: tuple[str, ...] = field(default=())


def find_units(modules: Sequence[str]) -> list[Unit]:
    """Load the modules (dotted names) and return their classes, in that order.

    A module that cannot be imported is a unit too: its only test fails and says why.
    """
    units = []
    for module in modules:
        found: dict[type[unittest.TestCase], list[str]] = {}
        for test in _cases(unittest.TestLoader().loadTestsFromName(module)):
            found.setdefault(type(test), []).append(test.id())
        for kind, tests in found.items():
            if kind.__module__.startswith("unittest"):
                units.append(Unit(module, (module,), fast=True))
            else:
                name = f"{kind.__module__}.{kind.__qualname__}"
                units.append(Unit(name, tuple(tests), not issubclass(kind, ProcessCase)))
    return units


def chosen(units: Iterable[Unit], choice: Choice) -> list[Unit]:
    """Return the units with the tests that are wanted; those without any are left out."""
    names = [dotted(name) for name in choice.names]
    without = [dotted(name) for name in choice.without]
    left = []
    for unit in units:
        tests = tuple(
            test
            for test in unit.tests
            if (not names or any(_is_in(test, name) for name in names))
            and not any(_is_in(test, name) for name in without)
            and (not choice.patterns or any(_fits(test, one) for one in choice.patterns))
            and (choice.only is None or test in choice.only)
        )
        if tests and (unit.fast or not choice.fast):
            left.append(Unit(unit.name, tests, unit.fast))
    return left


def dotted(name: str) -> str:
    """Return a name as a person types it as Python spells it: ``tests/job/`` is ``tests.job``."""
    path = Path(name)
    return ".".join(path.with_suffix("").parts) if path.suffix == ".py" or "/" in name else name


def _is_in(test: str, name: str) -> bool:
    return f"{test}.".startswith(f"{name}.")


def _fits(test: str, pattern: str) -> bool:
    return fnmatchcase(test, pattern if "*" in pattern else f"*{pattern}*")


def _cases(suite: unittest.TestSuite | unittest.TestCase) -> Iterator[unittest.TestCase]:
    if isinstance(suite, unittest.TestSuite):
        for part in suite:
            yield from _cases(part)
    else:
        yield suite
