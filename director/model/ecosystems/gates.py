"""The commands with which a repository is tested, linted and type-checked, by its own files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from director.model.ecosystems.ecosystems import Ecosystem
from director.model.ecosystems.node import script_starter
from director.model.ecosystems.project import Project, table

MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
SETTINGS = (
    "pyproject.toml", "setup.cfg", "package.json", ".flake8", "tox.ini", "mypy.ini", ".mypy.ini",
    "ruff.toml", ".ruff.toml", "pyrightconfig.json", "tsconfig.json", "go.mod", ".golangci.yml",
    ".golangci.yaml", "Cargo.toml", "rustfmt.toml", ".rustfmt.toml", *MAKEFILES,
)  # fmt: skip
LINT, TYPES, TEST = "lint", "typecheck", "test"
SCRIPTS = {
    LINT: ("lint",),
    TYPES: ("typecheck", "type-check", "types", "check-types", "tsc"),
}
TARGETS = {LINT: ("lint",), TYPES: ("typecheck", "types", "mypy")}


class FoundGate(NamedTuple):
    """A command that the repository's files speak of. ``source`` is the file that does."""

    name: str
    command: str
    source: str

    @property
    def program(self) -> str:
        """The program that it starts."""
        words = [word for word in self.command.split() if not re.match(r"\w+=", word)]
        return words[0] if words else ""


def settings_in(paths: Sequence[str]) -> list[str]:
    """Return those of the tracked ``paths`` whose text ``gates_of`` wants to see."""
    return [path for path in paths if path in SETTINGS]


def gates_of(
    found: Sequence[Ecosystem],
    paths: Sequence[str],
    texts: Mapping[str, str],
    exists: Callable[[str], bool],
) -> list[FoundGate]:
    """Return one gate for each purpose, tests first; ``texts`` are those of ``settings_in``.

    ``exists`` says which interpreters there will be where gates run.
    """
    gates = [*_tests(found, exists)]
    project = Project("", tuple(paths), (), texts)
    for gate in (*_python(project), *_node(project), *_compiled(project), *_make(project)):
        if all(gate.name != other.name for other in gates):
            gates.append(gate)
    return gates


def _tests(found: Sequence[Ecosystem], exists: Callable[[str], bool]) -> Iterator[FoundGate]:
    tested = [one for one in found if one.suite]
    for one in tested:
        place = re.sub(r"[^\w-]+", "-", one.folder)
        name = f"{TEST}-{place}" if place and len(tested) > 1 else TEST
        if len(tested) > 1 and not place and one is not tested[0]:
            name = f"{TEST}-{re.sub(r'[^a-z]+', '-', one.name.lower()).strip('-')}"
        yield FoundGate(name, one.suite_in(exists), f"{one.runner}{_in(one.folder)}")


def _in(folder: str) -> str:
    return f" in {folder}" if folder else ""


def _python(project: Project) -> Iterator[FoundGate]:
    tools = table(project.pyproject.get("tool"))
    own = {"ruff": ("ruff.toml", ".ruff.toml"), "mypy": ("mypy.ini", ".mypy.ini")}

    def source(tool: str, *files: str) -> str:
        if tool in tools:
            return "pyproject.toml"
        if project.says(rf"^\[{tool}[\]:]", "setup.cfg", "tox.ini"):
            return "setup.cfg" if project.says(rf"^\[{tool}", "setup.cfg") else "tox.ini"
        return next((one for one in files if one in project.known), "")

    if where := source("ruff", *own["ruff"]):
        yield FoundGate(LINT, "ruff check .", where)
    elif where := source("flake8", ".flake8"):
        yield FoundGate(LINT, "flake8", where)
    if where := source("mypy", *own["mypy"]):
        named = table(tools.get("mypy")).keys() & {"files", "packages", "modules"}
        listed = named or project.says(r"^(files|packages|modules)\s*=", "mypy.ini", ".mypy.ini")
        yield FoundGate(TYPES, "mypy" if listed else "mypy .", where)
    elif where := source("pyright", "pyrightconfig.json"):
        yield FoundGate(TYPES, "pyright", where)


def _node(project: Project) -> Iterator[FoundGate]:
    manager = script_starter(project)
    scripts = table(project.package.get("scripts"))
    for purpose, names in SCRIPTS.items():
        if name := next((one for one in names if one in scripts), ""):
            yield FoundGate(purpose, f"{manager} run {name}", "package.json")
    needs = {
        **table(project.package.get("dependencies")),
        **table(project.package.get("devDependencies")),
    }
    if "tsconfig.json" in project.known and "typescript" in needs:
        yield FoundGate(TYPES, "npx --no-install tsc --noEmit", "tsconfig.json")


def _compiled(project: Project) -> Iterator[FoundGate]:
    for name in (".golangci.yml", ".golangci.yaml"):
        if name in project.known:
            yield FoundGate(LINT, "golangci-lint run", name)
    if "go.mod" in project.known:
        yield FoundGate(LINT, "go vet ./...", "go.mod")
    for name in ("rustfmt.toml", ".rustfmt.toml"):
        if name in project.known:
            yield FoundGate(LINT, "cargo fmt --check", name)


def _make(project: Project) -> Iterator[FoundGate]:
    """Give what a ``Makefile`` has a target for."""
    for purpose, names in TARGETS.items():
        for name in names:
            if project.says(rf"^{name}\s*:(?!=)", *MAKEFILES):
                source = next(one for one in MAKEFILES if one in project.known)
                yield FoundGate(purpose, f"make {name}", source)
                break
