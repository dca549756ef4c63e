"""Who is compared: this tree, and versions from the package registry, each in its own venv."""

from __future__ import annotations

import os
import shutil
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import CommandError, NotMeasured, run
from benchmarks.work import RUNS_OF_TESTS

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = "director-cli"
OURS = "this tree"
REFERENCES = ("0.3.0", "0.11.0")
BARE_TIERS = frozenset({"0.3.0"})  # versions that take OpenCode's own names of models
ROLES = ("planner", "test_author", "executor", "explorer", "reviewer", "escalation")
PROVIDER = "scripted"
OUR_RUNS = RUNS_OF_TESTS + 1  # once more, where all is merged
NO_SERVER = '[opencode]\nserver = "off"\n'  # the instant agent is none
WHOLE = "installed"  # lies in an environment whose installation was not cut short
INSTALL_SECS = 300.0
LAUNCHER = """\
#!{python}
import sys

from director.__main__ import main

sys.exit(main())
"""


@dataclass(frozen=True)
class Contestant:
    """A ``director``: its program, the interpreter it runs in, how it wants models spelled.

    ``config`` is added to its configuration. ``runs_of_tests``: how often it runs the tests of a
    node that is green at the first attempt.
    """

    name: str
    program: Path
    python: Path
    tier_prefix: str = ""
    config: str = ""
    runs_of_tests: int = RUNS_OF_TESTS

    @property
    def ours(self) -> bool:
        """Whether it is this tree (whatever its configuration)."""
        return self.name.startswith(OURS)

    def configuration(self) -> str:
        """Return ``config.toml``: all tiers have the model of their name, of one PROVIDER."""
        tiers = [f'{role} = "{self.tier_prefix}{PROVIDER}/{role}"' for role in ROLES]
        return "\n".join(("[tiers]", *tiers, self.config))


def this_tree(folder: Path) -> Contestant:
    """Return this tree, started as pip's script starts an installed one; makes the script.

    It has an environment of its own, as the others have: what else is installed beside this
    interpreter may be loaded at each of its starts, and what is imported is looked for there first.
    """
    program, python = folder / "director", folder / "venv" / "bin" / "python"
    venv.create(folder / "venv", symlinks=True)
    (packages,) = folder.glob("venv/lib/python*/site-packages")
    (packages / "director.pth").write_text(f"{PROJECT}\n")
    program.write_text(LAUNCHER.format(python=python))
    program.chmod(0o755)
    return Contestant(OURS, program, python, config=NO_SERVER, runs_of_tests=OUR_RUNS)


def reference(wanted: str, cache: Path) -> Contestant | NotMeasured:
    """Return the version ``VERSION`` (installed into ``cache`` when it is not there yet).

    ``VERSION=PROGRAM`` takes one that is installed already; its Python lies beside it.
    """
    version, _, given = wanted.partition("=")
    folder = cache / f"{PACKAGE}-{version}"
    if not given and not (folder / WHOLE).exists():
        try:
            _install(version, folder)
        except (CommandError, OSError) as error:
            return NotMeasured(f"it could not be installed: {error}")
    program = Path(given) if given else folder / "bin" / "director"
    if not program.exists():
        return NotMeasured(f"there is no {program.name} at the given path")
    prefix = "" if version in BARE_TIERS else "opencode/"
    return Contestant(version, program, program.resolve().with_name("python"), prefix)


def cache_folder(env: Mapping[str, str]) -> Path:
    """Return where installed versions are kept."""
    base = env.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "director-benchmarks"


def _install(version: str, folder: Path) -> None:
    """Make a virtual environment; its scripts hold its path, so it cannot be moved into place."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet")
    options = ("--disable-pip-version-check", "--no-deps")
    run((*pip, *options, f"{PACKAGE}=={version}"), folder, os.environ, INSTALL_SECS)
    (folder / WHOLE).touch()
