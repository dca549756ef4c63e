"""The paths that a sandbox is about: what is to be kept, what is trusted, what may be written."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import NamedTuple

from director.model.config import SandboxPolicy
from director.model.errors import RequestError
from director.model.testing.checkout_paths import Checkout
from director.processes.domain import outermost
from director.processes.trusted import beside_the_way, trusted_paths
from director.records.files import make_folder, os_errors_stop

NO_CHECKOUT = Checkout()
ADVICE = "correct [sandbox] in the configuration"
CACHES = {
    "bun": (".bun/install",),
    "bundle": (".bundle/cache",),
    "cargo": (".cargo/git", ".cargo/registry"),
    "dotnet": (".dotnet", ".nuget"),
    "go": ("go/pkg",),
    "gradle": tuple(
        f".gradle/{name}"
        for name in (
            ".tmp",
            "caches",
            "daemon",
            "jdks",
            "native",
            "notifications",
            "workers",
            "wrapper",
        )
    ),
    "mvn": (".m2/repository", ".m2/wrapper"),
    "npm": (".npm",),
    "pnpm": (".local/share/pnpm",),
    "uv": (".local/share/uv",),
    "yarn": (".yarn",),
}
"""Program → what it makes right in the home folder, or beside its programs (``~/.cargo/bin``)."""
WRAPPED = {"gradle": ".gradle", "mvn": ".m2"}
"""Program that projects bring themselves → its folder, once it was used."""
AGENTS_FOLDERS = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
}
SETTINGS_FOLDER = {"XDG_CONFIG_HOME": ".config"}  # they make theirs at the start, and only read it


class JobPlaces(NamedTuple):
    """What one job confines: where its repositories and worktrees are, and what it trusts.

    ``repository`` are the folders of the user's repository and of the job's, ``pool`` is the one
    with the job's worktrees. ``trusted`` is kept from agents and gates besides what is trusted on
    any machine, ``checkout`` from the reading of gates. ``agents_own`` are the names of the agent
    CLIs' folders below the user's XDG folders, ``agents_files`` those of files that they write
    right in the home folder.
    """

    repository: tuple[Path, ...]
    pool: Path
    trusted: tuple[Path, ...] = ()
    checkout: Checkout = NO_CHECKOUT
    agents_own: tuple[str, ...] = ()
    agents_files: tuple[str, ...] = ()


class Kept(NamedTuple):
    """What agents and gates may not write: ``work`` is the folder of all worktrees of director's.

    The configuration may open a part of what is ``trusted``, but nothing of the others.
    """

    repository: tuple[Path, ...]
    work: Path
    trusted: tuple[Path, ...] = ()


class Writable(NamedTuple):
    """What may be written besides a worktree: ``agents`` is the folder with all of agents'.

    ``agent_folders`` are those in which the coding agent keeps its data, ``named`` are from the
    configuration.
    """

    agents: Path
    agent_folders: tuple[Path, ...] = ()
    named: tuple[Path, ...] = ()


class SandboxPaths:
    """What a sandbox is about. ``hide`` may not even be read, ``checkout`` not by gates."""

    def __init__(
        self,
        kept: Kept,
        writable: Writable,
        hide: tuple[Path, ...] = (),
        checkout: Checkout = NO_CHECKOUT,
    ) -> None:
        self.writable = writable
        self.hide = hide
        self.checkout = checkout
        self._kept = kept

    @cached_property
    def kept(self) -> tuple[Path, ...]:
        """What agents and gates are kept from."""
        return outermost((*self.closed, *self._kept.trusted))

    @cached_property
    def kept_from_setup(self) -> tuple[Path, ...]:
        """What the setup command is kept from: it is the user's own."""
        return outermost(self._kept.repository)

    @property
    def closed(self) -> tuple[Path, ...]:
        """What the configuration cannot open."""
        return (*self._kept.repository, self._kept.work)


def sandbox_paths(policy: SandboxPolicy, places: JobPlaces, env: Mapping[str, str]) -> SandboxPaths:
    """Return the paths of a sandbox; the folders that agent CLIs need are made.

    So are the caches of build tools: they would make all these themselves, but may not where they
    are confined. RequestError when ``write`` of the configuration names what holds, or lies in,
    what is to be kept, or ``hide`` what holds the worktrees; nothing is made then.
    """
    home = home_of(env)
    write, hide = paths_in(policy.write, home), paths_in(policy.hide, home)
    repository = tuple(dict.fromkeys(path.resolve() for path in places.repository))
    pool = places.pool.resolve()
    _refuse_open_ground(write, (*repository, pool.parent))
    _refuse_hidden_work(hide, pool)
    own = _folders_below(AGENTS_FOLDERS, places.agents_own, env, home)
    read = _folders_below(SETTINGS_FOLDER, places.agents_own, env, home)
    caches = [home / name for name in _caches(env, home)]
    for folder in (*own, *read, *caches, *(path for path in write if not path.exists())):
        with os_errors_stop(folder):
            make_folder(folder)
    agent_folders = tuple(folder.resolve() for folder in own)
    more = (*places.trusted, *beside_the_way(pool.parent, home))
    needed = (*agent_folders, *(home / name for name in places.agents_files))
    return SandboxPaths(
        Kept(repository, pool.parent, trusted_paths(env, home, more, needed)),
        Writable(pool / "agents", agent_folders, write),
        hide,
        places.checkout,
    )


def _folders_below(
    usual: Mapping[str, str], names: Iterable[str], env: Mapping[str, str], home: Path
) -> list[Path]:
    bases = [Path(env.get(variable) or home / place) for variable, place in usual.items()]
    return [base / name for base in bases for name in names]


def _refuse_open_ground(write: Iterable[Path], kept: Iterable[Path]) -> None:
    """Refuse paths to write that would open what is to be kept, or a part of it."""
    for path, one in product(write, kept):
        if one.is_relative_to(path):
            raise RequestError(f"[sandbox] write names {path}, which holds {one}", ADVICE)
        if path.is_relative_to(one):
            raise RequestError(f"[sandbox] write names {path}, which is in {one}", ADVICE)


def _refuse_hidden_work(hide: Iterable[Path], work: Path) -> None:
    """Refuse to hide what agents and gates work in."""
    for path in hide:
        if work.is_relative_to(path):
            raise RequestError(f"[sandbox] hide names {path}, which holds {work}", ADVICE)


def _caches(env: Mapping[str, str], home: Path) -> Iterator[str]:
    path = env.get("PATH", os.defpath)
    for program, names in CACHES.items():
        brought = WRAPPED.get(program)  # by the project
        if shutil.which(program, path=path) or (brought and (home / brought).is_dir()):
            yield from names


def home_of(env: Mapping[str, str]) -> Path:
    """Return the home folder, without links."""
    return Path(env.get("HOME") or Path.home()).resolve()


def paths_in(names: Iterable[str], home: Path) -> tuple[Path, ...]:
    """Return the paths that ``names`` of the configuration stand for; ``~`` is ``home``."""
    return tuple(
        Path(f"{home}{name[1:]}" if name.startswith("~") else name).resolve() for name in names
    )
