"""The OpenCode that the end-to-end tests drive: the one on PATH, else one installed for them."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import sys
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "1.18.33"
INSTALL_SECS = 300
VERSION_SECS = 60


class UnavailableError(Exception):
    """Why there is no OpenCode to test with."""


def require_opencode() -> Path:
    """Return the folder that holds the ``opencode`` executable, for the front of PATH.

    Where there is none the test is skipped, and says so; with ``CI=true`` it fails instead.
    """
    try:
        return _found_once()
    except UnavailableError as error:
        if os.environ.get("CI") == "true":
            raise AssertionError(f"no OpenCode to test with: {error}") from None
        raise unittest.SkipTest(f"no OpenCode to test with: {error}") from None


def _found_once() -> Path:
    found = _find()
    if isinstance(found, UnavailableError):
        raise found
    return found


@functools.cache
def _find() -> Path | UnavailableError:
    """Look once per process, and say aloud when the tests are going to be skipped."""
    try:
        return _on_path() or _installed()
    except UnavailableError as error:
        print(f"end-to-end tests cannot run: {error}", file=sys.stderr)
        return error


def _on_path() -> Path | None:
    program = shutil.which("opencode")
    if program is None:
        return None
    _check(Path(program))
    return Path(program).parent


def _installed() -> Path:
    """Return the folder of the test's own installation, which is made where there is none."""
    folder = _cache() / f"opencode-{VERSION}"
    program = folder / "node_modules" / ".bin" / "opencode"
    with _alone(folder.with_name(f"{folder.name}.lock")):
        if not program.exists():
            _install(folder)
        _check(program)
    return program.parent


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("neither `opencode` nor `npm` is on PATH")
    half_done = folder.with_name(f"{folder.name}.part")  # a killed installation must not look whole
    for leftover in (half_done, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    half_done.mkdir()
    quiet = ("--no-audit", "--no-fund", "--no-package-lock")
    package = f"opencode-ai@{VERSION}"
    _run([npm, "install", *quiet, "--prefix", str(half_done), package], INSTALL_SECS)
    half_done.rename(folder)


def _check(program: Path) -> None:
    if not _run([str(program), "--version"], VERSION_SECS).strip():
        raise UnavailableError(f"`{program} --version` says nothing")


def _run(argv: list[str], secs: float) -> str:
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=secs
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        reason = errors[0] if errors else f"exit code {done.returncode}"
        raise UnavailableError(f"`{' '.join(argv)}` failed: {reason}")
    return done.stdout


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one process at a time look and install."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "director-tests"
