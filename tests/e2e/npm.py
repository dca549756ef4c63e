"""Packages from the npm registry that the end-to-end tests need: installed once, and kept."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALL_SECS = 300


class UnavailableError(Exception):
    """Why there is nothing to test with."""


def installed(name: str, *packages: str) -> Path:
    """Return the ``node_modules`` that holds ``packages`` (``name@version``).

    The installation is called ``name`` and made where there is none. Raises UnavailableError.
    """
    folder = cache_folder() / name
    with alone(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            _install(folder, packages)
    return folder / "node_modules"


def said(argv: list[str], secs: float) -> str:
    """Return what a program prints; UnavailableError when it fails."""
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


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError(f"there is no `npm` on PATH to install {packages[0]} with")
    half_done = folder.with_name(f"{folder.name}.part")  # a killed installation must not look whole
    shutil.rmtree(half_done, ignore_errors=True)
    half_done.mkdir()
    quiet = ("--no-audit", "--no-fund", "--no-package-lock")
    said([npm, "install", *quiet, "--prefix", str(half_done), *packages], INSTALL_SECS)
    half_done.rename(folder)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one process at a time look and install."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def cache_folder() -> Path:
    """Return where installations for tests are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "director-tests"
