"""The tools a merge was made with, for its receipt."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from director import __version__
from director.agents.opencode import find_program
from director.model.errors import DirectorError
from director.workspace.git import Git
from director.workspace.processes import capture

PATIENCE_SECS = 10.0


def tool_versions(git: Git) -> dict[str, str]:
    """Return name → version of what works here; what does not say its version is left out."""
    known = {
        "director": __version__,
        "git": _version("git", git.env).removeprefix("git version "),
        "opencode": _opencode_version(git.env),
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    return {name: version for name, version in known.items() if version}


def _opencode_version(env: Mapping[str, str]) -> str:
    try:
        program = find_program(env)
    except DirectorError:
        return ""
    return _version(program, env)


def _version(program: str, env: Mapping[str, str]) -> str:
    return _said_version(program, tuple(sorted(env.items())))


@cache
def _said_version(program: str, env: tuple[tuple[str, str], ...]) -> str:
    """Return what ``program --version`` prints, or ""; asked once per process."""
    try:
        done = capture([program, "--version"], Path("/"), dict(env), timeout_secs=PATIENCE_SECS)
    except OSError:
        return ""
    return done.out.decode(errors="replace").strip() if done.code == 0 else ""
