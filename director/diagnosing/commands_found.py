"""What the files of a checkout say of its commands: tests, lint, types, what worktrees need."""

import re
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from director.model.config import WorktreePolicy
from director.model.ecosystems.ecosystems import Ecosystem, ecosystems, manifests, proposal
from director.model.ecosystems.gates import FoundGate, gates_of, settings_in
from director.model.ecosystems.project import table
from director.processes.capture import absolute_path
from director.repositories.git import split_z
from director.repositories.repository import Repository

VENV = ".venv/bin/"
PYTHON_TOOLS = ("ruff", "flake8", "mypy", "pyright")


class Checkout(NamedTuple):
    """The tracked paths of a checkout, and what its lock files and manifests say."""

    paths: list[str]
    ecosystems: tuple[Ecosystem, ...]

    def proposal(self) -> WorktreePolicy | None:
        """Return the ``[worktree]`` that they call for; None: a worktree needs nothing."""
        return proposal(self.ecosystems, self.paths)


def read_checkout(repository: Repository) -> Checkout:
    """Return what the user's checkout holds now."""
    paths = split_z(repository.git.output("ls-files", "-z"))
    root = repository.root
    there = (path for path in manifests(paths) if (root / path).is_file())
    texts = {path: (root / path).read_bytes().decode(errors="replace") for path in there}
    return Checkout(paths, ecosystems(paths, texts))


class FoundCommands(NamedTuple):
    """What the repository's files say: gates, those whose program is missing, ``[worktree]``."""

    gates: tuple[FoundGate, ...]
    left_out: tuple[FoundGate, ...]
    worktree: WorktreePolicy | None


def look_at_files(checkout: Checkout, root: Path, env: Mapping[str, str]) -> FoundCommands:
    """Return what the files of the checkout say of tests, lint, types, and worktrees."""
    policy = checkout.proposal()
    has_venv = policy is not None and ".venv" in policy.setup

    def exists(path: str) -> bool:  # in a worktree, once it is set up
        return has_venv and path.endswith(f"{VENV}python")

    there = [path for path in settings_in(checkout.paths) if (root / path).is_file()]
    texts = {path: _read(root / path) for path in there}
    wanted = gates_of(checkout.ecosystems, checkout.paths, texts, exists)
    required = ""
    if policy is not None and has_venv:
        listed = (path for path in checkout.paths if path.endswith(".txt") and path in policy.setup)
        required = "\n".join(_read(root / path) for path in listed if (root / path).is_file())
        required += f"\n{installed_by(policy.setup, texts.get('pyproject.toml', ''))}"
    found = [_in_environment(gate, required) for gate in wanted]
    search = absolute_path(env)
    missing = [
        gate
        for gate in found
        if "/" not in gate.program and shutil.which(gate.program, path=search) is None
    ]
    return FoundCommands(tuple(one for one in found if one not in missing), tuple(missing), policy)


def _read(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def installed_by(setup: str, pyproject: str) -> str:
    """Return what a setup command installs of what ``pyproject.toml`` requires, as one text.

    Not all that is required somewhere is: an extra or a group counts where the command names it,
    and the development groups that uv, PDM and Poetry take by default.
    """
    try:
        said = tomllib.loads(pyproject)
    except tomllib.TOMLDecodeError:
        return ""
    project, poetry = table(said.get("project")), table(table(said.get("tool")).get("poetry"))
    groups = table(said.get("dependency-groups"))
    sets = {**table(project.get("optional-dependencies")), **groups}
    named = {*re.findall(r"[\w-]+", setup), *(("dev",) if "uv sync" in setup else ())}
    named |= groups.keys() if "pdm sync" in setup else set()
    wanted = [what for name, what in sets.items() if name in named]
    if "poetry install" in setup:
        wanted += [poetry.get("dependencies"), poetry.get("dev-dependencies"), poetry.get("group")]
    return str([project.get("dependencies"), *wanted])


def _in_environment(gate: FoundGate, required: str) -> FoundGate:
    """Return a gate whose program setup installs as one of the environment's."""
    tool = gate.program if gate.program in PYTHON_TOOLS else ""
    if tool and re.search(rf"\b{re.escape(tool)}\b", required):
        return gate._replace(command=f"{VENV}{gate.command}")
    return gate
