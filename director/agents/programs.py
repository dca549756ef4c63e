"""The programs of agent CLIs: where they are, and what decides what they do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from director.processes.capture import absolute_path
from director.processes.sandbox_paths import home_of

PACKAGES = "node_modules"


def find_program(wanted: str, env: Mapping[str, str]) -> Path | None:
    """Return the absolute path of a command or a path (``~/…`` too); None where there is none.

    Relative folders on PATH are passed over: they may be the repository's.
    """
    place = f"{home_of(env)}{wanted[1:]}" if wanted.startswith("~/") else wanted
    found = shutil.which(place, path=absolute_path(env))
    return Path(found).absolute() if found else None  # calls are made in other folders


def files_of_program(program: Path) -> Iterator[Path]:
    """Give what nothing else may write: director runs the program itself, confined by nothing.

    That is the program, and all packages beside one that is in a package of npm.
    """
    yield program
    packages = [one for one in program.resolve().parents if one.name == PACKAGES]
    yield from packages[-1:]
