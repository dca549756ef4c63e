"""Python projects. Everything runs by the interpreter of the environment.

So a test command needs no tool of the ecosystem, and finds its own folder before what is installed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from director.model.ecosystems.project import Project, Row, always, table
from director.model.patterns import lazy_pattern

_PYTHON = (".venv/bin/python", "venv/bin/python", "python3")
_REQUIREMENTS = ("requirements*.txt", "*-requirements.txt", "requirements/*.txt")
_FOR_TESTS = lazy_pattern(r"dev|devel|develop|development|tests?|testing")
_TEST_REQUIREMENTS = lazy_pattern(
    rf"requirements\.txt|requirements[-_.]({_FOR_TESTS.pattern})\.txt"
    rf"|({_FOR_TESTS.pattern})-requirements\.txt|requirements/({_FOR_TESTS.pattern})\.txt"
)
_PYTEST = lazy_pattern(r"\bpytest\b")


def _uses_pytest(project: Project) -> bool:
    named = any(path.rpartition("/")[2] in ("conftest.py", "pytest.ini") for path in project.paths)
    return named or project.says(_PYTEST.pattern) or project.says(r"^(async )?def test_")


def _python_suite(project: Project) -> str:
    if not project.tests:
        return ""
    if _uses_pytest(project):
        return f"{_source_path(project)}{{python}} -m pytest -q"
    folder = _loose_folder(project)
    discover = f" discover -s {shlex.quote(folder)}" if folder else ""
    return f"{_source_path(project)}{{python}} -m unittest{discover}"


def _python_single(project: Project, test: str) -> str:
    if _uses_pytest(project):
        return f"{_source_path(project)}{{python}} -m pytest -q {shlex.quote(test)}"
    start = f"{_source_path(project)}{{python}} -m unittest"
    if _loose_folder(project):
        folder, _, name = test.rpartition("/")
        return f"{start} discover -s {shlex.quote(folder)} -p {shlex.quote(name)}"
    return f"{start} {shlex.quote(test.removesuffix('.py').replace('/', '.'))}"


def _loose_folder(project: Project) -> str:
    """Return the folder of tests that are in no package, which unittest must be told."""
    folder = project.first_test.partition("/")[0] if "/" in project.first_test else ""
    return "" if f"{folder}/__init__.py" in project.known else folder


def _source_path(project: Project) -> str:
    """Return the variable that lets tests find ``src``, where nothing installs what is in it."""
    in_src = any(path.startswith("src/") and path.endswith(".py") for path in project.paths)
    return "PYTHONPATH=src " if in_src and not _installable(project) else ""


def _installable(project: Project) -> bool:
    described = {"project", "build-system"} & project.pyproject.keys()
    return bool(described or "setup.py" in project.known or "poetry" in _tools(project))


def _tools(project: Project) -> dict[str, Any]:
    return table(project.pyproject.get("tool"))


def _metadata(project: Project) -> dict[str, Any]:
    return table(project.pyproject.get("project"))


def _extras(project: Project) -> dict[str, Any]:
    return _of_tests(table(_metadata(project).get("optional-dependencies")))


def _groups(project: Project) -> dict[str, Any]:
    return _of_tests(table(project.pyproject.get("dependency-groups")))


def _of_tests(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sets of requirements with which tests run: those with the runner, or by name."""
    with_runner = {name: what for name, what in named.items() if _PYTEST.search(str(what))}
    return with_runner or {name: named[name] for name in named if _FOR_TESTS.fullmatch(name)}


def _pip_setup(project: Project) -> str:
    listed = sorted(path for path in project.paths if _TEST_REQUIREMENTS.fullmatch(path))
    extras, groups = _extras(project), _groups(project)
    wanted = [f"-r {shlex.quote(path)}" for path in listed]
    if _installable(project):
        wanted.append(f"-e '.[{','.join(extras)}]'" if extras else "-e .")
    wanted += [f"--group {name}" for name in groups]
    required = str([_metadata(project).get("dependencies"), extras, groups])
    if _uses_pytest(project) and not _PYTEST.search(required + project.all_of(listed)):
        wanted.append("pytest")
    if not wanted:
        return ""
    pip = ".venv/bin/python -m pip install -q"
    newer = f" && {pip} 'pip>=25.1'" if groups else ""  # the first that knows groups
    return f"python3 -m venv .venv{newer} && {pip} {' '.join(wanted)}"


def _uv_setup(project: Project) -> str:
    extras = [f" --extra {name}" for name in _extras(project)]
    groups = [f" --group {name}" for name in _groups(project) if name != "dev"]
    return f"uv sync --frozen{''.join(extras)}{''.join(groups)}"


def _poetry_setup(project: Project) -> str:
    extras = [f" --extras {name}" for name in _extras(project)]
    start = "POETRY_VIRTUALENVS_IN_PROJECT=true poetry install --no-interaction"
    return f"{start}{''.join(extras)}"


def _python_runner(project: Project) -> str:
    return f"Python ({'pytest' if _uses_pytest(project) else 'unittest'})"


def _python(name: str, mark: tuple[str, ...], setup: Callable[[Project], str]) -> Row:
    return Row(
        name=f"Python, {name}",
        family="python",
        marks=mark,
        locks=("uv.lock", "poetry.lock", "pdm.lock"),
        inputs=(*mark, "pyproject.toml", "setup.py", "setup.cfg", *_REQUIREMENTS),
        reads=("pyproject.toml", "setup.cfg", "tox.ini", *_REQUIREMENTS),
        reads_test=True,
        tests=r"(^|/)(test_[^/]*|[^/]*_test)\.py$",
        setup=setup,
        suite=_python_suite,
        single=_python_single,
        runner=_python_runner,
        interpreters=_PYTHON,
    )


PYTHON: tuple[Row, ...] = (
    _python("uv", ("uv.lock",), _uv_setup),
    _python("poetry", ("poetry.lock",), _poetry_setup),
    _python("pdm", ("pdm.lock",), always("PDM_IGNORE_ACTIVE_VENV=1 pdm sync")),
    _python(
        "pip",
        ("requirements*.txt", "pyproject.toml", "setup.py", "setup.cfg", "pytest.ini"),
        _pip_setup,
    ),
)
