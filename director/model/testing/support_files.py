"""Files that decide how tests run: no node changes them unless the plan says so.

Some are nothing else (``conftest.py``, ``pytest.ini``). Others are ordinary project files of which
a part configures the runner (``package.json``): there, that part alone is out of bounds.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from director.model.patterns import lazy_pattern
from director.model.plan import Node
from director.model.testing.runner_command import programs

_SUPPORT = lazy_pattern(
    r"conftest\.py|\.?pytest\.ini|\.?pytest\.toml|tox\.ini|noxfile\.py|nextest\.toml"
    r"|(?:jest|vitest|karma|playwright|cypress|ava|jasmine|wdio)\.(?:conf|config|workspace)\.\w+"
    r"|(?:jest|vitest)[.-]setup\.\w+|\.mocharc(?:\.\w+)?|\.taprc|\.jasmine\.json"
    r"|phpunit\.xml(?:\.dist)?|\.rspec|(?:spec|rails|test)_helper\.rb|sitecustomize\.py"
)
_TEST_FOLDERS = frozenset({"test", "tests"})
# What a command like `make test` runs is written in one of these.
_RECIPES = {
    "make": {"Makefile", "makefile", "GNUmakefile"},
    "just": {"justfile", "Justfile", ".justfile"},
    "task": {"Taskfile.yml", "Taskfile.yaml"},
    "rake": {"Rakefile"},
}
_SCRIPT = lazy_pattern(r"(?:pre|post)?test(?::.*)?")
_JSON_KEYS = ("jest", "vitest", "mocha", "ava", "tap")
_TOML_KEYS = ("pytest", "tox", "unittest")
_CFG_SECTION = lazy_pattern(r"(?:tool:)?(?:pytest|tox|unittest|nosetests)(?::.*)?|testenv.*")


def support_problems(nodes: Sequence[Node]) -> list[str]:
    """Return a sentence for each test support file in an allowlist without ``test_support``."""
    folders = _test_folders(nodes)
    recipes = {name for node in nodes for name in _recipes(node.test_cmd)}
    return [
        f"node {node.id!r}: {path!r} decides how tests run, so the executor may not change it: "
        'remove it from "files" (if the tests need it, name it in "tests" of one node, and their '
        "author writes it; others that need it depend on that node), or, if changing it is the "
        'work, name it in "test_support" as well'
        for node in nodes
        for path in node.files
        if path not in node.test_support and (_is_support(path, folders) or path in recipes)
    ]


def _is_support(path: str, folders: Iterable[str]) -> bool:
    folder, _, name = path.rpartition("/")
    return bool(_SUPPORT.fullmatch(name)) or (name == "__init__.py" and folder in folders)


def _test_folders(nodes: Iterable[Node]) -> set[str]:
    """Return the folders of tests: by their name, or with tests and nothing else that is planned.

    Where tests lie beside what they test, the folder's ``__init__.py`` belongs to the code.
    """
    files = {path for node in nodes for path in node.files}
    code = {_folder(path) for path in files if not path.endswith("__init__.py")}
    tests = {_folder(path) for node in nodes for path in node.tests}
    folders = {_folder(path) for path in files}
    named = {one for one in folders if not _TEST_FOLDERS.isdisjoint(one.split("/"))}
    return (tests - code - {""}) | named


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _recipes(command: str) -> set[str]:
    return {name for program in programs(command) for name in _RECIPES.get(program, ())}


def changed_settings(path: str, before: bytes | None, after: bytes | None) -> list[str]:
    """Return which settings of a test runner differ between two contents of a project file."""
    old, new = runner_settings(path, before), runner_settings(path, after)
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def has_settings(path: str) -> bool:
    """Whether a part of the file at ``path`` may configure a test runner."""
    return path.rpartition("/")[2] in _READERS


def runner_settings(path: str, content: bytes | None) -> Mapping[str, object]:
    """Return the part of a project file that configures the test runner, by the names of settings.

    Empty where there is none, or no such file, or where it cannot be read.
    """
    read = _READERS.get(path.rpartition("/")[2])
    if read is None or content is None:
        return {}
    try:
        return read(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}


def _package_json(text: str) -> dict[str, object]:
    document = _table(json.loads(text))
    scripts = _table(document.get("scripts"))
    found = {f"scripts.{name}": value for name, value in scripts.items() if _SCRIPT.fullmatch(name)}
    return found | {name: document[name] for name in _JSON_KEYS if name in document}


def _pyproject(text: str) -> dict[str, object]:
    tools = _table(tomllib.loads(text).get("tool"))
    return {f"tool.{name}": tools[name] for name in _TOML_KEYS if name in tools}


def _setup_cfg(text: str) -> dict[str, object]:
    import configparser  # as slow to import as ten modules of ours

    sections = configparser.RawConfigParser(strict=False)
    try:
        sections.read_string(text)
    except configparser.Error:
        return {}
    return {name: dict(sections[name]) for name in sections if _CFG_SECTION.fullmatch(name)}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


_READERS = {"package.json": _package_json, "pyproject.toml": _pyproject, "setup.cfg": _setup_cfg}
