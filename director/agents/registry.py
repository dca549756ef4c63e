"""The agent CLIs that director can work with: one line for each backend.

The first segment of a tier names the CLI (``codex/…``), and the rest its model; every other tier
is OpenCode's, which has ``provider/model`` of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from director.agents.backend import Backend, LaneCost, OwnFiles
from director.agents.claude_code.backend import CLAUDE_CODE
from director.agents.codex.backend import CODEX
from director.agents.opencode.backend import OPENCODE
from director.agents.programs import files_of_program
from director.model.config import Config
from director.model.errors import RequestError

DEFAULT = OPENCODE
BACKENDS: tuple[Backend, ...] = (DEFAULT, CLAUDE_CODE, CODEX)

_NAMED = {backend.name: backend for backend in BACKENDS if backend is not DEFAULT}


class Tier(NamedTuple):
    """A model of ``[tiers]``: who calls it, and what that CLI calls it."""

    backend: Backend
    model: str


def tier_of(text: str) -> Tier:
    """Return what a value of ``[tiers]`` means."""
    first, _, rest = text.partition("/")
    return Tier(_NAMED[first], rest) if first in _NAMED else Tier(DEFAULT, text)


def backends_of(tiers: Iterable[str]) -> tuple[Backend, ...]:
    """Return the backends of these tiers, each once, in the order of the registry."""
    named = {tier_of(text).backend.name for text in tiers}
    return tuple(backend for backend in BACKENDS if backend.name in named)


AGENT_FOLDERS = tuple(folder for backend in BACKENDS for folder in backend.agent_folders)
"""Where a repository may have role files of its own; the first found counts."""


def starter_files() -> dict[str, str]:
    """Return path → text of all that ``sync-agents`` installs for agent CLIs."""
    return {path: text for one in BACKENDS for path, text in one.starter_files().items()}


def state_folders(tiers: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the folders that these CLIs write below the user's XDG folders."""
    return tuple(name for backend in backends_of(tiers) for name in backend.state_folders)


def files_of_programs(config: Config, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files of the programs that the tiers name, of those that are there."""
    found: list[Path] = []
    for backend in backends_of(config.tiers.values()):
        with suppress(RequestError):
            found += files_of_program(backend.program(config, env))
    return tuple(found)


def settings_of_users(config: Config, env: Mapping[str, str], home: Path) -> Iterator[Path]:
    """Give the files of the user's own sessions with these CLIs, which no agent may change.

    A hook or a plugin in one would run in such a session, confined by nothing.
    """
    for backend in BACKENDS:
        yield from (home / name for name in backend.user_settings(config, env))


def files_in_home(config: Config) -> tuple[str, ...]:
    """Return the names of the files that these CLIs write right in the user's home folder."""
    used = backends_of(config.tiers.values())
    return tuple(name for backend in used for name in backend.files_in_home(config))


def key_variables(config: Config) -> set[str]:
    """Return the variables that hold keys, whatever they are called."""
    named = (name for one in BACKENDS for name in one.secret_variables(config))
    return {*config.secret_variables, *named}


def lane_cost(tiers: Iterable[str]) -> LaneCost:
    """Return what a call of the most expensive of these tiers takes of the machine."""
    costs = [backend.lane_cost for backend in backends_of(tiers)]
    memory = max(one.memory_bytes for one in costs)
    return LaneCost(memory, max(one.cpu_secs for one in costs))


def own_files(backends: Iterable[Backend] = BACKENDS) -> OwnFiles:
    """Return what any of these CLIs writes into worktrees itself."""
    all_files = [backend.own_files for backend in backends]
    return OwnFiles(
        frozenset().union(*(one.files for one in all_files)),
        tuple(dict.fromkeys(folder for one in all_files for folder in one.folders)),
    )
