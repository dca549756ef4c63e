"""The rules of the layout that a reader can rely on, read from the source."""

from __future__ import annotations

import ast
import re
import sys
import unittest
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import ClassVar

PACKAGE = Path(__file__).resolve().parents[1] / "director"
LAYERS = (
    "__main__",
    "cli",
    "commands",
    "command_line",
    "mcp",
    "benching",
    "planning",
    "verifying",
    "landing",
    "running",
    "diagnosing",
    "reporting",
    "job",
    "demo",
    "agents",
    "worktrees",
    "environments",
    "repositories",
    "processes",
    "records",
    "model",
    "__init__",
)
"""The folders and modules of the package, highest first: imports point down this list only."""

USE_CASES = {"planning", "running", "verifying", "landing", "diagnosing"}
"""Folders of the package that do not import each other."""

PROCESS_STARTERS = {"subprocess", "multiprocessing", "pty"}
PROCESS_MODULE = "director.processes.children"
# Programs of their own, which take rights away from themselves and become another.
BECOME_ANOTHER = ("director.agents.opencode.bound_shell", "director.processes.confiner")
CLI_NAMES = re.compile(r"opencode|claude.?code|codex", re.IGNORECASE)
# Where an agent CLI may be named: its own package, the registry, and the demo, which plays one.
NAME_CLIS = ("agents/opencode", "agents/claude_code", "agents/codex", "demo")
NAMES_CLIS = {"agents/registry.py", "commands/demo.py"}
UNFINISHED = re.compile(r"TODO|FIXME|XXX|NotImplementedError")


class TestArchitecture(unittest.TestCase):
    sources: ClassVar[dict[str, Path]]
    imports: ClassVar[dict[str, set[str]]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.sources = {_module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
        cls.imports = {name: set(_imports(path)) for name, path in cls.sources.items()}

    def test_every_folder_has_its_place(self) -> None:
        self.assertEqual({_layer(name) for name in self.sources}, set(LAYERS))

    def test_only_the_standard_library_is_imported(self) -> None:
        known = sys.stdlib_module_names | {"director"}
        for name, imported in self.imports.items():
            foreign = {one for one in imported if one.partition(".")[0] not in known}
            self.assertEqual(foreign, set(), name)

    def test_imports_between_folders_point_downwards(self) -> None:
        for name in self.sources:
            upwards = {
                other
                for other in self._own(name)
                if LAYERS.index(_layer(other)) < LAYERS.index(_layer(name))
            }
            self.assertEqual(upwards, set(), name)

    def test_no_pattern_is_compiled_while_a_module_is_imported(self) -> None:
        for name, path in self.sources.items():
            self.assertEqual(list(_compiled_at_import(ast.parse(path.read_text()))), [], name)

    def test_the_types_of_a_values_fields_are_no_texts(self) -> None:
        """A type that is a text is compiled when its class is made, in each process that starts."""
        texts = {name: path.read_text() for name, path in self.sources.items()}
        late = [name for name, text in texts.items() if "from __future__ import annot" in text]
        self.assertEqual([name for name in late if "(NamedTuple)" in texts[name]], [])

    def test_use_cases_do_not_import_each_other(self) -> None:
        for name in self.sources:
            others = USE_CASES - {_layer(name)} if _layer(name) in USE_CASES else set()
            imported = {other for other in self._own(name) if _layer(other) in others}
            self.assertEqual(imported, set(), name)

    def test_no_import_goes_in_a_circle(self) -> None:
        graph = {name: self._own(name) for name in self.sources}
        list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle

    def test_one_module_starts_processes(self) -> None:
        starters = {name for name, found in self.imports.items() if found & PROCESS_STARTERS}
        self.assertEqual({_layer(name) for name in starters}, {_layer(PROCESS_MODULE)})
        started = re.compile(r"\bsubprocess\.(?!Popen\[)(?:[a-z]\w*|Popen)\b")
        calling = {name for name in starters if started.search(self.sources[name].read_text())}
        self.assertEqual(calling, {PROCESS_MODULE})
        for name, path in self.sources.items():
            if name in BECOME_ANOTHER:
                continue
            calls = re.findall(
                r"\bos\.(?:system|popen|fork\w*|exec\w+|(?:posix_)?spawn\w*)\(", path.read_text()
            )
            self.assertEqual(calls, [], name)

    def test_agent_clis_are_named_in_their_own_packages_only(self) -> None:
        for path in self.sources.values():
            place = path.relative_to(PACKAGE)
            if place.as_posix() in NAMES_CLIS or any(place.is_relative_to(p) for p in NAME_CLIS):
                continue
            self.assertEqual(CLI_NAMES.findall(path.read_text()), [], place)

    def test_an_agent_cli_is_imported_by_the_registry_only(self) -> None:
        own = tuple(f"director.{place.replace('/', '.')}" for place in NAME_CLIS[:-1])
        for name in self.sources:
            imported = {one for one in self._own(name) if one.startswith(own)}
            if imported and not name.startswith(("director.agents", "director.demo")):
                self.fail(f"{name} imports {imported}")
            if name.startswith(own):
                others = {one for one in imported if one.split(".")[2] != name.split(".")[2]}
                self.assertEqual(others, set(), name)

    def test_nothing_is_left_to_do(self) -> None:
        for name, path in self.sources.items():
            self.assertEqual(UNFINISHED.findall(path.read_text()), [], name)

    def _own(self, name: str) -> set[str]:
        """Return the modules of this package that ``name`` imports, itself left out."""
        found = set()
        for imported in self.imports[name]:
            module = imported if imported in self.sources else imported.rpartition(".")[0]
            if module in self.sources and module != name:
                found.add(module)
        return found


def _module_of(path: Path) -> str:
    parts = ("director", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _layer(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def _imports(path: Path) -> Iterator[str]:
    """Give every imported name, dotted: ``from a import b`` gives ``a`` and ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _compiled_at_import(tree: ast.AST) -> Iterator[str]:
    """Give the calls of ``re.compile`` outside of functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            yield ast.unparse(node)
        if not isinstance(node, ast.FunctionDef):
            yield from _compiled_at_import(node)
