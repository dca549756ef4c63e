"""Every module of director has its tests, and it can be seen which those are.

``director/job/lanes.py`` is tested by ``tests/job/test_lanes.py``, or by a test whose docstring
names it in double backticks: "With it: ``machine``", or "Covers ``processes.machine``".
"""

from __future__ import annotations

import ast
import re
import unittest
from pathlib import Path
from typing import ClassVar

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "director"
OF_PROMISES = {"e2e", "faults", "support"}
"""Folders of tests that are about what users rely on, whichever modules see to it."""

NAME = re.compile(r"``([\w.]+)``")


class TestMirror(unittest.TestCase):
    modules: ClassVar[set[str]]
    named: ClassVar[dict[Path, set[str]]]

    @classmethod
    def setUpClass(cls) -> None:
        paths = (path for path in PACKAGE.rglob("*.py") if not path.stem.startswith("__"))
        cls.modules = {_dotted(path.relative_to(PACKAGE)) for path in paths}
        cls.named = {path: _named(path) for path in TESTS.rglob("test_*.py")}

    def test_each_module_has_a_test_of_its_name_or_one_that_names_it(self) -> None:
        named = set().union(*self.named.values())
        ours = {_of_the_same_name(path) for path in self.named}
        for module in sorted(self.modules - ours):
            if not _ways_to_name(module) & named:
                self.fail(
                    f"director.{module}: which test's docstring says `With it: ``{module}```?"
                )

    def test_each_test_has_a_module_of_its_name_or_names_one(self) -> None:
        known = set().union(*map(_ways_to_name, self.modules))
        for path, named in self.named.items():
            if path.parent == TESTS or path.relative_to(TESTS).parts[0] in OF_PROMISES:
                continue
            if _of_the_same_name(path) not in self.modules and not named & known:
                self.fail(f"{path}: whose test is it? Let its docstring say `Of ``a_module```")


def _named(test: Path) -> set[str]:
    return set(NAME.findall(ast.get_docstring(ast.parse(test.read_text())) or ""))


def _ways_to_name(module: str) -> set[str]:
    """Return ``a.b.c``, ``b.c`` and ``c``, and a folder within a folder that it is in: ``a.b``."""
    parts = module.split(".")
    ends = {".".join(parts[start:]) for start in range(len(parts))}
    return ends | {".".join(parts[:end]) for end in range(2, len(parts))}


def _of_the_same_name(test: Path) -> str:
    path = test.relative_to(TESTS)
    return _dotted(path.with_stem(path.stem.removeprefix("test_")))


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)
