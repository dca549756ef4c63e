"""Node.js projects. A version in ``packageManager`` is the one that wrote the lock file."""

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from director.model.ecosystems.project import Project, Row, always, table
from director.model.patterns import lazy_pattern

_NODE_TESTS = r"\.(test|spec)\.[cm]?[jt]sx?$|(^|/)(__tests__|tests?)/([^/]+/)*[^/]+\.[cm]?[jt]sx?$"
_NO_TEST = "no test specified"  # what `npm init` writes
_MODERN_YARN = r"^__metadata:"  # from version 2 on; it may do without node_modules
_NODE_RUNNER = lazy_pattern(r"\b(jest|vitest|mocha|ava)\b")
_NODE_ITSELF = lazy_pattern(r"\bnode( +--?(?:import|require|loader|r)[= ]\S+)* +--test\b")


class _Manager(NamedTuple):
    """A package manager: how it is started, how it installs, how it starts what is installed."""

    start: Callable[[Project], str]
    install: Callable[[Project], str]
    execute: str
    everywhere: str = ""  # runs the tests of all workspaces, after ``start``


def _version_of(project: Project, manager: str) -> str:
    """Return the version that ``packageManager`` names, without its hash ("": none)."""
    found = re.match(rf"{manager}@([\w.-]+)", str(project.package.get("packageManager", "")))
    return found[1] if found else ""


def _pnpm(project: Project) -> str:
    version = _version_of(project, "pnpm")
    return f"npx --yes pnpm@{version}" if version else "pnpm"


def _yarn(project: Project) -> str:
    own = next((path for path in project.paths if path.startswith(".yarn/releases/")), "")
    if own:
        return f"node {shlex.quote(own)}"
    version = _version_of(project, "yarn")
    package = "yarn" if version.startswith("1.") else "@yarnpkg/cli-dist"
    return f"npx --yes {package}@{version}" if version else "yarn"


def _yarn_install(project: Project) -> str:
    modern = project.says(_MODERN_YARN, "yarn.lock")
    return f"{_yarn(project)} install {'--immutable' if modern else '--frozen-lockfile'}"


def _npm_install(project: Project) -> str:
    wanted = ("dependencies", "devDependencies", "optionalDependencies", "workspaces")
    if {"package-lock.json", "npm-shrinkwrap.json"} & project.known:
        return "npm ci"
    return "npm install --no-package-lock" if any(map(project.package.get, wanted)) else ""


_NPM = _Manager(always("npm"), _npm_install, "npx --no-install", "test --workspaces --if-present")
_PNPM = _Manager(
    _pnpm, lambda project: f"{_pnpm(project)} install --frozen-lockfile", "{start} exec", "-r test"
)
_YARN = _Manager(_yarn, _yarn_install, "{start} run")
_BUN = _Manager(always("bun"), always("bun install --frozen-lockfile"), "bun x")


def _test_script(project: Project) -> str:
    script = str(table(project.package.get("scripts")).get("test", ""))
    return "" if _NO_TEST in script else script


def _node_suite(project: Project, manager: _Manager) -> str:
    start = manager.start(project)
    if _test_script(project):
        return f"{start} run test" if start == "bun" else f"{start} test"
    if project.says(r"""["']bun:test["']"""):
        return "bun test"
    if project.says(r"""["']node:test["']"""):
        return "node --test"
    workspaces = "workspaces" in project.package or "pnpm-workspace.yaml" in project.known
    everywhere = manager.everywhere if workspaces and project.tests else ""
    return f"{start} {everywhere}" if everywhere else ""


def _node_single(project: Project, test: str, manager: _Manager) -> str:
    script, path = _test_script(project), shlex.quote(test)
    if itself := _NODE_ITSELF.search(script or _node_suite(project, manager)):
        resolving = f"{manager.start(project)} " if project.says(_MODERN_YARN, "yarn.lock") else ""
        return f"{resolving}{itself[0]} {path}"
    found = _NODE_RUNNER.search(script)
    if found is None:
        return f"bun test {path}" if "bun test" in script else ""
    execute = manager.execute.replace("{start}", manager.start(project))
    return f"{execute} {found[1]}{' run' if found[1] == 'vitest' else ''} {path}"


def _node_runner(project: Project) -> str:
    script = _test_script(project)
    found = _NODE_RUNNER.search(script)
    what = found[1] if found else f"the script `{script}`" if script else "its own test runner"
    return f"Node.js ({what})"


def _node(name: str, marks: tuple[str, ...], manager: _Manager) -> Row:
    return Row(
        name=f"Node.js, {name}",
        family="node",
        marks=marks,
        locks=tuple(mark for mark in marks if mark != "package.json"),
        inputs=(*marks, "package.json", "pnpm-workspace.yaml", ".npmrc", ".yarnrc.yml"),
        reads=("package.json", "yarn.lock"),
        reads_test=True,
        tests=_NODE_TESTS,
        setup=manager.install,
        suite=lambda project: _node_suite(project, manager),
        single=lambda project, test: _node_single(project, test, manager),
        runner=_node_runner,
    )


_MANAGERS = {
    "pnpm": (("pnpm-lock.yaml",), _PNPM),
    "yarn": (("yarn.lock",), _YARN),
    "bun": (("bun.lock", "bun.lockb"), _BUN),
    "npm": (("package-lock.json", "npm-shrinkwrap.json", "package.json"), _NPM),
}

NODE: tuple[Row, ...] = tuple(_node(name, *one) for name, one in _MANAGERS.items())


def script_starter(project: Project) -> str:
    """Return how the project's package manager is started, to run its scripts."""
    theirs = (one for marks, one in _MANAGERS.values() if project.known & {*marks})
    return next(theirs, _NPM).start(project)
