"""The coding agents that the end-to-end tests drive: on PATH, else installed for them."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import unittest
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.npm import UnavailableError, installed, said

VERSION_SECS = 60


@dataclass(frozen=True)
class Program:
    """A coding agent: what it is called, its command, and its package (``name@version``)."""

    name: str
    command: str
    package: str


OPENCODE = Program("OpenCode", "opencode", "opencode-ai@1.18.33")
CLAUDE_CODE = Program("Claude Code", "claude", "@anthropic-ai/claude-code@2.1.197")
CODEX = Program("Codex", "codex", "@openai/codex@0.169.0")


def require(program: Program) -> Path:
    """Return the folder that holds the program's command, for the front of PATH.

    Where there is none the test is skipped, and says so; with ``CI=true`` it fails instead.
    """
    found = _find(program)
    if isinstance(found, Path):
        return found
    reason = f"no {program.name} to test with: {found}"
    if os.environ.get("CI") == "true":
        raise AssertionError(reason)
    raise unittest.SkipTest(reason)


@functools.cache
def _find(program: Program) -> Path | UnavailableError:
    """Look once per process, and say aloud when the tests are going to be skipped."""
    try:
        found = shutil.which(program.command) or str(_own(program))
        if not said([found, "--version"], VERSION_SECS).strip():
            raise UnavailableError(f"`{found} --version` says nothing")
    except UnavailableError as error:
        print(f"end-to-end tests cannot run: {error}", file=sys.stderr)
        return error
    return Path(found).parent


def _own(program: Program) -> Path:
    """Return the command of the tests' own installation, which is made where there is none."""
    version = program.package.rpartition("@")[2]
    folder = f"{program.name.lower().replace(' ', '-')}-{version}"
    return installed(folder, program.package) / ".bin" / program.command
