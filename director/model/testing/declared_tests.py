"""How many tests a test file holds, at least: read from its text, nothing is run.

In doubt it is fewer than there are, never more: an unknown decorator, a
class whose base is defined elsewhere, a definition within a condition.
"""

from __future__ import annotations

import ast
import re
import threading
import warnings
from collections.abc import Iterator
from typing import TypeGuard

_FILES = {
    "pytest": re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$"),
    "unittest": re.compile(r"(?:^|/)test[^/]*\.py$"),
    "go": re.compile(r"_test\.go$"),
    "cargo": re.compile(r"(?:^|/)tests/[^/]+\.rs$"),
    **dict.fromkeys(
        ("jest", "vitest", "mocha", "node"), re.compile(r"[._-](?:test|spec)\.[cm]?[jt]sx?$")
    ),
}
_WARNINGS = threading.Lock()  # their filters are the process's, and lanes are threads
_UNFIT_MODULE = frozenset(
    {"load_tests", "pytest_generate_tests", "pytestmark", "__test__", "setUpModule", "del"}
)
_UNFIT_CLASS = frozenset({"setUpClass", "pytestmark", "__test__", "__init__", "__new__", "del"})
_TEST_CASES = frozenset({"TestCase", "IsolatedAsyncioTestCase", "SimpleTestCase"})
_KNOWN_DECORATORS = re.compile(
    r"(?:pytest\.)?mark\.(?:parametrize|asyncio|anyio|usefixtures|filterwarnings|timeout)"
    r"|(?:(?:unittest\.)?mock\.)?patch(?:\.\w+)?"
)


def declared_tests(path: str, text: str, runner: str) -> int:
    """Return how many tests ``runner`` finds in the file at ``path``, at least."""
    known = _FILES.get(runner)
    if known is None or not known.search(path):
        return 0
    match runner:
        case "unittest" | "pytest":
            return _in_python(text, functions=runner == "pytest")
        case "go":
            return _in_go(text)
        case "cargo":
            return _in_rust(text)
    return _in_javascript(text)


def _in_python(text: str, functions: bool) -> int:
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    bound = [name for statement in module.body for name in _bound(statement)]
    if not _UNFIT_MODULE.isdisjoint(bound) or any(map(_may_skip, module.body)):
        return 0
    once = [one for one in module.body if all(bound.count(name) == 1 for name in _bound(one))]
    cases = [one for one in once if isinstance(one, ast.ClassDef) and _is_case(one, functions)]
    plain = [one for one in once if functions and _is_test(one)]
    return len(plain) + sum(map(_methods, cases))


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Give the names that a statement binds; "del" for one that unbinds."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Delete():
            yield "del"
        case _:
            for part in ast.walk(statement):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id


def _may_skip(statement: ast.stmt) -> bool:
    """Whether a statement of a module may end its import, or skip all of its tests."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return any(
        isinstance(part, ast.Raise)
        or (isinstance(part, ast.Call) and re.search("skip", _dotted(part.func)))
        for part in ast.walk(statement)
    )


def _is_case(one: ast.ClassDef, functions: bool) -> bool:
    """Whether a class holds tests: a TestCase, or, for pytest, one without base called Test…."""
    if one.decorator_list or one.keywords:
        return False
    if not one.bases:
        return functions and one.name.startswith("Test")
    return len(one.bases) == 1 and _dotted(one.bases[0]).rpartition(".")[2] in _TEST_CASES


def _methods(case: ast.ClassDef) -> int:
    names = [name for statement in case.body for name in _bound(statement)]
    if not _UNFIT_CLASS.isdisjoint(names):
        return 0
    return sum(_is_test(one) and names.count(one.name) == 1 for one in case.body)


def _is_test(statement: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        and statement.name.startswith("test")
        and all(_KNOWN_DECORATORS.fullmatch(_dotted(one)) for one in statement.decorator_list)
    )


def _dotted(expression: ast.expr) -> str:
    """Return a name as it is written, without a call; "" where it is not a plain name."""
    if isinstance(expression, ast.Call):
        expression = expression.func
    try:
        written = ast.unparse(expression)
    except RecursionError:
        return ""
    return written if re.fullmatch(r"[\w.]+", written) else ""


def _in_go(text: str) -> int:
    if re.search(r"^//\s*\+build|^//go:build|^func TestMain\(", text, re.MULTILINE):
        return 0
    if "`" in text or "/*" in text:
        return 0  # what looks like a function may be part of a string or comment
    return len(re.findall(r"^func Test(?:[^a-z\W]\w*)?\(\w+ \*testing\.T\)", text, re.MULTILINE))


def _in_rust(text: str) -> int:
    if re.search(r"macro_rules!|cfg(?:_attr)?\(|/\*|r#*\"|^\s*mod\s", text, re.MULTILINE):
        return 0
    return len(re.findall(r"^#\[test\]\n(?:#\[.*\]\n)*fn \w+\(\)", text, re.MULTILINE))


_JS_TEST = re.compile(r"(?:test|it)\(")


def _in_javascript(text: str) -> int:
    """Count the tests at the top, and those one step within a describe at the top."""
    lines = text.splitlines()
    if ".only" in text or "/*" in text or any(line.count("`") % 2 for line in lines):
        return 0
    count, step, within = 0, "", False
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() and not indent:
            within = bool(re.match(r"describe\(.*(?:=>|function ?\(\)) \{$", line))
            step = ""
        elif line.strip() and not step:
            step = indent
        if (not indent or (within and indent == step)) and _JS_TEST.match(line.strip()):
            count += 1
    return count
