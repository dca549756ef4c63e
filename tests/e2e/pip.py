"""Packages from PyPI that the end-to-end tests need: installed once, and kept."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.e2e.npm import INSTALL_SECS, UnavailableError, alone, cache_folder, said


def python_with(name: str, *packages: str) -> Path:
    """Return a Python that has ``packages`` (``name==version``), in an environment of its own.

    The environment is called ``name`` and made where there is none. Raises UnavailableError.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"{name}-python{version}"
    with alone(folder.with_name(f"{folder.name}.lock")):
        if not (folder / "complete").exists():
            _install(folder, packages)
    return folder / "bin" / "python"


def _install(folder: Path, packages: tuple[str, ...]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a killed installation is not complete
    said([sys.executable, "-m", "venv", str(folder)], INSTALL_SECS)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", *quiet, *packages]
    try:
        said(pip, INSTALL_SECS)
    except UnavailableError as error:
        raise UnavailableError(f"{', '.join(packages)} cannot be installed: {error}") from None
    (folder / "complete").touch()
