"""Every module of director has its tests, and it can be seen which those are.

``director/job/lanes.py`` is tested by ``tests/job/test_lanes.py``, or a test file whose docstring
names ``director.job.lanes`` (or a folder that holds it, as ``director.demo.nodes``).
"""

from __future__ import annotations

import ast
import re
import unittest
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "director"
OF_PROMISES = ("e2e", "faults", "support")
"""Folders of tests that are about what users rely on, whichever modules see to it."""

NAMED = re.compile(r"\bdirector(?:\.\w+)+")


class TestMirror(unittest.TestCase):
    def setUp(self) -> None:
        self.folders = {_dotted(path) for path in PACKAGE.rglob("__init__.py")}
        self.modules = {_dotted(path) for path in PACKAGE.rglob("*.py")} - self.folders
        self.modules.discard("director.__main__")  # it calls one function
        self.said = {path: set(_named(path)) for path in TESTS.rglob("test_*.py")}

    def test_each_module_has_a_test_of_its_name_or_one_that_names_it(self) -> None:
        named = set().union(*self.said.values())
        ours = {_of_the_same_name(path) for path in self.said}
        for module in sorted(self.modules):
            known = module in ours or any(f"{module}.".startswith(f"{one}.") for one in named)
            self.assertTrue(known, f"no test says `Tests {module}` in its docstring")

    def test_each_test_has_a_module_of_its_name_or_names_one(self) -> None:
        for path, named in self.said.items():
            if path.parent == TESTS or path.relative_to(TESTS).parts[0] in OF_PROMISES:
                continue
            known = named or _of_the_same_name(path) in self.modules
            self.assertTrue(known, f"{path}: whose test is it? Its docstring can name a module")

    def test_only_modules_that_exist_are_named(self) -> None:
        for path, named in self.said.items():
            if path != Path(__file__).resolve():
                self.assertEqual(named - self.modules - self.folders, set(), path)


def _dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _of_the_same_name(test: Path) -> str:
    folder = test.relative_to(TESTS).parent
    return ".".join(("director", *folder.parts, test.stem.removeprefix("test_")))


def _named(test: Path) -> Iterator[str]:
    yield from NAMED.findall(ast.get_docstring(ast.parse(test.read_text())) or "")
